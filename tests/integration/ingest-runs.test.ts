import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PollSummary, streakBefore } from '../../activities/ingest-run.ts';
import { createIngestionTroubleActivities } from '../../activities/ingestion-trouble.ts';
import { createSourceActivities } from '../../activities/source.ts';
import { type CallBudget, createCallBudget } from '../../clients/call-budget.ts';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import { postgresAddress } from '../../config/addresses.ts';
import type { CallPurpose } from '../../domain/call-budget.ts';
import { HourglassError } from '../../domain/errors.ts';
import type { PollAnswer } from '../../schemas/pipeline.ts';
import { eventually } from '../support/eventually.ts';
import { fakeCallBudget } from '../support/fake-call-budget.ts';
import { createIsolatedPipeline, type IsolatedPipeline } from '../support/isolated-pipeline.ts';
import { config } from '../support/shared-stack.ts';
import { weatherTables } from '../support/weather-tables.ts';

/** Runs of ingestion on the real tables and topics; the source is a script. */
let pipeline: IsolatedPipeline;
beforeAll(async () => {
  pipeline = await createIsolatedPipeline('ingest-runs');
  // A partition has its leader a moment before that one knows it.
  for (const { name } of Object.values(pipeline.topics))
    await eventually(
      `${name} tells its offsets`,
      () => pipeline.kafka.watermarks(name),
      () => true,
    );
});
afterAll(() => pipeline?.close());

const start = new Date('2026-01-01T12:00:00Z');
const minutes = (count: number): Date => new Date(start.getTime() + count * 60_000);

const watch = (shard: number, ids: readonly number[], activeTo: Date | null = null) =>
  pipeline.sql.query(
    `insert into locations (city_id, name, country, lat, lon, timezone, active_from, active_to)
     select id, 'City ' || id, 'NO', 0, 0, 'UTC', '2020-01-01', $2
     from unnest($1::int[]) as id`,
    [ids.map((id) => id * SHARDS + shard), activeTo],
  );
/** Each test has a shard of its own; a city's number within it is `id`. */
const SHARDS = 10;

interface Run {
  readonly shard: number;
  readonly atMinute: number;
  readonly answer: (id: number) => PollAnswer | Error;
  readonly database?: Database;
  readonly budget?: CallBudget;
}

function poll({ shard, atMinute, answer, database = pipeline.database, budget = fakeCallBudget() }: Run) {
  const { pollShard } = createSourceActivities({
    ...{ database, kafka: pipeline.kafka, pipelines: { weather: pipeline.definition } },
    sources: {
      weather: {
        async poll({ entityId }) {
          const answered = answer((entityId - shard) / SHARDS);
          if (answered instanceof Error) throw answered;
          return answered;
        },
      },
    },
    ...{
      sourceName: 'mock',
      budgets: { weather: budget },
      concurrency: 8,
      spreadMs: 0,
      now: () => minutes(atMinute),
    },
    logger: { warn: () => undefined },
  });
  const info = { scheduledTimestampMs: minutes(atMinute).getTime() };
  const environment = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
  const input = { ...key(shard, atMinute), shards: SHARDS };
  return environment.run(pollShard, input) as Promise<PollSummary>;
}

const key = (shard: number, atMinute: number) => ({
  ...{ pipeline: 'weather', source: 'mock', shard, scheduledAt: minutes(atMinute).toISOString() },
});
const observed = (at: Date): PollAnswer => ({ kind: 'observation', body: `{"at":${+at}}`, observedAt: at });

interface RunRow {
  readonly [column: string]: unknown;
  readonly first_offsets: Readonly<Record<string, number>> | null;
  readonly end_offsets: Readonly<Record<string, number>> | null;
}
async function runOf(shard: number, atMinute: number): Promise<RunRow> {
  const [row] = await pipeline.rows<RunRow>(
    `select * from ingest_runs where shard = ${shard} and scheduled_at = '${minutes(atMinute).toISOString()}'`,
  );
  return row as RunRow;
}

/** The records between the offsets of a run, by the numbers of their cities. */
async function recordsOf(shard: number, atMinute: number): Promise<number[]> {
  const { first_offsets: first, end_offsets: ends } = await runOf(shard, atMinute);
  const ranges = Object.entries(ends ?? {}).map(([partition, end]) => ({
    ...{ partition: Number(partition), first: first?.[partition] ?? 0, end },
  }));
  const found: number[] = [];
  await pipeline.kafka.read(pipeline.topics.live.name, ranges, async (records) => {
    found.push(...records.map((record) => (Number(String(record.key)) - shard) / SHARDS));
  });
  return found.sort((a, b) => a - b);
}

describe('a run of ingestion', () => {
  test('writes down what became of each location, and between which offsets its records stand', async () => {
    const shard = 0;
    await watch(shard, [1, 2, 3, 4, 5]);
    await watch(shard, [6], minutes(-1));
    await watch(1, [7]);
    const answers: Readonly<Record<number, PollAnswer>> = {
      1: observed(minutes(-5)),
      2: { kind: 'failed', reason: 'city not found', retryable: false },
      3: { kind: 'failed', reason: 'timeout', retryable: true },
      4: { kind: 'rejected', reason: 'no dt', body: '{}' },
      5: observed(minutes(-4)),
    };
    const summary = await poll({
      shard,
      atMinute: 0,
      answer: (id) => answers[id] ?? new Error(`asked ${id}`),
    });
    const counts = { due: 5, called: 5, published: 2, unchanged: 0, failed: 2, rejected: 1, skipped: 0 };
    expect(summary).toEqual({ ...counts, apiCalls: 7, error: null, failuresBefore: 0 });
    expect(await runOf(shard, 0)).toMatchObject({
      ...{ ...counts, api_calls: 7, status: 'completed', error: null, attempts: 1 },
      ...{ started_at: minutes(0), finished_at: minutes(0), first_offsets: { 0: 0, 1: 0, 2: 0, 3: 0 } },
    });
    expect(await recordsOf(shard, 0)).toEqual([1, 5]);
    expect(
      await pipeline.rows('select entity_id, outcome, reason from ingest_exceptions order by entity_id'),
    ).toEqual([
      { entity_id: '20', outcome: 'failed', reason: 'city not found' },
      { entity_id: '30', outcome: 'failed', reason: 'timeout' },
      { entity_id: '40', outcome: 'rejected', reason: 'no dt' },
    ]);
    expect(
      await pipeline.rows(
        'select entity_id, polled_at, observed_at, recent_observed_at from location_polls order by entity_id',
      ),
    ).toEqual([
      {
        ...{ entity_id: '10', polled_at: minutes(0), observed_at: minutes(-5) },
        recent_observed_at: [minutes(-5)],
      },
      { entity_id: '20', polled_at: minutes(0), observed_at: null, recent_observed_at: [] },
      { entity_id: '40', polled_at: minutes(0), observed_at: null, recent_observed_at: [] },
      {
        ...{ entity_id: '50', polled_at: minutes(0), observed_at: minutes(-4) },
        recent_observed_at: [minutes(-4)],
      },
    ]);
  });

  test('publishes each observation once, however often and in whatever order the source repeats it', async () => {
    const shard = 2;
    await watch(shard, [1]);
    const said = [0, 0, 10, 5, 0, 5, 10, 20].map(minutes);
    for (const [index, at] of said.entries())
      await poll({ shard, atMinute: 20 + 10 * index, answer: () => observed(at) });
    const published = await pipeline.rows(
      `select published, unchanged from ingest_runs where shard = ${shard} order by scheduled_at`,
    );
    const [isNew, isKnown] = [
      { published: 1, unchanged: 0 },
      { published: 0, unchanged: 1 },
    ];
    expect(published).toEqual([isNew, isKnown, isNew, isNew, isKnown, isKnown, isKnown, isNew]);
    const [row] = await pipeline.rows('select * from location_polls where entity_id = 12');
    expect(row).toMatchObject({
      observed_at: minutes(20),
      recent_observed_at: [20, 5, 10, 0].map(minutes),
    });
    // Of a run that published nothing the offsets are the proof that the source had nothing new.
    expect(await recordsOf(shard, 30)).toEqual([]);
  });

  test('that breaks off between publishing and recording is ended by its retry: only that batch is repeated', async () => {
    const shard = 3;
    const cities = Array.from({ length: 150 }, (_, index) => 101 + index);
    await watch(shard, cities);
    let batches = 0;
    const breaking: Database = {
      ...pipeline.database,
      transaction: (work) =>
        pipeline.database.transaction(async (queries) => {
          const result = await work(queries);
          batches += 1;
          if (batches === 2) throw new Error('the connection was lost');
          return result;
        }),
    };
    const run = { shard, atMinute: 1, answer: () => observed(minutes(0)) };
    await expect(poll({ ...run, database: breaking })).rejects.toThrow('the connection was lost');
    const broken = await runOf(shard, 1);
    expect(broken).toMatchObject({ status: 'running', finished_at: null, published: 100, attempts: 1 });
    const summary = await poll(run);
    expect(summary).toMatchObject({ due: 150, called: 150, published: 150, unchanged: 0, error: null });
    const ended = await runOf(shard, 1);
    expect(ended).toMatchObject({ status: 'completed', attempts: 2, started_at: broken['started_at'] });
    expect(ended.first_offsets).toEqual(broken.first_offsets);
    const records = await recordsOf(shard, 1);
    expect([...new Set(records)]).toEqual(cities);
    expect(records).toHaveLength(150 + 50);
  });

  test('that is refused has failed and stays so when it is tried again; the next one asks again', async () => {
    const shard = 4;
    await watch(shard, [1, 2, 3, 4]);
    const answer = () => new HourglassError('UNAUTHORIZED', 'the key is refused');
    // Within one slot of these cities.
    const run = { shard, atMinute: 5, answer };
    const refused = await poll(run);
    expect(refused).toMatchObject({ due: 4, error: 'the key is refused', failuresBefore: 0 });
    expect(await poll({ ...run, answer: () => observed(start) })).toEqual(refused);
    expect(await runOf(shard, 5)).toMatchObject({
      status: 'failed',
      error: 'the key is refused',
      attempts: 2,
    });
    const next = await poll({
      ...run,
      atMinute: 6,
      budget: fakeCallBudget(1),
      answer: () => observed(start),
    });
    expect(next).toMatchObject({ due: 4, published: 1, skipped: 3, failuresBefore: 1 });
    expect(next.error).toContain('No call was left for live');
    const well = await poll({ ...run, atMinute: 7, answer: () => observed(start) });
    expect(well).toMatchObject({ due: 3, published: 3, error: null, failuresBefore: 2 });
    expect(await poll({ ...run, atMinute: 8, answer })).toMatchObject({ due: 0, failuresBefore: 0 });
  });
});

describe('runs in a row', () => {
  const shard = 5;
  const streak = (beforeMinute: number) => streakBefore(pipeline.database, key(shard, beforeMinute));

  test('that failed are counted since the last one that brought something; a run without a word has failed', async () => {
    expect(await streak(0)).toEqual({ failures: 0, since: null });
    const runs = [
      ...['failed/0', 'completed/3', 'failed/0', 'completed/0', 'running/0', 'failed/2'],
      ...['completed/0', 'completed/1'],
    ].map((run, minute) => [minute, ...run.split('/')] as const);
    for (const [minute, status, published] of runs)
      await pipeline.sql.query(
        `insert into ingest_runs (pipeline, source, shard, scheduled_at, started_at, workflow_run_id, status, published)
         values ('weather', 'mock', ${shard}, $1, $1, 'r', $2, $3)`,
        [minutes(minute), status, published],
      );
    const failures = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map(async (at) => (await streak(at)).failures),
    );
    expect(failures).toEqual([1, 0, 1, 1, 2, 3, 3, 0]);
    expect((await streak(7)).since).toEqual(minutes(2));
    expect(await streakBefore(pipeline.database, key(9, 7))).toEqual({ failures: 0, since: null });
  });

  test('that break off are put on record as failed, with what they did until then', async () => {
    const own = 6;
    await watch(own, [1]);
    const { judgeRun } = createIngestionTroubleActivities({
      ...{ database: pipeline.database, policy: { alertAfter: 2, pauseAfter: undefined } },
      ...{ now: () => minutes(9), pauseSchedule: async () => undefined },
    });
    const judge = (atMinute: number) =>
      new MockActivityEnvironment().run(judgeRun, { ...key(own, atMinute), error: 'Kafka is away.' });
    expect(await judge(1)).toEqual({ alert: undefined, pause: undefined });
    expect(await runOf(own, 1)).toMatchObject({ status: 'failed', error: 'Kafka is away.', called: 0 });
    await poll({ shard: own, atMinute: 2, answer: () => observed(start) });
    await pipeline.sql.query(
      `update ingest_runs set status = 'running', finished_at = null where shard = ${own}`,
    );
    expect(await judge(2)).toMatchObject({
      alert: { status: 'raised', since: minutes(1).toISOString() },
    });
    expect(await runOf(own, 2)).toMatchObject({
      ...{ status: 'failed', error: 'Kafka is away.', published: 1, finished_at: minutes(9) },
    });
  });
});

describe('a budget of calls', () => {
  const terms = {
    limits: { callsPerMinute: 50, callsPerMonth: 1_000_000 },
    shares: { others: 0.5, backfill: 0.25 },
  };

  test('shared by workers under load never leases more than the plan has, nor backfills more than their share', async () => {
    const doors = [1, 2].map(() =>
      connectDatabase({ ...postgresAddress(config), schema: pipeline.id, connections: 4 }, weatherTables),
    );
    try {
      const budgets = doors.map((door) => createCallBudget(door, 'key', terms));
      const granted: CallPurpose[] = [];
      const takes = Array.from({ length: 200 }, async (_, index) => {
        const purpose = index % 4 === 0 ? 'backfill' : 'live';
        await (budgets[index % 2] as CallBudget).take(purpose, { deadlineMs: performance.now() + 3_000 });
        granted.push(purpose);
      });
      const refusals = (await Promise.allSettled(takes)).filter(({ status }) => status === 'rejected');
      expect(granted).toHaveLength(50);
      expect(granted.filter((purpose) => purpose === 'backfill').length).toBeLessThanOrEqual(12);
      expect(refusals).toHaveLength(150);
      for (const refusal of refusals)
        expect(refusal).toMatchObject({ reason: { code: 'BUDGET_EXHAUSTED', retryable: true } });
      const [row] = await pipeline.rows<{ state: { leases: { calls: number }[] } }>(
        "select state from api_budgets where key_fingerprint = 'key'",
      );
      expect(row?.state.leases.reduce((sum, { calls }) => sum + calls, 0)).toBe(50);
    } finally {
      for (const door of doors) await door.close();
    }
  });

  test('that the source refused in one worker waits in every other', async () => {
    const [first, second] = [1, 2].map(() => createCallBudget(pipeline.database, 'blocked', terms)) as [
      CallBudget,
      CallBudget,
    ];
    await first.refused(600);
    const beganMs = performance.now();
    await second.take('live');
    expect(performance.now() - beganMs).toBeGreaterThan(500);
    await expect(second.answered()).resolves.toBeUndefined();
  });
});

test('a connection that the server ends in the middle of a transaction fails it, and nothing else', async () => {
  const broken = pipeline.database.transaction(async ({ query }) => {
    await query('lock-call-budget', ['ended', '{}']);
    await pipeline.sql.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where state = 'idle in transaction' and query like '%api_budgets%'`,
    );
    // The news of it comes while no query is under way: unheard, it would end the process.
    await delay(200);
    await query('lock-call-budget', ['ended', '{}']);
  });
  await expect(broken).rejects.toMatchObject({ code: 'POSTGRES', retryable: true });
  const rows = await pipeline.database.query('lock-call-budget', ['ended', '{}']);
  expect(rows).toHaveLength(1);
});
