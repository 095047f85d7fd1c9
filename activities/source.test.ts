import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutgoingRecord } from '../clients/kafka.ts';
import { weather } from '../pipelines/weather/definition.ts';
import type { PipelineSource, PollAnswer } from '../schemas/pipeline.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { createSourceActivities, type PollShardInput, type PollSummary } from './source.ts';

const now = new Date('2026-01-01T12:30:00Z');
const before = new Date('2026-01-01T12:00:00Z');
const earlier = new Date('2026-01-01T11:50:00Z');

interface Place {
  readonly id: number;
  readonly answer: PollAnswer | Error;
  readonly polledAt?: Date;
  readonly observedAt?: Date;
}

const observed = (at: Date, body = '{}'): PollAnswer => ({ kind: 'observation', body, observedAt: at });

/** A shard of the registry with these places, a Kafka that keeps what is published, and the order of all that is done. */
function shardOf(places: readonly Place[], kafkaFails = false) {
  const done: string[] = [];
  const published: OutgoingRecord[] = [];
  const refused: OutgoingRecord[] = [];
  const database = fakeDatabase({
    'locations-of-shard': places.map(({ id, polledAt = null, observedAt = null }) => ({
      ...{ entity_id: id, name: `Place ${id}`, cadence_minutes: 10 },
      ...{ polled_at: polledAt, observed_at: observedAt },
    })),
  });
  const query = database.query;
  const recording = {
    ...database,
    query: (name: string, parameters?: readonly unknown[]) => {
      done.push(name);
      return query(name, parameters);
    },
  } as typeof database;
  const source: PipelineSource = {
    async poll({ entityId }) {
      const answer = places.find(({ id }) => id === entityId)?.answer;
      if (answer instanceof Error || answer === undefined) throw answer;
      return answer;
    },
  };
  const warned: object[] = [];
  const { pollShard } = createSourceActivities({
    database: recording,
    kafka: {
      async publish(topic: string, records: readonly OutgoingRecord[]) {
        if (records.length === 0) return;
        done.push(`publish to ${topic}`);
        if (kafkaFails) throw new Error('Kafka is away');
        (topic === weather.topics.deadLetters.name ? refused : published).push(...records);
      },
    } as unknown as Parameters<typeof createSourceActivities>[0]['kafka'],
    pipelines: { weather },
    sources: { weather: source },
    now: () => now,
    logger: { warn: (details) => warned.push(details) },
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  let heartbeats = 0;
  environment.on('heartbeat', () => {
    heartbeats += 1;
  });
  const input = { pipeline: 'weather', source: 'mock', shard: 0, shards: 1, scheduledAt: now.toISOString() };
  return {
    run: (change: Partial<typeof input> = {}) =>
      environment.run<[PollShardInput], PollSummary, typeof pollShard>(pollShard, { ...input, ...change }),
    ...{ database, published, refused, done, warned, heartbeats: () => heartbeats },
  };
}

const none = { due: 0, called: 0, published: 0, unchanged: 0, failed: 0, rejected: 0 };

describe('polling a shard', () => {
  test('publishes what a place answered, unchanged, under its id and with where it came from', async () => {
    const shard = shardOf([{ id: 42, answer: observed(before, '{ "id" : 42 }') }]);
    expect(await shard.run()).toEqual({ ...none, due: 1, called: 1, published: 1 });
    expect(shard.published).toEqual([
      {
        key: '42',
        value: '{ "id" : 42 }',
        headers: {
          ...{ source: 'mock', pipeline: 'weather', scheduled_at: now.toISOString() },
          fetched_at: now.toISOString(),
        },
      },
    ]);
  });

  test('a place that fails does not fail the run, and stays due for the next', async () => {
    const shard = shardOf([
      { id: 1, answer: { kind: 'failed', reason: 'timeout' } },
      { id: 2, answer: { kind: 'rejected', reason: 'no dt', body: '{}' } },
      { id: 3, answer: observed(before) },
    ]);
    expect(await shard.run()).toEqual({
      due: 3,
      called: 3,
      published: 1,
      unchanged: 0,
      failed: 1,
      rejected: 1,
    });
    expect(shard.database.askedFor('record-polls')).toEqual([['weather', 'mock', [3], [now], [before]]]);
    expect(shard.warned).toEqual([
      { entityId: 1, outcome: 'failed', reason: 'timeout' },
      { entityId: 2, outcome: 'rejected', reason: 'no dt' },
    ]);
  });

  test('an answer that is refused is published as a dead letter, unchanged, with its reason', async () => {
    const shard = shardOf([{ id: 2, answer: { kind: 'rejected', reason: 'no dt', body: '{ }' } }]);
    await shard.run();
    const headers = { source: 'mock', pipeline: 'weather', reason: 'no dt' };
    expect(shard.refused).toMatchObject([{ key: '2', value: '{ }', headers }]);
    expect(shard.published).toEqual([]);
  });

  test('an observation that was had before is not published again, but the place has been polled', async () => {
    const shard = shardOf([
      { id: 1, answer: observed(before), polledAt: before, observedAt: before },
      { id: 2, answer: observed(before), polledAt: before, observedAt: earlier },
    ]);
    expect(await shard.run()).toEqual({ ...none, due: 2, called: 2, published: 1, unchanged: 1 });
    expect(shard.published.map(({ key }) => key)).toEqual(['2']);
    expect(shard.database.askedFor('record-polls')[0]?.[2]).toEqual([1, 2]);
  });

  test('a place that was polled in its slot already is not polled', async () => {
    const shard = shardOf([{ id: 1, answer: new Error('asked'), polledAt: now, observedAt: before }]);
    expect(await shard.run()).toEqual(none);
  });

  test('is recorded only after it was published: a crash in between repeats, and never loses', async () => {
    const shard = shardOf([{ id: 1, answer: observed(before) }]);
    await shard.run();
    expect(shard.done).toEqual([
      'begin-ingest-run',
      'locations-of-shard',
      `publish to ${weather.topics.live.name}`,
      'record-polls',
      'finish-ingest-run',
    ]);
    const failing = shardOf([{ id: 1, answer: observed(before) }], true);
    await expect(failing.run()).rejects.toThrow('Kafka is away');
    expect(failing.done).not.toContain('record-polls');
    expect(failing.database.askedFor('finish-ingest-run')[0]?.slice(4, 8)).toEqual([null, 1, 0, 0]);
  });

  test('ends when the source refuses everybody, but what it answered before is published and recorded', async () => {
    const places: Place[] = Array.from({ length: 30 }, (_, index) => ({
      id: index + 1,
      answer: observed(before),
    }));
    places[9] = { id: 10, answer: new Error('the limit is reached') };
    const shard = shardOf(places);
    await expect(shard.run()).rejects.toThrow('the limit is reached');
    const keys = shard.published.map(({ key }) => Number(key));
    expect(keys).toEqual(expect.arrayContaining([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    expect(keys.length).toBeLessThan(29);
    expect(shard.database.askedFor('record-polls')[0]?.[2]).toEqual(keys);
    expect(shard.database.askedFor('finish-ingest-run')[0]?.slice(4, 8)).toEqual([
      null,
      30,
      keys.length,
      keys.length,
    ]);
  });

  test('tells that it lives with every call, so that a source that hangs is not taken for a dead worker', async () => {
    const places = Array.from({ length: 30 }, (_, index) => ({ id: index + 1, answer: observed(before) }));
    const shard = shardOf(places);
    await shard.run();
    expect(shard.heartbeats()).toBeGreaterThanOrEqual(30);
  });

  test('publishes and records a large shard in parts, so that a crash repeats only one of them', async () => {
    const places = Array.from({ length: 250 }, (_, index) => ({ id: index + 1, answer: observed(before) }));
    const shard = shardOf(places);
    expect(await shard.run()).toEqual({ ...none, due: 250, called: 250, published: 250 });
    expect(
      shard.database.askedFor('record-polls').map((parameters) => (parameters[2] as unknown[]).length),
    ).toEqual([100, 100, 50]);
    const keys = shard.published.map(({ key }) => Number(key)).sort((a, b) => a - b);
    expect(keys).toEqual(places.map(({ id }) => id));
  });

  test('an unknown pipeline is an error before anything is done', async () => {
    const shard = shardOf([]);
    await expect(shard.run({ pipeline: 'traffic' })).rejects.toThrow(
      'There is no pipeline "traffic"; there are: weather.',
    );
    expect(shard.done).toEqual([]);
  });
});

test('whatever the places answer, the counts add up to those that were due, and are what is recorded', async () => {
  const answers = fc.oneof(
    fc.constantFrom<PollAnswer>(observed(before), observed(earlier)),
    fc.constant<PollAnswer>({ kind: 'failed', reason: 'r' }),
    fc.constant<PollAnswer>({ kind: 'rejected', reason: 'r', body: '' }),
  );
  const times = fc.constantFrom(before, now);
  const place = fc.record({ answer: answers, polledAt: times, observedAt: fc.constantFrom(before, earlier) });
  await fc.assert(
    fc.asyncProperty(fc.array(place, { maxLength: 30 }), async (places) => {
      const shard = shardOf(places.map((one, index) => ({ id: index + 1, ...one })));
      const { due, called, published, unchanged, failed, rejected } = await shard.run();
      expect(due).toBe(places.filter(({ polledAt }) => polledAt === before).length);
      expect(published + unchanged + failed + rejected).toBe(due);
      expect(shard.published).toHaveLength(published);
      expect(shard.refused).toHaveLength(rejected);
      expect(shard.database.askedFor('finish-ingest-run')[0]?.slice(5)).toEqual([
        due,
        called,
        published,
        unchanged,
        failed,
        rejected,
      ]);
    }),
    { numRuns: 50 },
  );
});
