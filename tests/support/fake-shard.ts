/** One shard of a registry in memory with a scripted source, and the activity that polls it. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { PollSummary } from '../../activities/ingest-run.ts';
import { createSourceActivities, type PollShardInput } from '../../activities/source.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { PollAnswer } from '../../schemas/pipeline.ts';
import { fakeCallBudget } from './fake-call-budget.ts';
import { type FakePlace, fakeIngestion } from './fake-ingestion.ts';

export const now = new Date('2026-01-01T12:30:00Z');
export const before = new Date('2026-01-01T12:00:00Z');
export const earlier = new Date('2026-01-01T11:50:00Z');

export interface Place extends FakePlace {
  readonly answer: PollAnswer | Error;
}

export const observed = (at: Date, body = '{}'): PollAnswer => ({
  kind: 'observation',
  body,
  observedAt: at,
});
export const failed = (reason: string, retryable: boolean): PollAnswer => ({
  kind: 'failed',
  reason,
  retryable,
});
export const rejected: PollAnswer = { kind: 'rejected', reason: 'no dt', body: '{ }' };
export const many = (count: number): Place[] =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1, answer: observed(before) }));

interface ShardOptions {
  readonly calls?: number;
  readonly failuresBefore?: number;
  /** What each answer of the source, and of Kafka, waits for. */
  readonly hanging?: Partial<Record<'source' | 'kafka', Promise<void>>>;
}

/** A shard of the registry with these places, and the run that polls it. */
export function shardOf(places: readonly Place[], options: ShardOptions = {}) {
  const { calls = Number.POSITIVE_INFINITY, failuresBefore = 0, hanging = {} } = options;
  const ingestion = fakeIngestion(places, { failuresBefore });
  const warned: object[] = [];
  const asked: number[] = [];
  const budget = fakeCallBudget(calls);
  const { pollShard } = createSourceActivities({
    database: ingestion.database,
    kafka: {
      ...ingestion.kafka,
      watermarks: async (topic) => {
        await hanging.kafka;
        return ingestion.kafka.watermarks(topic);
      },
    },
    pipelines: { weather },
    sources: {
      weather: {
        async poll({ entityId }) {
          asked.push(entityId);
          await hanging.source;
          const answer = places.find(({ id }) => id === entityId)?.answer;
          if (answer instanceof Error || answer === undefined) throw answer;
          return answer;
        },
      },
    },
    ...{ sourceName: 'mock', budgets: { weather: budget }, concurrency: 8, spreadMs: 0, now: () => now },
    logger: { warn: (details) => warned.push(details) },
  });
  const environment = new MockActivityEnvironment(
    { scheduledTimestampMs: now.getTime() },
    { logger: new DefaultLogger('ERROR') },
  );
  let heartbeats = 0;
  environment.on('heartbeat', () => {
    heartbeats += 1;
  });
  const input = { pipeline: 'weather', source: 'mock', shard: 0, shards: 1, scheduledAt: now.toISOString() };
  return {
    ...{ ingestion, asked, warned, budget, heartbeats: () => heartbeats },
    run: (change: Partial<typeof input> = {}) =>
      environment.run<[PollShardInput], PollSummary, typeof pollShard>(pollShard, { ...input, ...change }),
  };
}

export type FakeShard = ReturnType<typeof shardOf>;
