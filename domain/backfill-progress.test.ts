import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ProgressFacts, percentOf, progressBar, progressOf } from './backfill-progress.ts';
import { BACKFILL_STATES, CHUNK_STATES, type ChunkState } from './backfill-states.ts';

const startedAt = new Date('2026-01-31T12:00:00Z');
const minutesIn = (minutes: number): Date => new Date(startedAt.getTime() + minutes * 60_000);

function facts(
  windows: Partial<Record<ChunkState, number>>,
  rest: Partial<ProgressFacts> = {},
): ProgressFacts {
  const counts = CHUNK_STATES.map((state) => [state, { chunks: 1, windows: windows[state] ?? 0 }]);
  return {
    state: 'running',
    counts: Object.fromEntries(counts) as ProgressFacts['counts'],
    doneSinceStart: windows.done ?? 0,
    ...{ startedAt, endedAt: null, now: minutesIn(10) },
    ...rest,
  };
}

describe('the progress of a backfill', () => {
  test('is what is done of all windows, and what is left at the rate of this run', () => {
    expect(progressOf(facts({ done: 100, failed: 20, pending: 60, fetching: 20 }))).toEqual({
      windows: 200,
      done: 100,
      part: 0.5,
      windowsPerMinute: 10,
      secondsLeft: 480,
    });
  });

  test('knows no rate before anything is done', () => {
    const progress = progressOf(facts({ pending: 7 }));
    expect(progress).toMatchObject({ windowsPerMinute: undefined, secondsLeft: undefined, part: 0 });
  });

  test('is told of a retry by what was done since then', () => {
    const progress = progressOf(facts({ done: 900, pending: 100 }, { doneSinceStart: 50 }));
    expect(progress).toMatchObject({ windowsPerMinute: 5, secondsLeft: 1_200, part: 0.9 });
  });

  test('says nothing of how long it takes while it is paused', () => {
    const progress = progressOf(facts({ done: 10, pending: 10 }, { state: 'paused' }));
    expect(progress).toMatchObject({ windowsPerMinute: 1, secondsLeft: undefined });
  });

  test('counts the time to its end once it has ended', () => {
    const progress = progressOf(
      facts({ done: 10 }, { state: 'completed', endedAt: minutesIn(2), now: minutesIn(600) }),
    );
    expect(progress).toMatchObject({ windowsPerMinute: 5, part: 1 });
  });

  test('is complete where there was nothing to do', () => {
    expect(progressOf(facts({}))).toMatchObject({ windows: 0, part: 1 });
  });

  test('is never more than all, nor is what is left negative', () => {
    const some = fc.nat({ max: 100_000 });
    fc.assert(
      fc.property(
        fc.record(Object.fromEntries(CHUNK_STATES.map((state) => [state, some]))),
        fc.constantFrom(...BACKFILL_STATES),
        fc.integer({ min: -1, max: 100_000 }),
        (windows, state, minutes) => {
          const { part, secondsLeft = 0 } = progressOf(facts(windows, { state, now: minutesIn(minutes) }));
          expect(part).toBeGreaterThanOrEqual(0);
          expect(part).toBeLessThanOrEqual(1);
          expect(secondsLeft).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

describe('the bar', () => {
  test.each([
    [0, '░░░░░░░░░░', 0],
    [0.000_1, '█░░░░░░░░░', 0],
    [0.5, '█████░░░░░', 50],
    [0.999_9, '█████████░', 99],
    [1, '██████████', 100],
  ])('of %d is full only when all is done, and not empty when anything is', (part, bar, percent) => {
    expect(progressBar(part, 10)).toBe(bar);
    expect(percentOf(part)).toBe(percent);
  });
});
