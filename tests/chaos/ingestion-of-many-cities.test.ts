import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Faults } from '../../mock/faults.ts';
import { type Mock, startMock } from '../../mock/server.ts';
import { eventually } from '../support/eventually.ts';
import {
  liveRecords,
  pauseIngestion,
  type RunRow,
  repeatedKeys,
  resumeIngestion,
  runsOf,
  type TopicRecord,
  untilStored,
} from '../support/ingestion.ts';
import { manyCities, seedCities, watchEachMinute } from '../support/many-cities.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';

const CITIES = manyCities(2_000);
const ALL = CITIES.length + seedCities().length;
/** They answer nobody as long as there are faults. */
const OUT = CITIES.slice(0, 20).map(({ id }) => id);
const BATCH = 100;

const faults: Faults = {
  outages: [
    { cities: OUT.slice(0, 10), answer: 'serverError' },
    { cities: OUT.slice(10), answer: 'reset' },
  ],
  rateLimit: { share: 0.05, calls: 2 },
  serverError: 0.05,
  gatewayPage: 0.05,
  truncated: 0.05,
  reset: 0.05,
  wrongContentType: 0.05,
  htmlPage: 0.05,
  stale: 0.05,
  latency: { share: 0.05, ms: 200 },
};

let mock: Mock;
let stack: OwnStack;

beforeAll(async () => {
  mock = await startMock({
    port: 0,
    seed: 'many',
    stepSeconds: 60,
    cities: [...seedCities(), ...CITIES],
    callsPerMinute: 30_000,
  });
  stack = await startOwnStack({
    OPENWEATHERMAP_BASE_URL: mock.url,
    OPENWEATHERMAP_PLAN: 'professional',
    INGEST_SPREAD_SECONDS: '0',
    // A repair would load what no run has published.
    COMPLETENESS_REPAIR: 'false',
  });
});
afterAll(async () => {
  await stack?.close();
  await mock?.close();
});

/** What the source has said: the body went out whole, and was an observation. */
const servedKeys = (): string[] => [
  ...new Set(
    mock
      .served()
      .filter(
        ({ inFull, status, dt, fault }) => inFull && status === 200 && dt !== null && fault !== 'htmlPage',
      )
      .map(({ cityId, dt }) => `${cityId}/${dt}`),
  ),
];

interface ExceptionRow {
  readonly scheduled_at: Date;
  readonly entity_id: string;
  readonly name: string | null;
  readonly outcome: string;
  readonly reason: string;
}

const exceptionsOf = (): Promise<ExceptionRow[]> =>
  stack.sql<ExceptionRow>(
    'select e.*, l.name from ingest_exceptions e left join locations l on l.city_id = e.entity_id',
  );

/** Each run's counts are what stands in the topic and in the exceptions. */
function expectHonest(
  runs: readonly RunRow[],
  records: readonly TopicRecord[],
  exceptions: readonly ExceptionRow[],
): void {
  for (const run of runs) {
    const { due, called, published, unchanged, failed, rejected, skipped } = run;
    expect([due, called]).toEqual([called + skipped, published + unchanged + failed + rejected]);
    const own = exceptions.filter(({ scheduled_at: at }) => at.getTime() === run.scheduled_at.getTime());
    expect(own).toHaveLength(failed + rejected + skipped);
    const at = run.scheduled_at.toISOString();
    const keys = records.filter(({ scheduledAt }) => scheduledAt === at).map(({ key }) => key);
    // A batch that a killed worker published and could not record may be outdated when the retry asks again.
    const unrecorded = new Set(keys).size - published;
    expect(unrecorded).toBeGreaterThanOrEqual(0);
    expect(unrecorded).toBeLessThanOrEqual(run.attempts > 1 ? BATCH : 0);
  }
  for (const { name, reason } of exceptions) {
    expect(name).not.toBeNull();
    expect(reason).toMatch(/\S.*[.?]$/);
  }
}

describe('two thousand cities', () => {
  test('with faults of every kind: what could be had is published once for each dt, the rest has its reason', async () => {
    mock.replaceFaults(faults);
    await watchEachMinute(stack, CITIES);
    const large = () => runsOf(stack, `due >= 2000 and status = 'completed'`);
    await eventually('two runs over all cities', large, (runs) => runs.length >= 2, { withinMs: 400_000 });
    mock.replaceFaults({});
    const clean = () => runsOf(stack, `due >= 2000 and status = 'completed' and failed = 0`);
    await eventually('a run without faults', clean, (runs) => runs.length >= 1, { withinMs: 300_000 });
    await pauseIngestion(stack);

    const records = await liveRecords(stack);
    expect(repeatedKeys(records)).toEqual([]);
    expect(records.map(({ key }) => key).sort()).toEqual(servedKeys().sort());
    expect(new Set(records.map(({ cityId }) => cityId)).size).toBe(ALL);

    const [runs, exceptions] = [await runsOf(stack), await exceptionsOf()];
    expectHonest(runs, records, exceptions);
    for (const run of (await large()).slice(0, 2)) {
      const at = run.scheduled_at.getTime();
      const named = exceptions.filter(({ scheduled_at }) => scheduled_at.getTime() === at);
      expect(named.map(({ entity_id }) => Number(entity_id))).toEqual(expect.arrayContaining(OUT));
    }
    const kinds = new Set(mock.served().map(({ fault }) => fault));
    for (const kind of ['outage', 'rateLimit', 'serverError', 'gatewayPage', 'truncated', 'reset'] as const)
      expect(kinds).toContain(kind);
    for (const kind of ['wrongContentType', 'htmlPage', 'stale', 'latency'] as const)
      expect(kinds).toContain(kind);
    expect(await untilStored(stack, records)).toEqual(servedKeys().sort());
    const calls = runs.reduce((sum, { api_calls }) => sum + api_calls, 0);
    console.log(
      `  ${runs.length} runs, ${calls} calls, ${records.length} records, ${exceptions.length} exceptions; a run of 2,000: ${(
        await large()
      )
        .map(({ started_at, finished_at }) => ((Number(finished_at) - Number(started_at)) / 1_000).toFixed(1))
        .join(', ')} s`,
    );
  });

  test('a worker that is killed in the middle of a run repeats one batch at most, and the retry finishes the run', async () => {
    const before = await liveRecords(stack);
    mock.replaceFaults({ latency: { share: 1, ms: 250 } });
    await resumeIngestion(stack);
    const underWay = () => runsOf(stack, `status = 'running' and called between 300 and 1500`);
    const [run] = await eventually('a run is under way', underWay, (runs) => runs.length === 1, {
      withinMs: 180_000,
      everyMs: 20,
    });
    const worker = stack.services().find(({ name }) => name.startsWith('worker-'));
    process.kill(worker?.process?.pid ?? 0, 'SIGKILL');
    const at = run?.scheduled_at.toISOString();
    const [finished] = await eventually(
      'the run is finished',
      () => runsOf(stack, `scheduled_at = '${at}'`),
      ([found]) => found?.status === 'completed',
      { withinMs: 180_000 },
    );
    mock.replaceFaults({});
    await pauseIngestion(stack);

    expect(finished?.attempts).toBe(2);
    const records = await liveRecords(stack);
    const repeated = repeatedKeys(records);
    console.log(
      `  killed after ${run?.called} of ${finished?.due} locations; ${repeated.length} records were repeated`,
    );
    expect(repeated.length).toBeLessThanOrEqual(BATCH);
    expect(records.length).toBeGreaterThan(before.length);
    expect(new Set(records.map(({ key }) => key))).toEqual(new Set(servedKeysTaken(records)));
    expectHonest(await runsOf(stack), records, await exceptionsOf());
    expect(finished?.due).toBe(ALL);
    expect(await untilStored(stack, records)).toEqual([...new Set(records.map(({ key }) => key))].sort());
  });
});

/** What was served, without answers that were under way to the worker when it died and that the retry found outdated. */
function servedKeysTaken(records: readonly TopicRecord[]): string[] {
  const taken = new Set(records.map(({ key }) => key));
  const lost = servedKeys().filter((key) => !taken.has(key));
  // They were in its memory, a batch and the calls under way at most.
  expect(lost.length).toBeLessThanOrEqual(BATCH + 64 + BATCH);
  return servedKeys().filter((key) => taken.has(key));
}
