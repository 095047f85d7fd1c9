import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BackfillChunk,
  type ChunkTerms,
  cutChunks,
  daysOfChunk,
  leastCalls,
  MOST_BYTES,
  MOST_CALLS,
  spansOf,
} from './backfill-chunks.ts';
import { ALL_HOURS, type DayHours, dayNumberOf, dayOf, HOUR_MS, listHours } from './backfill-windows.ts';

const FIRST_DAY = dayNumberOf('2024-02-20');

const terms: fc.Arbitrary<ChunkTerms> = fc.record({
  input: fc.constantFrom('history', 'kafka', 'file'),
  order: fc.constantFrom('newest', 'oldest'),
  hoursPerSpan: fc.constantFrom(1, 5, 24, 30, 168, 10_000),
  callsPerSpan: fc.constantFrom(1, 2),
  callsPerMinute: fc.constantFrom(1, 6, 20, 60, 3_000),
});
const windows: fc.Arbitrary<DayHours[]> = fc.uniqueArray(
  fc.record({
    entityId: fc.constantFrom(1, 2, 3, 5_128_581, 9_000_000_000),
    day: fc.nat(60).map((offset) => dayOf(FIRST_DAY + offset)),
    hours: fc.oneof(fc.constant(ALL_HOURS), fc.integer({ min: 1, max: ALL_HOURS })),
  }),
  { selector: ({ entityId, day }) => `${entityId}/${day}`, maxLength: 120 },
);
const full: DayHours[] = Array.from({ length: 60 * 28 }, (_, index) => ({
  entityId: 1 + (index % 60),
  day: dayOf(FIRST_DAY + Math.floor(index / 60)),
  hours: ALL_HOURS,
}));
const ofHistory: ChunkTerms = {
  input: 'history',
  order: 'oldest',
  hoursPerSpan: 168,
  callsPerSpan: 1,
  callsPerMinute: 40,
};

const inOrder = (days: readonly DayHours[]): DayHours[] =>
  days.toSorted((one, other) => one.entityId - other.entityId || (one.day < other.day ? -1 : 1));
const instants = (days: readonly DayHours[]): Set<string> =>
  new Set(
    days.flatMap(({ entityId, day, hours }) =>
      listHours(hours).map((hour) => `${entityId}/${Date.parse(`${day}T00:00:00Z`) + hour * HOUR_MS}`),
    ),
  );
const lastDay = ({ windows: { firstDay, entities } }: BackfillChunk): number =>
  dayNumberOf(firstDay) + (entities[0]?.hours.length ?? 0) - 1;

describe('chunks', () => {
  test('hold every window once, and nothing else', () => {
    fc.assert(
      fc.property(windows, terms, (given, of) => {
        const chunks = cutChunks(given, 'batch', of, 0);
        expect(inOrder(chunks.flatMap(({ windows }) => daysOfChunk(windows)))).toEqual(inOrder(given));
        for (const chunk of chunks) expect(chunk.windowCount).toBe(instants(daysOfChunk(chunk.windows)).size);
      }),
    );
  });

  test('are the same for the same windows, in whatever order these are given', () => {
    fc.assert(
      fc.property(windows, terms, (given, of) => {
        const chunks = cutChunks(given, 'batch', of, 0);
        expect(cutChunks(given.toReversed(), 'batch', of, 0)).toEqual(chunks);
        expect(new Set(chunks.map(({ key }) => key)).size).toBe(chunks.length);
      }),
    );
  });

  test('follow the order of time', () => {
    fc.assert(
      fc.property(windows, terms, (given, of) => {
        const chunks = cutChunks(given, 'batch', of, 7);
        expect(chunks.map(({ position }) => position)).toEqual(chunks.map((_, index) => index + 7));
        const ascending = of.order === 'oldest' ? chunks : chunks.toReversed();
        for (const [index, chunk] of ascending.entries()) {
          const next = ascending[index + 1];
          if (next === undefined) continue;
          const days = Math.max(1, Math.floor(of.hoursPerSpan / 24));
          // Chunks that share a stretch of days hold different entities of it.
          expect(dayNumberOf(next.windows.firstDay)).toBeGreaterThan(lastDay(chunk) - days);
        }
      }),
    );
  });

  test('are at least half a minute of work, but for the last, and never too large', () => {
    fc.assert(
      fc.property(windows, terms, (given, of) => {
        const chunks = cutChunks(given, 'batch', of, 0);
        for (const chunk of chunks) {
          const calls = spansOf(chunk.windows, of.hoursPerSpan).length * of.callsPerSpan;
          expect(chunk.calls).toBe(of.input === 'history' ? calls : 0);
          expect(calls).toBeLessThanOrEqual(MOST_CALLS);
          expect(JSON.stringify(chunk.windows).length).toBeLessThanOrEqual(MOST_BYTES);
          // One day of one entity takes 48 calls at most: so much may have found no room.
          if (chunk !== chunks.at(-1) && of.input === 'history')
            expect(calls).toBeGreaterThanOrEqual(Math.min(leastCalls(of), MOST_CALLS - 48));
        }
      }),
    );
  });

  test('are covered by the fewest spans, none of which is longer than one may be', () => {
    fc.assert(
      fc.property(windows, terms, (given, of) => {
        for (const { windows: held } of cutChunks(given, 'batch', of, 0)) {
          const spans = spansOf(held, of.hoursPerSpan);
          const wanted = instants(daysOfChunk(held));
          for (const [index, { entityId, from, to }] of spans.entries()) {
            const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
            expect((toMs - fromMs) / HOUR_MS).toBeLessThanOrEqual(of.hoursPerSpan);
            // Each begins with a window that the one before could not reach: no fewer would do.
            expect(wanted).toContain(`${entityId}/${fromMs}`);
            const before = spans[index - 1];
            if (before?.entityId === entityId)
              expect(fromMs - Date.parse(before.from)).toBeGreaterThanOrEqual(of.hoursPerSpan * HOUR_MS);
            for (let ms = fromMs; ms < toMs; ms += HOUR_MS) wanted.delete(`${entityId}/${ms}`);
          }
          expect(wanted.size).toBe(0);
        }
      }),
    );
  });

  test('take four weeks of sixty locations in spans of a week, each as large as half a minute asks for', () => {
    const chunks = cutChunks(full, 'batch', ofHistory, 0);
    expect(chunks.map(({ calls }) => calls)).toEqual(Array.from({ length: 12 }, () => 20));
    expect(chunks[0]?.windows).toMatchObject({ firstDay: '2024-02-20', entities: { length: 20 } });
    expect(
      cutChunks(full, 'batch', { ...ofHistory, callsPerMinute: 300 }, 0).map(({ calls }) => calls),
    ).toEqual([150, 90]);
  });

  test('span days without windows rather than become small', () => {
    const sparse = full.filter(({ entityId, day }) => entityId === 1 && day.endsWith('1'));
    const chunks = cutChunks(sparse, 'stream', ofHistory, 0);
    expect(chunks).toHaveLength(1);
    expect(daysOfChunk(chunks[0]!.windows)).toEqual(sparse);
    expect(chunks[0]?.key).toMatch(/^stream-2024\d{4}-[0-9a-f]{12}$/);
  });

  test('of thousands of locations stay small enough for a payload, whatever the budget', () => {
    const many = Array.from({ length: 3_000 }, (_, index) => ({
      entityId: 9_000_000_000_000_000 + index,
      day: dayOf(FIRST_DAY),
      hours: ALL_HOURS,
    }));
    const apart = many.map((window, index) => ({ ...window, day: dayOf(FIRST_DAY + 40 * (index % 50)) }));
    for (const given of [many, apart])
      for (const { windows, calls } of cutChunks(
        given,
        'batch',
        { ...ofHistory, callsPerMinute: 30_000 },
        0,
      )) {
        expect(JSON.stringify(windows).length).toBeLessThanOrEqual(MOST_BYTES);
        expect(calls).toBeLessThanOrEqual(MOST_CALLS);
      }
  });

  test('there are none without windows', () => {
    expect(cutChunks([], 'batch', ofHistory, 0)).toEqual([]);
    expect(cutChunks([{ entityId: 1, day: '2024-02-20', hours: 0 }], 'batch', ofHistory, 0)).toEqual([]);
  });
});
