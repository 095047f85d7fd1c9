import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchPolicySchema } from '../schemas/batch-job.ts';
import {
  advance,
  BATCH_EVENTS,
  BATCH_PHASES,
  type BatchEvent,
  type BatchRun,
  batchPhases,
  batchTransitions,
  eventOf,
  isNews,
  newRun,
  pauseMs,
  progressText,
  UNKNOWN,
} from './batch-job.ts';
import { batchJobId } from './identities.ts';

const events = fc.array(fc.constantFrom(...BATCH_EVENTS), { maxLength: 60 });
const policy = batchPolicySchema.parse({});
const begun = (run: BatchRun, happened: readonly BatchEvent[]): BatchRun =>
  happened.reduce((now, event) => advance(now, event, 'why'), run);

describe('a run of a batch job', () => {
  test('every phase answers every event', () => {
    for (const phase of BATCH_PHASES)
      for (const event of BATCH_EVENTS) expect(BATCH_PHASES).toContain(batchTransitions[phase][event]);
  });

  test('a run that has ended stays as it is', () => {
    fc.assert(
      fc.property(events, events, (before, after) => {
        const run = begun(newRun, before);
        if (batchPhases[run.phase].terminal) expect(begun(run, after)).toEqual(run);
      }),
    );
    expect(BATCH_PHASES.filter((phase) => batchPhases[phase].terminal)).toEqual([
      'finished',
      'failed',
      'cancelled',
    ]);
  });

  test('every phase that is no end leads to each of the ends', () => {
    const reached = (from: BatchRun['phase'], seen = new Set([from])): Set<string> => {
      for (const next of Object.values(batchTransitions[from]))
        if (!seen.has(next)) reached(next, seen.add(next));
      return seen;
    };
    for (const phase of ['judging', 'submitting', 'running', 'waiting'] as const)
      expect([...reached(phase)]).toEqual(expect.arrayContaining(['finished', 'failed', 'cancelled']));
  });

  test('a cancelled run submits nothing any more', () => {
    fc.assert(
      fc.property(events, (after) => {
        for (const phase of ['judging', 'submitting', 'running', 'waiting'] as const) {
          const cancelled = advance({ phase, attempt: 2, reason: '' }, 'cancelAsked');
          expect(['cancelling', 'cancelled']).toContain(begun(cancelled, after).phase);
        }
      }),
    );
  });

  test('one that is refused has made no attempt, and one that is cancelled before it has no job to end', () => {
    expect(advance(newRun, 'gaveUp', 'why')).toEqual({ phase: 'failed', attempt: 0, reason: 'why' });
    expect(advance(newRun, 'cancelAsked')).toEqual({ phase: 'cancelled', attempt: 0, reason: '' });
  });

  test('an attempt is counted when it begins, and the reason of the newest failure is kept', () => {
    const first = advance(newRun, 'accepted');
    expect(first).toEqual({ phase: 'submitting', attempt: 1, reason: '' });
    const lost = advance(advance(first, 'submitted'), 'lost', 'the disk is full');
    expect(lost).toEqual({ phase: 'waiting', attempt: 1, reason: 'the disk is full' });
    const again = advance(lost, 'retried');
    expect(again).toEqual({ phase: 'submitting', attempt: 2, reason: 'the disk is full' });
    expect(advance(again, 'refused', 'no slot')).toMatchObject({ attempt: 2, reason: 'no slot' });
  });

  test('there are never more attempts than the policy has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.infiniteStream(fc.boolean()), (attempts, refusals) => {
        let run = advance(newRun, 'accepted');
        let submissions = 0;
        while (!batchPhases[run.phase].terminal) {
          submissions += 1;
          const isRefused = refusals.next().value === true;
          run = begun(run, isRefused ? ['refused'] : ['submitted', 'lost']);
          run = advance(run, pauseMs(run, { ...policy, attempts }) === undefined ? 'gaveUp' : 'retried');
        }
        expect([run.phase, run.attempt, submissions]).toEqual(['failed', attempts, attempts]);
      }),
    );
  });

  test('pauses grow, and together outlast a database that is away for two minutes', () => {
    const pauses = [1, 2, 3, 4, 5].map((attempt) => pauseMs({ attempt }, policy));
    expect(pauses).toEqual([10_000, 20_000, 40_000, 80_000, undefined]);
  });
});

describe('a look at the Flink job', () => {
  test.each([
    ['FINISHED', 'finished'],
    ['FAILED', 'lost'],
    ['CANCELED', 'lost'],
    [UNKNOWN, 'lost'],
    ['INITIALIZING', undefined],
    ['CREATED', undefined],
    ['RUNNING', undefined],
    ['FAILING', undefined],
    ['CANCELLING', undefined],
    ['RESTARTING', undefined],
    ['SUSPENDED', undefined],
    ['RECONCILING', undefined],
  ])('that shows %s means %s', (state, event) => {
    expect(eventOf({ state })).toBe(event);
  });

  test('is news when the state or the parts have changed; more records alone are not', () => {
    const seen = { state: 'RUNNING', parts: 2, finishedParts: 0, recordsWritten: 5 };
    expect(isNews(undefined, seen)).toBe(true);
    expect(isNews(seen, { ...seen, recordsWritten: 9 })).toBe(false);
    expect(isNews(seen, { ...seen, state: 'FINISHED' })).toBe(true);
    expect(isNews(seen, { ...seen, finishedParts: 1 })).toBe(true);
    expect(isNews(seen, { ...seen, parts: 3 })).toBe(true);
  });

  test('is told in one line', () => {
    const seen = { state: 'RUNNING', finishedParts: 2 };
    expect(progressText(seen)).toBe('Flink says RUNNING, parts finished: 2 (more to come)');
    expect(progressText({ ...seen, parts: 3, recordsWritten: 1_234 })).toBe(
      'Flink says RUNNING, parts finished: 2 (of 3), 1234 records written',
    );
  });
});

test('a run is named by what it loads, in whatever order its parameters are given', () => {
  const [from, to] = ['2026-01-31T00:00:00Z', '2026-02-01T00:00:00Z'];
  const id = `batch-job/recompute-hours/from=${from},to=${to}`;
  expect(batchJobId('recompute-hours', { from, to })).toBe(id);
  expect(batchJobId('recompute-hours', { to, from })).toBe(id);
  expect(batchJobId('rebuild', {})).toBe('batch-job/rebuild');
});
