import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test, vi } from 'vitest';
import { HourglassError } from '../domain/errors.ts';
import { weather } from '../pipelines/weather/definition.ts';
import type { HistoryAnswer, PipelineHistory } from '../schemas/pipeline.ts';
import {
  BACKFILL,
  createdAt,
  type FakeLedgerOptions,
  fakeBackfillLedger,
} from '../tests/support/fake-backfill-ledger.ts';
import { fakeCallBudget } from '../tests/support/fake-call-budget.ts';
import { createBackfillFetchActivities, type FetchedChunk } from './backfill-fetch.ts';

const paused: number[] = [];
// The pauses themselves are not waited for.
vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number) => {
    paused.push(ms);
  },
}));

const now = new Date('2026-03-01T12:00:00Z');
const HOUR_MS = 3_600_000;
const ALL_DAY = 2 ** 24 - 1;

type Answer = HistoryAnswer | Error;
type Asked = readonly [id: number, from: string, to: string];

/** One record each half hour of the range, whatever is asked. */
function halfHours(from: Date, to: Date): HistoryAnswer {
  const records = [];
  for (let ms = from.getTime(); ms < to.getTime(); ms += HOUR_MS / 2)
    records.push({ body: new Date(ms).toISOString(), observedAt: new Date(ms) });
  return { kind: 'records', records };
}

interface WorldOptions extends FakeLedgerOptions {
  /** What the source says of a place, the how many-eth time it is asked for it; all of its half hours when left out. */
  readonly answer?: (id: number, time: number) => Answer | undefined;
  readonly spanHours?: number;
  readonly isWithoutHistory?: boolean;
}

function worldOf({ answer = () => undefined, spanHours = 48, isWithoutHistory, ...options }: WorldOptions) {
  paused.length = 0;
  const ledger = fakeBackfillLedger(options);
  const budget = fakeCallBudget();
  const asked: Asked[] = [];
  const history: PipelineHistory = {
    ...{ longestSpanMs: spanHours * HOUR_MS, horizonMs: undefined, callsPerSpan: 2 },
    async fetch({ entityId }, from, to, { signal }) {
      signal.throwIfAborted();
      const time = asked.push([entityId, from.toISOString(), to.toISOString()]);
      const answered =
        answer(entityId, asked.filter(([id]) => id === entityId).length) ?? halfHours(from, to);
      await Promise.resolve(time);
      if (answered instanceof Error) throw answered;
      return answered;
    },
  };
  const poll = () => Promise.reject(new Error('polled'));
  const { fetchChunk } = createBackfillFetchActivities({
    ...{ database: ledger.database, kafka: ledger.kafka, pipelines: { weather }, now: () => now },
    sources: { weather: isWithoutHistory ? { poll } : { poll, history } },
    ...{
      sourceName: 'mock',
      budgets: { weather: budget },
      concurrency: 4,
      logger: { warn: () => undefined },
    },
  });
  const beats: unknown[] = [];
  const environmentOf = (heartbeatDetails?: unknown) => {
    const made = new MockActivityEnvironment({ heartbeatDetails }, { logger: new DefaultLogger('ERROR') });
    made.on('heartbeat', (details) => beats.push(details));
    return made;
  };
  return {
    ...{ ...ledger, budget, asked, beats },
    environmentOf,
    run: (heartbeatDetails?: unknown, environment = environmentOf(heartbeatDetails)) =>
      environment.run(fetchChunk, { backfillId: BACKFILL, key: 'c' }) as Promise<FetchedChunk>,
  };
}

const day = (hours: Readonly<Record<number, readonly number[]>>, path: 'stream' | 'batch' = 'batch') => ({
  ...{ key: 'c', path, firstDay: '2026-01-01', hours },
});
const failed = (reason: string, retryable: boolean): HistoryAnswer => ({ kind: 'failed', reason, retryable });
const many = (count: number) =>
  day(Object.fromEntries(Array.from({ length: count }, (_, index) => [index + 1, [0b1]])));

describe('a chunk', () => {
  test('publishes the records of its hours and no others, with where they come from', async () => {
    const world = worldOf({ chunks: [day({ 7: [0b101] })] });
    const offsets = [{ partition: 0, first: 100, end: 104 }];
    expect(await world.run()).toEqual({ records: 4, failures: 0, offsets });
    expect(world.asked).toEqual([[7, '2026-01-01T00:00:00.000Z', '2026-01-01T03:00:00.000Z']]);
    expect(world.history().map(({ value }) => value)).toEqual(
      ['00:00', '00:30', '02:00', '02:30'].map((time) => `2026-01-01T${time}:00.000Z`),
    );
    expect(world.history()[0]).toMatchObject({
      key: '7',
      headers: {
        ...{ source: 'mock', pipeline: 'weather', backfill: BACKFILL, chunk: 'c', revision: '0' },
        fetched_at: now.toISOString(),
      },
    });
    expect(world.chunk('c')).toMatchObject({ status: 'published', attempts: 1, records: 4, offsets });
  });

  test('of hours that the stream owns goes to the topic of repairs', async () => {
    const world = worldOf({ chunks: [day({ 7: [0b1] }, 'stream')] });
    await world.run();
    expect(world.repairs()).toHaveLength(2);
    expect(world.history()).toEqual([]);
  });

  test('that loads complete hours anew has the time of its plan as revision, but not where the stream reads', async () => {
    for (const [path, revision] of [
      ['batch', String(Math.floor(createdAt.getTime() / 1_000))],
      ['stream', '0'],
    ] as const) {
      const world = worldOf({ request: { reprocess: 'all' }, chunks: [day({ 7: [0b1] }, path)] });
      await world.run();
      const [record] = [...world.repairs(), ...world.history()];
      expect(record?.headers['revision']).toBe(revision);
    }
  });

  test('is asked for in spans that are as long as the source allows, each within the budget of its purpose', async () => {
    const world = worldOf({
      ...{ request: { purpose: 'repair' }, spanHours: 24 },
      chunks: [day({ 7: [ALL_DAY, ALL_DAY], 8: [0b1, 0b1] })],
    });
    await world.run();
    expect(world.asked.map(([id, from]) => `${id} ${from.slice(0, 10)}`).sort()).toEqual([
      ...['7 2026-01-01', '7 2026-01-02', '8 2026-01-01', '8 2026-01-02'],
    ]);
    expect(world.budget.taken).toEqual(Array.from({ length: 8 }, () => 'repair'));
    expect(world.budget.answers()).toBe(4);
    expect(world.history()).toHaveLength(2 * 48 + 2 * 2);
  });

  test('of which the source has nothing is loaded already', async () => {
    const world = worldOf({ chunks: [many(2)], answer: () => ({ kind: 'records', records: [] }) });
    expect(await world.run()).toEqual({ records: 0, failures: 0, offsets: [] });
    expect(world.chunk('c')).toMatchObject({ status: 'loaded', records: 0, offsets: [] });
  });

  test('that was published before is not fetched again', async () => {
    const offsets = [{ partition: 1, first: 5, end: 9 }];
    const known = { records: 4, offsets, failures: [{ entityId: 7, reason: 'no such place' }] };
    for (const status of ['published', 'loaded', 'done', 'failed'] as const) {
      const world = worldOf({ chunks: [{ ...day({ 7: [0b1] }), ...known, status }] });
      expect(await world.run()).toEqual({ records: 4, failures: 1, offsets });
      expect(world.asked).toEqual([]);
      expect(world.chunk('c')).toMatchObject({ status });
    }
  });

  test('that was cancelled before it began publishes nothing', async () => {
    const world = worldOf({ chunks: [{ ...day({ 7: [0b1] }), status: 'cancelled' }] });
    expect(await world.run()).toEqual({ records: 0, failures: 0, offsets: [] });
    expect(world.asked).toEqual([]);
  });

  test('of a source without history is an error that no retry mends', async () => {
    const world = worldOf({ chunks: [many(1)], isWithoutHistory: true });
    await expect(world.run()).rejects.toMatchObject({ code: 'NO_HISTORY', retryable: false });
    expect(world.chunk('c').status).toBeUndefined();
  });

  test('with many records is published in batches that a broker takes', async () => {
    const days = Array.from({ length: 31 }, () => ALL_DAY);
    const body = 'x'.repeat(1_000);
    const world = worldOf({
      ...{ chunks: [day({ 7: days })], spanHours: 31 * 24 },
      answer: () => {
        const answer = halfHours(new Date('2026-01-01T00:00:00Z'), new Date('2026-02-01T00:00:00Z'));
        return answer.kind === 'records'
          ? { ...answer, records: answer.records.map((record) => ({ ...record, body })) }
          : answer;
      },
    });
    expect((await world.run()).records).toBe(31 * 48);
    expect(world.batches.length).toBe(3);
    expect(Math.max(...world.batches)).toBeLessThan(700);
  });
});

describe('a location that cannot be had', () => {
  test('has its reason on record; the others are published', async () => {
    const world = worldOf({
      chunks: [many(4)],
      registered: [1, 2, 3],
      answer: (id) =>
        id === 2
          ? failed('no such place', false)
          : id === 3
            ? { kind: 'rejected', reason: 'no list', body: '{ }' }
            : undefined,
    });
    expect(await world.run()).toMatchObject({ records: 2, failures: 3 });
    expect(world.chunk('c').failures).toEqual([
      { entityId: 4, reason: 'It is not registered any more.' },
      { entityId: 2, reason: 'no such place' },
      { entityId: 3, reason: 'no list' },
    ]);
    expect(world.asked.map(([id]) => id)).toEqual([1, 2, 3]);
    expect(world.refused()).toEqual([
      {
        ...{ key: '3', value: '{ }' },
        headers: {
          ...{ source: 'mock', pipeline: 'weather', backfill: BACKFILL, chunk: 'c', reason: 'no list' },
          fetched_at: now.toISOString(),
        },
      },
    ]);
  });

  test('at the first try is had at a later one, after ever longer pauses', async () => {
    const world = worldOf({
      chunks: [many(2)],
      answer: (id, time) => (id === 2 && time <= 8 ? failed('timeout', true) : undefined),
    });
    expect(await world.run()).toMatchObject({ records: 4, failures: 0 });
    expect(paused).toEqual([500, 1_000, 2_000, 500, 1_000, 5_000, 500, 1_000]);
  });

  test('at any try is given up with what the source said last', async () => {
    const world = worldOf({
      chunks: [many(2)],
      answer: (id, time) => (id === 2 ? failed(`timeout ${time}`, true) : undefined),
    });
    expect(await world.run()).toMatchObject({ records: 2, failures: 1 });
    expect(world.chunk('c').failures).toEqual([{ entityId: 2, reason: 'timeout 12' }]);
  });

  test('for one of its spans keeps what the others brought', async () => {
    const world = worldOf({
      ...{ chunks: [day({ 7: [0b1, 0b1, 0b1] })], spanHours: 24 },
      answer: (_, time) => (time === 2 ? { kind: 'rejected', reason: 'no list', body: '{' } : undefined),
    });
    expect(await world.run()).toMatchObject({ records: 4, failures: 1 });
  });

  test('is every one of them: the chunk still ends', async () => {
    const world = worldOf({ chunks: [many(30)], answer: () => failed('no such place', false) });
    expect(await world.run()).toEqual({ records: 0, failures: 30, offsets: [] });
    expect(world.chunk('c').status).toBe('loaded');
  });
});

describe('a source', () => {
  test('that says its limit is reached is asked again when the budget lets it, however often it says so', async () => {
    const world = worldOf({
      chunks: [many(1)],
      answer: (_, time) =>
        time <= 20 ? { kind: 'limited', reason: 'too many', retryAfterMs: 1_000 * time } : undefined,
    });
    expect(await world.run()).toMatchObject({ records: 2, failures: 0 });
    expect(world.budget.refusals).toHaveLength(20);
    expect(world.budget.refusals[1]).toBe(2_000);
    expect(world.budget.taken).toHaveLength(42);
  });

  test('that refuses the key ends the chunk at once, and nothing counts as published', async () => {
    const refusal = new HourglassError('UNAUTHORIZED', 'the key is refused');
    const world = worldOf({ chunks: [many(60)], answer: (id) => (id === 3 ? refusal : undefined) });
    await expect(world.run()).rejects.toMatchObject({ code: 'SOURCE_REFUSES', cause: refusal });
    expect(world.asked.length).toBeLessThan(15);
    expect(world.history()).toEqual([]);
    expect(world.chunk('c')).toMatchObject({ status: 'fetching' });
  });

  test('that is away is waited for, and nothing fails', async () => {
    let asked = 0;
    const world = worldOf({
      chunks: [many(60)],
      answer: () => {
        asked += 1;
        return asked <= 80 ? failed('timeout', true) : undefined;
      },
    });
    expect(await world.run()).toMatchObject({ records: 120, failures: 0 });
  });

  test.each([1, 3, 30])('that is away for an hour is waited for, also of %i locations', async (count) => {
    let clockMs = 0;
    const elapsed = () => clockMs + paused.reduce((sum, ms) => sum + ms, 0);
    const world = worldOf({
      chunks: [many(count)],
      answer: () => (elapsed() < HOUR_MS ? failed('the source answers with 503', true) : undefined),
    });
    let tries = 1;
    let found: FetchedChunk | undefined;
    while (found === undefined) {
      found = await world.run(world.beats.at(-1)).catch((error: HourglassError) => {
        expect(error).toMatchObject({ code: 'HISTORY_AWAY', retryable: true });
        return undefined;
      });
      // As the workflow's policy of retries has it.
      clockMs += Math.min(60_000, 1_000 * 2 ** tries);
      tries += 1;
    }
    expect(found).toMatchObject({ failures: 0, records: 2 * count });
    expect(tries).toBeGreaterThan(5);
  });

  test('that answers for others, but not for one, has that one failed', async () => {
    const world = worldOf({
      chunks: [many(3)],
      answer: (id) => (id === 2 ? failed('the source answers with 500', true) : undefined),
    });
    expect(await world.run()).toMatchObject({ failures: 1, records: 4 });
  });

  test('that is away for minutes is left to a later try, which need not fetch again what was published', async () => {
    let isAway = false;
    const world = worldOf({
      chunks: [many(60)],
      answer: (id) => {
        isAway ||= id === 26;
        return isAway ? failed('timeout', true) : undefined;
      },
    });
    await expect(world.run()).rejects.toMatchObject({ code: 'HISTORY_AWAY', retryable: true });
    expect(world.beats.at(-1)).toMatchObject({ done: 25, records: 50, failures: [] });
    expect(paused).toContain(60_000);
    expect(new Set(world.asked.map(([id]) => id)).size).toBeLessThan(45);
  });

  test('that throws what may pass is waited for; what lasts is thrown', async () => {
    const refusal = new HourglassError('SOURCE_BUSY', 'busy', { retryable: true });
    const passing = worldOf({ chunks: [many(1)], answer: (_, time) => (time <= 7 ? refusal : undefined) });
    expect(await passing.run()).toMatchObject({ records: 2, failures: 0 });
    const lasting = worldOf({ chunks: [many(1)], answer: () => refusal });
    await expect(lasting.run()).rejects.toBe(refusal);
  });
});

describe('a try', () => {
  test('heartbeats after each wave, and the next one goes on behind the last', async () => {
    const world = worldOf({ chunks: [many(60)] });
    world.onPublish((_, batch) => {
      if (batch === 2) throw new HourglassError('KAFKA', 'Kafka is away', { retryable: true });
    });
    await expect(world.run()).rejects.toThrow('Kafka is away');
    const reached = world.beats.at(-1);
    const offsets = [{ partition: 0, first: 100, end: 150 }];
    expect(reached).toEqual({ done: 25, records: 50, offsets, failures: [] });
    world.onPublish(() => undefined);
    world.asked.length = 0;
    expect(await world.run(reached)).toEqual({
      ...{ records: 120, failures: 0, offsets: [{ partition: 0, first: 100, end: 220 }] },
    });
    expect(Math.min(...world.asked.map(([id]) => id))).toBe(26);
    expect(world.chunk('c')).toMatchObject({ status: 'published', attempts: 2 });
  });

  test('that is cancelled ends as cancelled, and publishes nothing more', async () => {
    const world = worldOf({
      chunks: [many(60)],
      answer: (id) => {
        if (id === 30) environment.cancel('CANCELLED');
        return undefined;
      },
    });
    const environment = world.environmentOf();
    await expect(world.run(undefined, environment)).rejects.toBeInstanceOf(CancelledFailure);
    expect(world.history()).toHaveLength(50);
    expect(world.chunk('c').status).toBe('fetching');
  });

  test('tells its progress while it waits, so that none is forgotten', async () => {
    const { setInterval } = globalThis;
    const faster = vi.spyOn(globalThis, 'setInterval');
    faster.mockImplementation((work, ms = 0) => setInterval(work, ms / 100));
    try {
      const world = worldOf({ chunks: [many(30)] });
      world.onPublish((_, batch) =>
        batch === 2 ? new Promise((resolve) => setTimeout(resolve, 200)) : undefined,
      );
      await world.run();
      expect(world.beats.length).toBeGreaterThan(4);
      expect(world.beats.slice(1, -1).every((beat) => (beat as { done: number }).done === 25)).toBe(true);
    } finally {
      faster.mockRestore();
    }
  });
});
