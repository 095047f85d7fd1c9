/** Backfills on a real stack beside a live job: a month of history, ten kills while it is loaded, and a source that is away. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectKafka } from '../../clients/kafka.ts';
import { kafkaBrokers } from '../../config/addresses.ts';
import { DAY_MS, HOUR_MS } from '../../domain/backfill-windows.ts';
import { type Mock, startMock } from '../../mock/server.ts';
import { defaultStepSeconds, observationTimesBetween, weatherAt } from '../../mock/weather.ts';
import { planLimits } from '../../pipelines/openweathermap-plans.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { differencesFrom, historyOfTruth, runBackfill } from '../support/backfills.ts';
import { eventually } from '../support/eventually.ts';
import { pauseIngestion } from '../support/ingestion.ts';
import { seedCities } from '../support/many-cities.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';
import { hoursOfTruth } from '../support/truth.ts';

const SEED = 'a month of history';
const CITIES = seedCities();
const DAYS = 30;
const KILLS = 10;

/** What the start polls is this old at most: its hours are not the history's alone, also in the job's state. */
const POLLED_MS = 0.75 * HOUR_MS;
/** A whole hour, so late that the newest windows are the stream's. */
const to = new Date(Math.floor((Date.now() - POLLED_MS) / HOUR_MS) * HOUR_MS);
const from = new Date(to.getTime() - DAYS * DAY_MS);
const request = { pipeline: 'weather', from: from.toISOString(), to: to.toISOString() } as const;
const truth = historyOfTruth(SEED, CITIES, from, to);

let mock: Mock;
let stack: OwnStack;

beforeAll(async () => {
  mock = await startMock({
    port: 0,
    seed: SEED,
    stepSeconds: defaultStepSeconds,
    cities: CITIES,
    callsPerMinute: 3_000,
  });
  stack = await startOwnStack({ OPENWEATHERMAP_BASE_URL: mock.url, FIRST_START_HISTORY_HOURS: '0' });
  await stack.sql(`update locations set active_from = '2020-01-01', min_observations_per_hour = 1`);
  // What is compared is the history alone; the job runs on, and holds the newest hours in its state.
  await pauseIngestion(stack);
  await emptyTables();
});
afterAll(async () => {
  await stack?.close();
  await mock?.close();
});

/** Rows of the present that the start has polled are not the history's. */
async function emptyTables(): Promise<void> {
  await stack.sql(`delete from observations where observed_at < '${to.toISOString()}'`);
  await stack.sql(`delete from weather_hourly where window_start < '${to.toISOString()}'`);
}

/** The same numbers for the same seed: which failure comes next, and after how long. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const VICTIMS = [
  'worker-',
  'worker-',
  'flink-taskmanager',
  'flink-jobmanager',
  'flink-gateway',
  'postgres',
  'kafka',
];
const pidOf = (prefix: string): number =>
  stack.services().find(({ name, phase }) => name.startsWith(prefix) && phase === 'ready')?.process?.pid ?? 0;

/** SIGKILL to the process itself; returns when the supervisor has another one in its place. */
async function kill(prefix: string): Promise<void> {
  const pid = await eventually(
    `${prefix} runs`,
    async () => pidOf(prefix),
    (found) => found > 0,
    { withinMs: 120_000 },
  );
  process.kill(pid, 'SIGKILL');
  await eventually(
    `${prefix} is back`,
    async () => pidOf(prefix),
    (found) => found > 0 && found !== pid,
    {
      withinMs: 180_000,
    },
  );
}

const chunksInFlight = () =>
  stack.sql<{ status: string }>(
    `select c.status from backfill_chunks c join backfills b using (backfill_id)
     where b.status = 'running' and c.status not in ('done', 'failed', 'cancelled')`,
  );

describe('thirty days of sixty cities', () => {
  test('are loaded from history, and every figure is the truth', async () => {
    expect(truth).toHaveLength(DAYS * 24 * CITIES.length);
    const ending = await runBackfill(stack, 'backfills/first', request);
    expect(ending).toMatchObject({ state: 'completed', failed: [], windows: { done: truth.length } });
    expect(await differencesFrom(stack, truth, from, to)).toEqual([]);
    // Within the plan in every sliding minute, and backfills within their part of it.
    const { callsPerMinute } = planLimits.developer;
    const share = Math.ceil(callsPerMinute * stack.config.values.BACKFILL_CALL_SHARE);
    expect(mock.served().filter(({ status }) => status === 429)).toEqual([]);
    expect(
      mock.maxCallsInAnyMinute(stack.config.values.OPENWEATHERMAP_API_KEY ?? 'mock'),
    ).toBeLessThanOrEqual(share + CITIES.length * 2);
  });

  test('with ten kills while they are loaded again come to identical tables', async () => {
    await emptyTables();
    const random = seeded(20_261_124);
    let isOver = false;
    // Small chunks and many loads, so that each kill meets some of them.
    const run = runBackfill(stack, 'backfills/killed', {
      ...request,
      maxConcurrency: 2,
      reason: 'once more',
    }).finally(() => (isOver = true));
    const hit: string[] = [];
    while (hit.length < KILLS) {
      const inFlight = await eventually(
        'work is in flight',
        () => chunksInFlight().catch(() => []),
        (chunks) => chunks.length > 0 || isOver,
        { withinMs: 240_000, everyMs: 20 },
      );
      expect(inFlight.length, `only ${hit.join(', ')} were killed before all was done`).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, random(1_500)));
      const victim = VICTIMS[random(VICTIMS.length)] ?? 'worker-';
      hit.push(victim);
      await kill(victim);
    }
    const ending = await run;
    expect(ending).toMatchObject({ state: 'completed', failed: [] });
    expect(await differencesFrom(stack, truth, from, to)).toEqual([]);
  });

  test('stay true while the live job goes on with the same hours', async () => {
    // Each city's observations of a few hours that the stream owns, beside the one that history has told.
    const lateFrom = new Date(to.getTime() - 6 * HOUR_MS);
    const late = CITIES.slice(0, 20).flatMap((city) =>
      observationTimesBetween({
        ...{ seed: SEED, cityId: city.id, stepSeconds: defaultStepSeconds },
        ...{ fromSeconds: lateFrom.getTime() / 1_000, toSeconds: to.getTime() / 1_000 },
      }).map((dt) => weatherAt({ seed: SEED, city, atSeconds: dt, stepSeconds: defaultStepSeconds })),
    );
    const kafka = connectKafka(kafkaBrokers(stack.config));
    await kafka.publish(
      weather.topics.live.name,
      late.map((body) => ({ key: String(body.id), value: JSON.stringify(body), headers: {} })),
    );
    await kafka.close();
    const all = [...new Map([...late, ...truth].map((each) => [`${each.id}/${each.dt}`, each])).values()];
    await eventually(
      'the late ones are stored, and every hour counts them',
      () => differencesFrom(stack, all, from, to),
      (differences) => differences.length === 0,
      { withinMs: 90_000, everyMs: 2_000 },
    );
    expect(hoursOfTruth(all).length).toBe(truth.length);
  });
});

describe('a source that is away while a backfill runs', () => {
  test('is waited for, and nothing fails', async () => {
    await emptyTables();
    mock.replaceFaults({ outages: [{ answer: 'serverError' }] });
    const run = runBackfill(stack, 'backfills/away', { ...request, reason: 'the source is away' });
    await eventually(
      'it is asked in vain',
      async () => mock.served().at(-1)?.status,
      (status) => (status ?? 0) >= 500,
      {
        withinMs: 60_000,
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    mock.replaceFaults({});
    expect(await run).toMatchObject({ state: 'completed', failed: [] });
    expect(await differencesFrom(stack, truth, from, to)).toEqual([]);
  });
});
