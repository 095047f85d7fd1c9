/** A worker that is asked to stop, then one that is killed, both in the middle of a long run of ingestion and of a long chunk. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectKafka } from '../../clients/kafka.ts';
import { kafkaBrokers } from '../../config/addresses.ts';
import { HOUR_MS } from '../../domain/backfill-windows.ts';
import { ingestScheduleId } from '../../domain/identities.ts';
import { type Mock, startMock } from '../../mock/server.ts';
import { defaultStepSeconds, weatherAt } from '../../mock/weather.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { isAlive } from '../../stack/process-identity.ts';
import { metricsAddress } from '../../stack/scrape-targets.ts';
import { differencesFrom, historyOfTruth, runBackfill } from '../support/backfills.ts';
import { eventually } from '../support/eventually.ts';
import { pauseIngestion, type RunRow, recordsOf, repeatedKeys, runsOf } from '../support/ingestion.ts';
import { manyCities, seedCities, watchEachMinute } from '../support/many-cities.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';
import { rowDifferences } from '../support/row-differences.ts';
import { hoursOfTruth, rowOfTruth } from '../support/truth.ts';

const SEED = 'worker kills';
const CITIES = manyCities(1_500);
const ALL = [...seedCities(), ...CITIES];
const CITY_OF_ID = new Map(ALL.map((city) => [city.id, city]));
/** Of these a day is loaded, in one chunk. */
const BACKFILLED = CITIES.slice(0, 300);
const GRACE_SECONDS = 10;
/** What a killed worker may have published and not recorded: of ingestion a batch; of a chunk the waves since its last heartbeat. */
const MOST_REPEATED = { live: 100, history: 3 * 25 * 24 } as const;

const to = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 72 * HOUR_MS);
const from = new Date(to.getTime() - 24 * HOUR_MS);
const past = historyOfTruth(SEED, BACKFILLED, from, to);

let mock: Mock;
let stack: OwnStack;

beforeAll(async () => {
  mock = await startMock({
    ...{ port: 0, seed: SEED, stepSeconds: defaultStepSeconds, cities: ALL, callsPerMinute: 30_000 },
  });
  stack = await startOwnStack({
    OPENWEATHERMAP_BASE_URL: mock.url,
    OPENWEATHERMAP_PLAN: 'professional',
    INGEST_SPREAD_SECONDS: '0',
    FIRST_START_HISTORY_HOURS: '0',
    COMPLETENESS_REPAIR: 'false',
    WORKER_GRACE_SECONDS: String(GRACE_SECONDS),
  });
  // The run that the start has begun is not to meet the many.
  const isOver = (runs: readonly RunRow[]) =>
    runs.length > 0 && runs.every(({ status }) => status !== 'running');
  await eventually('the first run is over', () => runsOf(stack), isOver);
  await pauseIngestion(stack);
  await watchEachMinute(stack, CITIES);
  await stack.sql(`update locations set active_from = '2020-01-01', min_observations_per_hour = 1`);
  // A thousand calls of a second each, sixteen or sixty-four at once: both are under way for half a minute.
  mock.replaceFaults({ latency: { share: 1, ms: 1_000 } });
});
afterAll(async () => {
  await stack?.close();
  await mock?.close();
});

const worker = () => {
  const found = stack.services().find(({ name }) => name.startsWith('worker-'));
  if (found?.process === undefined) throw new Error('there is no worker');
  return { ...found, process: found.process };
};
const wordsOfWorker = (): readonly string[] =>
  readFileSync(join(stack.config.dataDir, 'logs', `${worker().name}.log`), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

async function askReady(): Promise<{ status: number; phase: string }> {
  const response = await fetch(`http://${metricsAddress(stack.config.dataDir, worker().name)}/ready`);
  return { status: response.status, phase: ((await response.json()) as { phase: string }).phase };
}

interface UnderWay {
  readonly run: RunRow | undefined;
  readonly chunk: string | undefined;
  /** Of the chunk. */
  readonly published: number;
}

async function underWay(): Promise<UnderWay> {
  const kafka = connectKafka(kafkaBrokers(stack.config));
  try {
    const marks = await kafka.watermarks(weather.topics.history.name);
    const [run] = await runsOf(stack, `scheduled_at = (select max(scheduled_at) from ingest_runs)`);
    const [chunk] = await stack.sql<{ status: string }>('select status from backfill_chunks');
    return { run, chunk: chunk?.status, published: marks.reduce((sum, { high }) => sum + high, 0) };
  } finally {
    await kafka.close();
  }
}

/** Waits until so much of both is done, and sees to it that both are still in their middle. */
async function untilDone(called: number, published: number): Promise<UnderWay> {
  const seen = await eventually(
    `${called} locations are called and ${published} records of the chunk published`,
    underWay,
    (now) => (now.run?.called ?? 0) >= called && now.published >= published,
    { withinMs: 120_000, everyMs: 100 },
  );
  expect([seen.run?.status, seen.chunk]).toEqual(['running', 'fetching']);
  expect(seen.run?.called).toBeLessThan(CITIES.length);
  return seen;
}

const repeatedIn = async (topic: string): Promise<number> =>
  repeatedKeys(await recordsOf(stack, topic)).length;

describe('a worker that goes away in the middle of a long run and a long chunk', () => {
  let backfill: ReturnType<typeof runBackfill>;
  let stopped: UnderWay;

  test('asked to stop, it takes no more work, ends within its grace time, and nothing is published twice', async () => {
    const entities = BACKFILLED.map(({ id }) => id);
    const range = { from: from.toISOString(), to: to.toISOString() };
    backfill = runBackfill(stack, 'backfills/long', { pipeline: 'weather', ...range, entities });
    // Its failure is the last test's to tell.
    backfill.catch(() => undefined);
    await stack.withTemporal((client) =>
      client.schedule.getHandle(ingestScheduleId('weather', 'mock', 0)).trigger(ScheduleOverlapPolicy.SKIP),
    );
    await untilDone(150, 600);
    const { process: identity } = worker();
    const askedAt = performance.now();
    process.kill(identity.pid, 'SIGTERM');
    await eventually(
      'it is ready no more',
      askReady,
      ({ status, phase }) => status === 503 && phase === 'stopping',
      { withinMs: GRACE_SECONDS * 1_000, everyMs: 20 },
    );
    await eventually(
      'it has ended',
      () => isAlive(identity),
      (alive) => !alive,
      { withinMs: 30_000, everyMs: 50 },
    );
    const tookMs = performance.now() - askedAt;
    expect(tookMs).toBeLessThan(GRACE_SECONDS * 1_000);
    expect(wordsOfWorker()).toContain('worker stopped');
    stopped = await underWay();
    console.log(
      `  it ended after ${(tookMs / 1_000).toFixed(1)} s, with ${stopped.run?.called} of ${ALL.length} locations and ${stopped.published} of ${past.length} records`,
    );

    await untilDone((stopped.run?.called ?? 0) + 100, stopped.published + 600);
    expect(worker().restarts).toBe(1);
    expect(await repeatedIn(weather.topics.live.name)).toBe(0);
    expect(await repeatedIn(weather.topics.history.name)).toBe(0);
  });

  test('killed, it repeats what it had not recorded and no more; the run and the chunk go on where it was', async () => {
    const seen = await untilDone(0, 0);
    process.kill(worker().process.pid, 'SIGKILL');
    expect(await backfill).toMatchObject({ state: 'completed', failed: [], windows: { done: past.length } });
    const { run } = await eventually(
      'the run is finished',
      underWay,
      ({ run: found }) => found?.status !== 'running',
      { withinMs: 180_000 },
    );
    expect(run).toMatchObject({ status: 'completed', attempts: 3, failed: 0, skipped: 0 });
    // Those of the seed are due again when a minute has passed since the start polled them.
    expect(run?.due).toBeGreaterThanOrEqual(CITIES.length);
    const repeated = {
      live: await repeatedIn(weather.topics.live.name),
      history: await repeatedIn(weather.topics.history.name),
    };
    console.log(
      `  killed at ${seen.run?.called} locations and ${seen.published} records; ${repeated.live} and ${repeated.history} records were repeated`,
    );
    expect(repeated.live).toBeLessThanOrEqual(MOST_REPEATED.live);
    expect(repeated.history).toBeLessThanOrEqual(MOST_REPEATED.history);
  });

  test('every row is the truth: of the day that was loaded, and of the present', async () => {
    expect(past).toHaveLength(24 * BACKFILLED.length);
    expect(await differencesFrom(stack, past, from, to)).toEqual([]);

    const keys = new Set((await recordsOf(stack, weather.topics.live.name)).map(({ key }) => key));
    const present = [...keys].map((key) => {
      const [id = 0, atSeconds = 0] = key.split('/').map(Number);
      const city = CITY_OF_ID.get(id);
      if (city === undefined) throw new Error(`a record of nobody: ${key}`);
      return weatherAt({ seed: SEED, city, atSeconds, stepSeconds: defaultStepSeconds });
    });
    expect(new Set(present.map(({ id }) => id)).size).toBe(ALL.length);
    const nameOf = (row: Readonly<Record<string, unknown>>): string =>
      `${row['city_id']} ${((row['observed_at'] ?? row['window_start']) as Date).toISOString()}`;
    const differences = async () => [
      ...rowDifferences(
        await stack.sql(`select * from observations where observed_at >= '${to.toISOString()}'`),
        present.map(rowOfTruth),
        nameOf,
      ),
      ...rowDifferences(
        await stack.sql(`select * from weather_hourly where window_start >= '${to.toISOString()}'`),
        hoursOfTruth(present),
        nameOf,
      ),
    ];
    await eventually('the present is stored, row for row', differences, (found) => found.length === 0, {
      withinMs: 60_000,
      everyMs: 1_000,
    });
    const failed = await stack.withTemporal((client) =>
      client.workflow.count("ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut')"),
    );
    expect(failed.count).toBe(0);
  });
});
