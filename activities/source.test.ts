import { describe, expect, test, vi } from 'vitest';
import { HourglassError } from '../domain/errors.ts';
import { weather } from '../pipelines/weather/definition.ts';
import {
  before,
  earlier,
  failed,
  many,
  now,
  observed,
  rejected,
  shardOf,
} from '../tests/support/fake-shard.ts';
import type { PollSummary } from './ingest-run.ts';

// The pauses before a place is asked again are the poller's own test's.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => undefined }));

const none: PollSummary = {
  ...{ due: 0, called: 0, published: 0, unchanged: 0, failed: 0, rejected: 0, skipped: 0, apiCalls: 0 },
  ...{ error: null, failuresBefore: 0 },
};

describe('polling a shard', () => {
  test('publishes what a place answered, unchanged, under its id and with where it came from', async () => {
    const { run, ingestion } = shardOf([{ id: 42, answer: observed(before, '{ "id" : 42 }') }]);
    expect(await run()).toEqual({ ...none, due: 1, called: 1, published: 1, apiCalls: 1 });
    expect(ingestion.published).toEqual([
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

  test('a place that fails does not fail the run, and each has its exception with the reason', async () => {
    const { run, ingestion, warned } = shardOf([
      { id: 1, answer: failed('timeout', true) },
      { id: 2, answer: rejected },
      { id: 3, answer: observed(before) },
      { id: 4, answer: failed('city not found', false) },
      { id: 5, answer: { kind: 'limited', reason: 'too many calls', retryAfterMs: undefined } },
    ]);
    expect(await run()).toEqual({
      ...{ ...none, due: 5, called: 5, published: 1, failed: 3, rejected: 1, apiCalls: 3 + 1 + 1 + 1 + 5 },
    });
    expect([...ingestion.exceptions].sort()).toEqual([
      [1, ['failed', 'timeout']],
      [2, ['rejected', 'no dt']],
      [4, ['failed', 'city not found']],
      [5, ['failed', 'too many calls']],
    ]);
    expect(warned).toHaveLength(4);
    expect(warned).toContainEqual({ entityId: 4, outcome: 'failed', reason: 'city not found' });
  });

  test('a place that may be had soon stays due, one that is unknown or refused waits for its next slot', async () => {
    const { run, ingestion } = shardOf([
      { id: 1, answer: failed('timeout', true), polledAt: before },
      { id: 2, answer: rejected, polledAt: before },
      { id: 3, answer: failed('city not found', false), polledAt: before },
      { id: 4, answer: observed(before), polledAt: before },
    ]);
    await run();
    const polledAt = [1, 2, 3, 4].map((id) => ingestion.polls.get(id)?.polledAt);
    expect(polledAt).toEqual([before, now, now, now]);
  });

  test('an answer that is refused is published as a dead letter, unchanged, with its reason', async () => {
    const { run, ingestion } = shardOf([{ id: 2, answer: rejected }]);
    await run();
    const headers = { source: 'mock', pipeline: 'weather', reason: 'no dt' };
    expect(ingestion.refused).toMatchObject([{ key: '2', value: '{ }', headers }]);
    expect(ingestion.published).toEqual([]);
  });

  test('an observation that was had before, the last time or some time ago, is not published again', async () => {
    const { run, ingestion } = shardOf([
      { id: 1, answer: observed(before), polledAt: before, recent: [before] },
      { id: 2, answer: observed(earlier), polledAt: before, recent: [before, earlier] },
      { id: 3, answer: observed(before), polledAt: before, recent: [earlier] },
      { id: 4, answer: observed(earlier), polledAt: before, recent: [before] },
    ]);
    expect(await run()).toMatchObject({ called: 4, published: 2, unchanged: 2 });
    expect(ingestion.keys().sort()).toEqual([3, 4]);
    expect(ingestion.polls.get(1)?.polledAt).toEqual(now);
  });

  test('a place that was polled in its slot already is not polled', async () => {
    const { run } = shardOf([{ id: 1, answer: new Error('asked'), polledAt: now }]);
    expect(await run()).toEqual(none);
  });

  test('is recorded only after it was published: a crash in between repeats, and never loses', async () => {
    const { run, ingestion } = shardOf([{ id: 1, answer: observed(before) }]);
    await run();
    expect(ingestion.done).toEqual([
      ...['begin-ingest-run', 'locations-of-shard', 'tries-of-ingest-run'],
      `publish to ${weather.topics.live.name}`,
      ...['transaction', 'finish-ingest-run', 'ingest-streak'],
    ]);
    const failing = shardOf([{ id: 1, answer: observed(before) }]);
    failing.ingestion.breakAt(4, 'before');
    await expect(failing.run()).rejects.toThrow('publish to weather.observations.v1 broke');
    expect(failing.ingestion.run).toMatchObject({ status: 'running', counts: new Array(8).fill(0) });
    expect(failing.ingestion.polls.get(1)?.polledAt).toBeNull();
  });

  test('a try that was taken for dead publishes nothing more once another has begun', async () => {
    let answer = (): void => undefined;
    const source = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { run, ingestion } = shardOf(many(30), { hanging: { source } });
    const outdated = expect(run()).rejects.toThrow('Try 1 of the ingestion run weather/mock/0/');
    await vi.waitFor(() => expect(ingestion.done).toContain('locations-of-shard'));
    const retry = run();
    await vi.waitFor(() => expect(ingestion.run.attempts).toBe(2));
    answer();
    await outdated;
    expect(await retry).toMatchObject({ published: 30 });
    expect(ingestion.published).toHaveLength(30);
  });

  test('records the offsets before the first call and after the last record', async () => {
    const { run, ingestion } = shardOf(many(3));
    await run();
    expect(ingestion.askedFor('begin-ingest-run')[0]?.at(-1)).toBe('{"0":0}');
    expect(ingestion.askedFor('finish-ingest-run')[0]?.at(-1)).toBe('{"0":3}');
  });

  test('publishes and records a large shard in parts, so that a crash repeats only one of them', async () => {
    const { run, ingestion } = shardOf(many(250));
    expect(await run()).toEqual({ ...none, due: 250, called: 250, published: 250, apiCalls: 250 });
    const sizes = ingestion.askedFor('record-polls').map(([, , ids]) => (ids as unknown[]).length);
    expect(sizes).toEqual([100, 100, 50]);
    expect(ingestion.keys().sort((a, b) => a - b)).toEqual(many(250).map(({ id }) => id));
  });

  test.each(['source', 'kafka'] as const)(
    'tells that it lives while the %s hangs, so that it is not taken for a dead worker',
    async (who) => {
      const { setInterval } = globalThis;
      const faster = vi.spyOn(globalThis, 'setInterval');
      faster.mockImplementation((work, ms = 0) => setInterval(work, ms / 100));
      try {
        // As long for the run as a minute is.
        const hanging = new Promise<void>((resolve) => setTimeout(resolve, 600));
        const { run, heartbeats } = shardOf(many(3), { hanging: { [who]: hanging } });
        expect(await run()).toMatchObject({ published: 3 });
        expect(heartbeats()).toBeGreaterThanOrEqual(10);
        const atTheEnd = heartbeats();
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(heartbeats()).toBe(atTheEnd);
      } finally {
        faster.mockRestore();
      }
    },
  );

  test('calls within the budget of live polling', async () => {
    const { run, budget } = shardOf(many(3));
    await run();
    expect(budget.taken).toEqual(['live', 'live', 'live']);
  });

  test('a run of another source than the worker calls is an error before anything is done', async () => {
    const { run, ingestion } = shardOf([]);
    await expect(run({ source: 'openweathermap' })).rejects.toThrow(
      'The run is to poll openweathermap, but this worker calls mock: delete the schedule, or configure the worker for its source.',
    );
    expect(ingestion.done).toEqual([]);
  });

  test('an unknown pipeline is an error before anything is done', async () => {
    const { run, ingestion } = shardOf([]);
    await expect(run({ pipeline: 'traffic' })).rejects.toThrow(
      'There is no pipeline "traffic"; there are: weather.',
    );
    expect(ingestion.done).toEqual([]);
  });

  test('tells how many runs failed before it', async () => {
    expect(await shardOf(many(1), { failuresBefore: 4 }).run()).toMatchObject({ failuresBefore: 4 });
  });
});

describe('a run that ends early', () => {
  test('because the source refuses everybody says why; what was answered before is published', async () => {
    const places = many(30);
    places[9] = { id: 10, answer: new HourglassError('UNAUTHORIZED', 'the key is refused') };
    const { run, ingestion, asked } = shardOf(places);
    const summary = await run();
    expect(summary).toMatchObject({ due: 30, failed: 1, error: 'the key is refused' });
    expect(summary.published).toBe(asked.length - 1);
    expect(summary.skipped).toBe(30 - asked.length);
    expect(ingestion.keys()).toEqual(expect.arrayContaining([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    expect(ingestion.exceptions.get(30)).toEqual(['skipped', 'the key is refused']);
    expect([...ingestion.polls].filter(([, { polledAt }]) => polledAt !== null)).toHaveLength(
      summary.published,
    );
  });

  test('because no call is left says until when', async () => {
    const { run, ingestion } = shardOf(many(30), { calls: 20 });
    const summary = await run();
    expect(summary).toMatchObject({ due: 30, called: 20, published: 20, skipped: 10, apiCalls: 20 });
    expect(summary.error).toContain('the next can be made at 2026-02-01T00:00:00.000Z');
    expect(ingestion.run).toMatchObject({ status: 'failed', error: summary.error });
  });
});
