import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { HourglassError } from '../domain/errors.ts';
import type { PollAnswer } from '../schemas/pipeline.ts';
import type { FaultPoint } from '../tests/support/fake-ingestion.ts';
import {
  before,
  earlier,
  type FakeShard,
  failed,
  now,
  observed,
  type Place,
  rejected,
  shardOf,
} from '../tests/support/fake-shard.ts';
import type { PollSummary } from './ingest-run.ts';

// The pauses before a place is asked again are the poller's own test's.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => undefined }));

const answers = fc.constantFrom<PollAnswer>(
  ...[observed(before), observed(earlier), rejected],
  ...[failed('timeout', true), failed('city not found', false)],
);
const place = fc.record({
  answer: fc.oneof({ weight: 6, arbitrary: answers }, { weight: 1, arbitrary: fc.constant(refusal()) }),
  polledAt: fc.constantFrom(null, before, now),
  recent: fc.subarray([before, earlier]),
});
function refusal(): HourglassError {
  return new HourglassError('UNAUTHORIZED', 'the key is refused');
}

/** What holds of a run that came to its end, however it came there. */
function expectHonest({ ingestion, asked }: FakeShard, places: readonly Place[], summary: PollSummary): void {
  const { due, called, published, unchanged, skipped } = summary;
  expect(due).toBe(places.filter(({ polledAt }) => polledAt !== now).length);
  expect(called + skipped).toBe(due);
  expect(published + unchanged + summary.failed + summary.rejected).toBe(called);
  expect(ingestion.exceptions.size).toBe(summary.failed + summary.rejected + skipped);
  expect(new Set(asked).size).toBe(called);
  const haveNews = places.filter(
    ({ id, answer, recent = [] }) =>
      asked.includes(id) &&
      !(answer instanceof Error) &&
      answer.kind === 'observation' &&
      !recent.includes(answer.observedAt),
  );
  expect([...new Set(ingestion.keys())].sort()).toEqual(haveNews.map(({ id }) => id).sort());
  expect(published).toBe(haveNews.length);
}

test('whatever the places answer, each due one has one outcome and the counts are those of the record', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(place, { maxLength: 30 }), async (given) => {
      const places = given.map((one, index) => ({ id: index + 1, ...one }));
      const shard = shardOf(places);
      const summary = await shard.run();
      expectHonest(shard, places, summary);
      expect(summary.apiCalls).toBe(shard.asked.length);
      expect(shard.ingestion.published).toHaveLength(summary.published);
      expect(shard.ingestion.refused).toHaveLength(summary.rejected);
    }),
    { numRuns: 100 },
  );
});

test('wherever a run breaks off, its retry ends it: nothing is lost, counted twice or, once recorded, published again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ polledAt: fc.constantFrom(null, before, now), recent: fc.subarray([before]) }), {
        ...{ minLength: 150, maxLength: 400 },
      }),
      fc.integer({ min: 1, max: 13 }),
      fc.constantFrom<FaultPoint>('before', 'after'),
      async (given, step, point) => {
        const kinds = [observed(before), rejected, observed(earlier), failed('city not found', false)];
        const places = given.map((one, index) => ({
          ...{ id: index + 1, ...one, answer: kinds[index % kinds.length] as PollAnswer },
        }));
        const shard = shardOf(places);
        shard.ingestion.breakAt(step, point);
        const first = await shard.run().catch(() => undefined);
        const recorded = recordedPlaces(shard, places);
        const [publishedFirst, askedFirst] = [shard.ingestion.published.length, shard.asked.length];
        const summary = first ?? (await shard.run());
        expectHonest(shard, places, summary);
        expect(summary.error).toBeNull();
        expect(shard.ingestion.run.status).toBe('completed');
        const again = [...shard.ingestion.keys().slice(publishedFirst), ...shard.asked.slice(askedFirst)];
        expect(again.filter((id) => recorded.has(id))).toEqual([]);
        // One batch at most was published and not recorded.
        expect(shard.ingestion.published.length - summary.published).toBeLessThanOrEqual(100);
      },
    ),
    { numRuns: 60 },
  );
});

/** Those of which the run has written down what became of them. */
function recordedPlaces({ ingestion }: FakeShard, places: readonly Place[]): Set<number> {
  const { polls, exceptions } = ingestion;
  const isDone = ({ id, polledAt }: Place): boolean =>
    exceptions.has(id) || (polledAt !== now && polls.get(id)?.polledAt === now);
  return new Set(places.filter(isDone).map(({ id }) => id));
}
