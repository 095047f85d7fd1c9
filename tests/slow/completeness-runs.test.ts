/** What a completeness check does on a real Temporal and with a real ledger; the source, Kafka and Flink are in memory. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCompletenessActivities } from '../../activities/completeness.ts';
import { createCompletenessRepairActivities } from '../../activities/completeness-repairs.ts';
import { createNotifyActivities } from '../../activities/notify.ts';
import { type JudgedWindow, judgedWindows } from '../../clients/completeness-ledger.ts';
import { DAY_MS, HOUR_MS } from '../../domain/backfill-windows.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { contracts } from '../../pipelines/index.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { Alert } from '../../schemas/alert.ts';
import type { CompletenessInput } from '../../schemas/completeness.ts';
import type { checkCompleteness } from '../../workflows/check-completeness.ts';
import type { watchCompleteness } from '../../workflows/watch-completeness.ts';
import { eventually } from '../support/eventually.ts';
import {
  CITIES,
  type FakeBackfills,
  facts,
  startFakeBackfills,
  untilLogged,
} from '../support/fake-backfills.ts';
import { config } from '../support/shared-stack.ts';

let world: FakeBackfills;
let untouched: FakeBackfills['switches'];
const alerts: Alert[] = [];
const [one = 0, two = 0] = CITIES;
/** Each test has days of its own, which no stream owns. */
let from = Date.parse('2021-06-01T00:00:00Z');

/** How much later it is than it is. */
let aheadMs = 0;

beforeAll(async () => {
  world = await startFakeBackfills(config, (doors) => {
    const deps = {
      ...{ ...doors, pipelines: { weather }, contracts, facts: { weather: facts } },
      ...{ repairs: true, now: () => new Date(Date.now() + aheadMs), pollMs: 50 },
    };
    const webhook = { deliver: async (alert: Alert) => void alerts.push(alert) };
    return {
      ...createCompletenessActivities(deps),
      ...createCompletenessRepairActivities(deps),
      ...createNotifyActivities({ webhook, logger: { warn: () => undefined } }),
    };
  });
  untouched = { ...world.switches };
  // The places of all rows that the tests store.
  world.publish(100);
});
afterAll(() => world?.close());
beforeEach(() => {
  Object.assign(world.switches, untouched);
  world.log.length = 0;
  alerts.length = 0;
  aheadMs = 0;
  from += 100 * DAY_MS;
});

const hour = (number = 0): Date => new Date(from + number * HOUR_MS);
const range = (hours = 1) => ({ from: hour().toISOString(), to: hour(hours).toISOString() });

const start = (given: Partial<CompletenessInput> = {}) =>
  world.client.workflow.start<typeof checkCompleteness>('checkCompleteness', {
    ...{ workflowId: `completeness/weather-by-hand-${randomUUID()}`, taskQueue: taskQueues.control },
    args: [{ pipeline: 'weather', source: 'mock', ...range(), ...given }],
  });
const check = async (given: Partial<CompletenessInput> = {}) => (await start(given)).result();

const observe = (city: number, times: number, at = hour()): Promise<unknown> =>
  world.sql.query(
    `insert into observations (city_id, observed_at, temp, topic, partition_id, record_offset, published_at)
     select $1, $2::timestamptz + n * interval '10 minutes', n, $4, 0, n, now() from generate_series(0, $3 - 1) as n
     on conflict do nothing`,
    [city, at, times, weather.topics.live.name],
  );
/** As the batch job makes hours anew. */
const recompute = async (first: string, end: string): Promise<void> => {
  await world.sql.query('delete from weather_hourly where window_start >= $1 and window_start < $2', [
    first,
    end,
  ]);
  await world.sql.query(
    `insert into weather_hourly (city_id, window_start, window_end, observation_count, temp_avg, temp_min, temp_max,
       first_observed_at, last_observed_at, rain_mm, snow_mm, origin)
     select city_id, w, w + interval '1 hour', count(*), avg(temp), min(temp), max(temp), min(observed_at), max(observed_at),
       sum(rain_1h) / count(*), sum(snow_1h) / count(*), 'batch'
     from observations, lateral (select date_trunc('hour', observed_at, 'UTC') as w) as hour
     where observed_at >= $1 and observed_at < $2 group by city_id, w`,
    [first, end],
  );
};
/** Every location has its hour, and Flink does what it is to do. */
const allComplete = async (hours = 1): Promise<void> => {
  for (let at = 0; at < hours; at += 1) for (const city of CITIES) await observe(city, 5, hour(at));
  await recompute(range(hours).from, range(hours).to);
  world.switches.onFlinkJob = async (job, { from: first = '', to = '' }) => {
    if (job === 'recompute-hours') await recompute(first, to);
  };
};
const ledger = (hours = 1): Promise<readonly JudgedWindow[]> =>
  judgedWindows(world.database, { pipeline: 'weather', from: hour(), to: hour(hours), limit: 100 });
const windowOf = async (city: number): Promise<JudgedWindow | undefined> =>
  (await ledger()).find(({ entityId }) => entityId === city);
/** The pause before the next attempt is over. */
const later = (): Promise<unknown> =>
  world.sql.query(`update window_completeness set repair_begun_at = repair_begun_at - interval '1 day'`);

describe('an hour whose row is wrong', () => {
  test('is made anew, judged again and repaired, and no other window changes', async () => {
    await allComplete();
    await check();
    const before = await ledger();
    await world.sql.query(
      'update weather_hourly set temp_avg = 99 where city_id = $1 and window_start = $2',
      [one, hour()],
    );
    const result = await check();
    expect(result.found).toMatchObject({ mismatched: 1, complete: 4 });
    expect(result.repairs).toEqual({ recomputed: 1, reloaded: 0, fetches: [], refusals: [] });
    expect(await windowOf(one)).toMatchObject({ verdict: 'repaired', reason: null, attempts: 0 });
    const others = (windows: readonly JudgedWindow[]) => windows.filter(({ entityId }) => entityId !== one);
    expect(others(await ledger())).toEqual(others(before));
    aheadMs = HOUR_MS;
    expect((await check()).changed).toBe(0);
    expect(await windowOf(one)).toMatchObject({ verdict: 'repaired' });
  });

  test('that counts more than is stored is loaded from the log first', async () => {
    await allComplete();
    const end = world.publish(3);
    world.switches.offsetAt = (time) => (time > hour() ? end : end - 3);
    const recomputing = world.switches.onFlinkJob;
    world.switches.onFlinkJob = async (job, parameters) => {
      if (job === 'load-history') await observe(one, 5);
      await recomputing(job, parameters);
    };
    await world.sql.query('delete from observations where city_id = $1 and observed_at = $2', [one, hour()]);
    expect(await check()).toMatchObject({
      found: { mismatched: 1, complete: 4 },
      repairs: { reloaded: 1, recomputed: 0, refusals: [] },
    });
    expect(world.log.map((line) => line.split(' ')[0])).toEqual([
      ...['load-history', 'load-history', 'load-history', 'recompute-hours'],
    ]);
    expect(await windowOf(one)).toMatchObject({ verdict: 'repaired', observed: 5, aggregated: 5 });
  });

  test('is unrepairable after the last attempt, and is left alone then', async () => {
    await allComplete();
    await world.sql.query(
      'update weather_hourly set temp_avg = 99 where city_id = $1 and window_start = $2',
      [one, hour()],
    );
    world.switches.flinkFails = () => 'no slots';
    const policy = { mostAttempts: 2 };
    expect(await check({ policy })).toMatchObject({
      found: { mismatched: 1, complete: 4 },
      repairs: { refusals: [expect.stringContaining('no slots')] },
    });
    expect(await windowOf(one)).toMatchObject({ verdict: 'mismatched', attempts: 1 });
    // Before its time nothing is tried.
    expect((await check({ policy })).repairs).toBeUndefined();
    await later();
    await check({ policy });
    expect(await windowOf(one)).toMatchObject({
      verdict: 'unrepairable',
      reason: 'aggregate_wrong',
      attempts: 2,
    });
    await later();
    expect((await check({ policy })).repairs).toBeUndefined();
  });
});

describe('an hour that lacks observations', () => {
  const lose = async (city: number): Promise<void> => {
    await world.sql.query(
      'delete from observations where city_id = $1 and observed_at >= $2 and observed_at < $3',
      [city, hour(), hour(1)],
    );
    await recompute(range().from, range().to);
  };

  test('is fetched by a backfill of exactly its windows, which goes on when the check has ended', async () => {
    await allComplete();
    await lose(one);
    let release = (): void => undefined;
    world.switches.hold = () => new Promise<void>((resolve) => (release = resolve));
    const recomputing = world.switches.onFlinkJob;
    world.switches.onFlinkJob = async (job, parameters) => {
      if (job === 'load-history') await observe(one, 5);
      await recomputing(job, parameters);
    };
    const { found, repairs } = await check();
    expect(found).toMatchObject({ missing: 1, complete: 4 });
    expect(repairs?.fetches).toHaveLength(1);
    const [id = ''] = repairs?.fetches ?? [];
    expect(await windowOf(one)).toMatchObject({
      ...{ verdict: 'repairing', reason: 'run_missing', attempts: 1, repairWorkflowId: `backfill/${id}` },
    });
    // Nothing is begun a second time.
    expect((await check()).repairs).toBeUndefined();
    await untilLogged(world, 'it is being fetched', (log) => log.some((line) => line.startsWith('fetch')));
    release();
    await world.client.workflow.getHandle(`backfill/${id}`).result();
    const { rows } = await world.sql.query('select windows from backfills where backfill_id = $1', [id]);
    expect(rows).toEqual([{ windows: 1 }]);
    await check();
    expect(await windowOf(one)).toMatchObject({ verdict: 'repaired', observed: 5, attempts: 0 });
  });

  test('is complete at its source when the history has no more of it', async () => {
    await allComplete();
    await lose(one);
    const { repairs } = await check();
    await world.client.workflow.getHandle(`backfill/${repairs?.fetches[0]}`).result();
    await check();
    expect(await windowOf(one)).toMatchObject({ verdict: 'complete_at_source', reason: 'source_unchanged' });
  });

  test('that somebody else is loading is refused, and uses up no attempt', async () => {
    await allComplete();
    await lose(one);
    await lose(two);
    world.switches.hold = () => new Promise<void>(() => undefined);
    const other = await world.client.workflow.start('backfill', {
      ...{ workflowId: `by-hand/${randomUUID()}`, taskQueue: taskQueues.control },
      args: [{ pipeline: 'weather', ...range(), entities: [one] }],
    });
    await untilLogged(world, 'it is being fetched', (log) => log.length > 0);
    const { repairs } = await check();
    expect(repairs).toMatchObject({
      fetches: [],
      refusals: [expect.stringContaining('being loaded already')],
    });
    for (const city of [one, two])
      expect(await windowOf(city)).toMatchObject({ verdict: 'missing', attempts: 0 });
    await other.terminate();
  });

  test('is only found when nothing is to be repaired', async () => {
    await allComplete();
    await lose(one);
    expect((await check({ repair: false })).repairs).toBeUndefined();
    expect(await windowOf(one)).toMatchObject({ verdict: 'missing', attempts: 0 });
    expect(world.log).toEqual([]);
  });
});

describe('a check', () => {
  test('that runs twice at once finds and repairs once', async () => {
    await allComplete();
    await world.sql.query(
      'update weather_hourly set temp_avg = 99 where city_id = $1 and window_start = $2',
      [one, hour()],
    );
    await Promise.all([check(), check()]);
    expect(await windowOf(one)).toMatchObject({ verdict: 'repaired', attempts: 0 });
  });

  test('that is killed while it repairs leaves nothing that the next does not mend', async () => {
    await allComplete();
    await world.sql.query(
      'update weather_hourly set temp_avg = 99 where city_id = $1 and window_start = $2',
      [one, hour()],
    );
    world.switches.isEndless = () => true;
    const killed = await start();
    await untilLogged(world, 'Flink makes the hour anew', (log) => log.length > 0);
    await eventually(
      'the attempt is on record',
      () => windowOf(one),
      (window) => window?.attempts === 1,
    );
    await killed.terminate();
    world.switches.isEndless = () => false;
    await later();
    await eventually(
      'it is repaired',
      async () => {
        await check();
        return windowOf(one);
      },
      (window) => window?.verdict === 'repaired',
    );
  });

  test('refuses what it does not understand', async () => {
    await expect(check({ entities: [one], from: undefined, to: undefined } as object)).rejects.toMatchObject({
      cause: { type: 'INVALID_INPUT' },
    });
  });

  test('by the schedule goes on where the last one ended, and tells a person once of all it has found', async () => {
    // Nothing that is older than the newest 24 hours, which every check judges.
    await world.sql.query(
      `update locations set active_from = date_bin('1 hour', now() - interval '10 minutes', 'epoch') - interval '24 hours'`,
    );
    const scheduled = { from: undefined, to: undefined, repair: false } as object;
    const first = await check(scheduled);
    expect(first.found.missing).toBe(24 * CITIES.length);
    expect(alerts).toMatchObject([{ status: 'raised', kind: 'windows-incomplete' }]);
    const second = await check(scheduled);
    expect(second).toMatchObject({ changed: 0, found: first.found });
    expect(alerts).toHaveLength(1);
    await world.sql.query(`update locations set active_from = '2020-01-01'`);
  });

  test('that does not come is told by its watch', async () => {
    await world.sql.query(
      `update completeness_checks set began_at = now() - interval '4 hours', ended_at = now() - interval '200 minutes'`,
    );
    const watch = await world.client.workflow.start<typeof watchCompleteness>('watchCompleteness', {
      ...{ workflowId: `watch-completeness/${randomUUID()}`, taskQueue: taskQueues.control },
      args: [{ pipeline: 'weather' }],
    });
    expect(await watch.result()).toBe(true);
    expect(alerts).toMatchObject([{ status: 'raised', kind: 'check-missing' }]);
  });
});
