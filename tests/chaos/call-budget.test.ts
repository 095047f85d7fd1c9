import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCallBudget, fingerprintOf } from '../../clients/call-budget.ts';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import { postgresAddress } from '../../config/addresses.ts';
import { variableNames } from '../../config/environment.ts';
import { textOf } from '../../config/load.ts';
import { leaseWindowMs } from '../../domain/call-budget.ts';
import { type Mock, startMock } from '../../mock/server.ts';
import { leaseTerms, planLimits } from '../../pipelines/openweathermap-plans.ts';
import { eventually } from '../support/eventually.ts';
import { runsOf } from '../support/ingestion.ts';
import { seedCities, watchEachMinute } from '../support/many-cities.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';
import { weatherTables } from '../support/weather-tables.ts';

/** The mock knows it as one of the free plan, whose limit it enforces. */
const KEY = 'free';
const { callsPerMinute } = planLimits.free;
const MEASURED_MS = 150_000;

let mock: Mock;
let stack: OwnStack;
let second: ChildProcess;
let database: Database;

beforeAll(async () => {
  mock = await startMock({ port: 0, seed: 'budget', stepSeconds: 20, cities: seedCities() });
  stack = await startOwnStack({
    OPENWEATHERMAP_BASE_URL: mock.url,
    OPENWEATHERMAP_API_KEY: KEY,
    OPENWEATHERMAP_PLAN: 'free',
    INGEST_SHARDS: '4',
    INGEST_SPREAD_SECONDS: '0',
  });
  second = startSecondWorker();
  database = connectDatabase(postgresAddress(stack.config), weatherTables);
});
afterAll(async () => {
  second?.kill('SIGKILL');
  await database?.close();
  await stack?.close();
  await mock?.close();
});

/** Another process of the same build, as a second machine would run it. */
function startSecondWorker(): ChildProcess {
  const { config } = stack;
  const builds = join(config.dataDir, 'builds');
  const [buildId = ''] = readdirSync(builds);
  const environment = variableNames.flatMap((name) => {
    const text = textOf(config, name);
    return text === null || name === 'WORKER_HEALTH_PORT' ? [] : [[name, text]];
  });
  return spawn(process.execPath, [join(builds, buildId, 'workers/main.js')], {
    cwd: config.dataDir,
    env: Object.fromEntries(environment),
    stdio: 'ignore',
  });
}

/** A load that would take every call there is. @returns how many it was given */
async function backfillUntil(signal: AbortSignal): Promise<number> {
  const terms = leaseTerms('free', stack.config.values.BACKFILL_CALL_SHARE);
  const budget = createCallBudget(database, fingerprintOf(KEY), terms);
  let calls = 0;
  const [city] = seedCities();
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (;;) {
        const isTaken = await budget.take('backfill', { signal }).then(
          () => true,
          (error) => {
            if (signal.aborted) return false;
            throw error;
          },
        );
        if (!isTaken) return;
        calls += 1;
        await fetch(`${mock.url}/data/2.5/weather?id=${city?.id}&appid=${KEY}`);
      }
    }),
  );
  return calls;
}

/** Who polls, or has polled: an activity that is under way is not in the history yet. */
async function workersOfRuns(): Promise<Set<string>> {
  const identities = new Set<string>();
  await stack.withTemporal(async (client) => {
    for await (const { workflowId, runId } of client.workflow.list({
      query: "WorkflowType = 'ingestWeather'",
    })) {
      const run = client.workflow.getHandle(workflowId, runId);
      const [{ raw }, { events }] = await Promise.all([run.describe(), run.fetchHistory()]);
      for (const { lastWorkerIdentity: identity } of raw.pendingActivities ?? [])
        if (identity) identities.add(identity);
      for (const { activityTaskStartedEventAttributes: started } of events ?? [])
        if (started?.identity) identities.add(started.identity);
    }
  });
  return identities;
}

test('sixty calls a minute are not exceeded in any sliding minute by two workers and a load of low priority', async () => {
  // One call a minute for each of sixty cities: twice what live polling is planned for on this plan.
  await watchEachMinute(stack, []);
  const stop = new AbortController();
  const load = backfillUntil(stop.signal);
  await delay(MEASURED_MS);
  await eventually('both workers have polled', workersOfRuns, ({ size }) => size >= 2, { withinMs: 180_000 });
  stop.abort();
  const backfilled = await load;

  const most = mock.maxCallsInAnyMinute(KEY);
  const calls = mock.served();
  const minutes = ((calls.at(-1)?.arrivedAtMs ?? 0) - (calls[0]?.arrivedAtMs ?? 0)) / 60_000;
  const perMinute = calls.length / minutes;
  console.log(
    `  most calls in any sliding minute: ${most} of ${callsPerMinute}; ${calls.length} calls in ${(60 * minutes).toFixed(0)} s, ${backfilled} of them of the load`,
  );
  expect(calls.filter(({ status }) => status === 429)).toEqual([]);
  expect(most).toBeLessThanOrEqual(callsPerMinute);
  expect(perMinute).toBeGreaterThan(0.75 * callsPerMinute);
  // A quarter in each window that has begun, which may be a window more than there were whole ones.
  const windows = Math.floor((60_000 * minutes) / leaseWindowMs) + 1;
  expect(backfilled).toBeLessThanOrEqual(0.25 * callsPerMinute * windows);
  expect(backfilled / minutes).toBeGreaterThan(0.15 * callsPerMinute);
  const runs = await runsOf(stack, "status = 'completed'");
  expect(runs.reduce((sum, { published }) => sum + published, 0)).toBeGreaterThan(60);
});
