/** New versions of a running job, on the real Flink and under load: what fits, what does not, and what comes back by itself. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { recordsThrough } from '../../clients/flink-records.ts';
import { CommandRefusedError } from '../../clients/job-actor.ts';
import { kafkaBrokers } from '../../config/addresses.ts';
import type { JobCommandInput, JobState } from '../../schemas/job.ts';
import { withOtherState } from '../support/changed-versions.ts';
import { eventually } from '../support/eventually.ts';
import { type IsolatedActor, startIsolatedActor } from '../support/isolated-actor.ts';
import { createIsolatedPipeline, type IsolatedPipeline } from '../support/isolated-pipeline.ts';
import { rowDifferences } from '../support/row-differences.ts';
import { config } from '../support/shared-stack.ts';
import { shrunkenHours, watchForShrunkenHours } from '../support/shrunken-hours.ts';
import { hoursOfTruth, rowOfTruth } from '../support/truth.ts';
import {
  createWeatherLoad,
  type Publishing,
  publishSteadily,
  type WeatherLoad,
} from '../support/weather-load.ts';

/** Poison may be taken for a city of a small id. */
const FIRST_CITY = 9_000_000;
/** Nothing of it comes before a test publishes it. */
const LATE_CITY = FIRST_CITY + 1_000;
const PER_SECOND = 50;
const WITHIN_MS = 20_000;

let pipeline: IsolatedPipeline;
let actor: IsolatedActor;
let publishing: Publishing | undefined;
const load = createWeatherLoad({ firstCity: FIRST_CITY, cities: 40 });
const late = createWeatherLoad({ firstCity: LATE_CITY, cities: 1 });

beforeAll(async () => {
  pipeline = await createIsolatedPipeline('upgrades');
  for (const statement of watchForShrunkenHours) await pipeline.sql.query(statement);
  actor = await startIsolatedActor(pipeline, { upgradeWithinMs: WITHIN_MS, savepointEveryMs: 0 });
  publishing = await publish(load, PER_SECOND);
  await actor.command('deploy', { version: await actor.version() });
  await actor.until('it is stable', ({ phase }) => phase === 'stable');
});
afterAll(async () => {
  await publishing?.stop();
  await actor?.close();
  await pipeline?.close();
});

const publish = (records: WeatherLoad, perSecond: number): Promise<Publishing> =>
  publishSteadily(records, {
    ...{ brokers: kafkaBrokers(config), topic: pipeline.topics.live.name, perSecond },
  });

const inJob = (from: string, to: string) => (sql: string) =>
  sql.startsWith('-- The continuous job') ? sql.replace(from, to) : sql;
const louder = inJob('  condition_description,', '  UPPER(condition_description) AS condition_description,');
const crashing = inJob(
  '  condition_description,',
  '  CAST(CAST(condition_description AS INT) AS STRING) AS condition_description,',
);
const crashingLater = inJob(
  '  condition_description,',
  `  CASE WHEN city_id = ${LATE_CITY} THEN CAST(CAST(condition_description AS INT) AS STRING) ELSE condition_description END AS condition_description,`,
);
/** Its hours are true: only the table of observations gets nothing. */
const dropping = inJob('FROM plausible_observations;', 'FROM plausible_observations WHERE city_id < 0;');
/** Another version of the same meaning. */
const tuned = (rows: number) => (sql: string) =>
  sql.replace(`'sink.buffer-flush.max-rows' = '5000'`, `'sink.buffer-flush.max-rows' = '${rows}'`);

const confirmed = (version: string): Promise<JobState> =>
  actor.until(
    `version ${version} is confirmed`,
    ({ phase, version: its, upgrades }) =>
      phase === 'stable' && its === version && upgrades.confirmed === version,
  );
async function upgrade(version: string, input: JobCommandInput<'deploy'> = {}) {
  const before = await actor.state();
  const startedAt = Date.now();
  await actor.command('deploy', { version, ...input });
  const after = await confirmed(version);
  await sayPause(input?.upgradeMode ?? 'savepoint', startedAt);
  return { before, after };
}

/** A figure for whoever runs this by hand: how long readers saw nothing new. */
async function sayPause(what: string, sinceMs: number): Promise<void> {
  const [row] = await pipeline.rows<{ seconds: string }>(
    `select max(extract(epoch from stored_at - before)) as seconds from (
       select stored_at, lag(stored_at) over (order by stored_at) as before
       from (select distinct stored_at from observations) as stores
     ) as pauses where stored_at > '${new Date(sinceMs).toISOString()}'`,
  );
  console.log(`  ${what}: nothing was stored for ${Number(row?.seconds).toFixed(1)} s at most`);
}
/** The version is tried, and left for the one before by itself. @param meanwhile once it is tried */
async function rolledBack(
  version: string,
  meanwhile = async (): Promise<void> => undefined,
): Promise<{ before: JobState; after: JobState }> {
  const before = await actor.state();
  const startedAt = Date.now();
  await actor.command('deploy', { version });
  await meanwhile();
  const after = await actor.until(
    `version ${version} is rolled back`,
    ({ phase, attempt, version: its }) =>
      phase === 'stable' && attempt > before.attempt + 1 && its === before.version,
  );
  await sayPause('tried and rolled back', startedAt);
  expect(after.desiredVersion).toBe(before.version);
  expect(after.upgrades.rejected).toMatchObject({ version, isByCommand: false });
  const savepoints = await pipeline.rows<{ path: string }>(
    `select path from savepoints where kind = 'suspend' and flink_job_id = '${before.jobId}'`,
  );
  expect(after.restorePath).toBe(savepoints[0]?.path);
  expect((await actor.events()).at(-1)?.event).toBe('becameStable');
  return { before, after };
}

const rowsOf = (table: string): Promise<Record<string, unknown>[]> =>
  pipeline.rows(`select * from ${table} where city_id >= ${FIRST_CITY}`);

async function expectTruth(): Promise<void> {
  await publishing?.stop();
  publishing = undefined;
  await pipeline.untilRead();
  const keyOf = (time: string) => (row: Readonly<Record<string, unknown>>) =>
    `${row['city_id']} at ${(row[time] as Date).toISOString()}`;
  const truth = [...load.observations.values(), ...late.observations.values()];
  const rows = truth.map((record) => {
    // One of the versions writes it louder.
    const { condition_description: _, ...row } = rowOfTruth(record);
    return row;
  });
  expect(rowDifferences(await rowsOf('observations'), rows, keyOf('observed_at'))).toEqual([]);
  expect(rowDifferences(await rowsOf('weather_hourly'), hoursOfTruth(truth), keyOf('window_start'))).toEqual(
    [],
  );
  expect(await pipeline.rows(shrunkenHours)).toEqual([]);
}

describe('a new version', () => {
  test('whose state fits goes on from the savepoint of the one before, and is confirmed', async () => {
    const { before, after } = await upgrade(await actor.version(louder));
    expect(after.restorePath).toContain('/savepoints/savepoint-');
    expect(after.upgrades.previous).toEqual({
      version: before.version,
      path: after.restorePath,
      parallelism: 0,
    });
    expect((await actor.events()).at(-1)?.event).toBe('confirmed');
    const [{ loud, quiet } = { loud: 0, quiet: 0 }] = await pipeline.rows<{ loud: number; quiet: number }>(
      `select count(*) filter (where condition_description = 'LIGHT RAIN')::int as loud,
         count(*) filter (where condition_description = 'light rain')::int as quiet from observations`,
    );
    expect([loud > 0, quiet > 0]).toEqual([true, true]);
  });

  test('is gone back from by hand, to the savepoint of the one before, and that is confirmed in its turn', async () => {
    const { version, upgrades } = await actor.state();
    const { previous } = upgrades;
    await actor.command('rollback');
    const after = await confirmed(previous?.version ?? '');
    expect(after.restorePath).toBe(previous?.path);
    expect(after.upgrades.rejected).toMatchObject({ version, isByCommand: true });
  });

  test('goes on from the last checkpoint when that is asked for: no savepoint is taken', async () => {
    const { before, after } = await upgrade(await actor.version(tuned(4_000)), { upgradeMode: 'checkpoint' });
    expect(after.restorePath).toContain(`/${before.jobId}/chk-`);
    expect(
      await pipeline.rows(
        `select from savepoints where flink_job_id = '${before.jobId}' and kind = 'suspend'`,
      ),
    ).toEqual([]);
  });

  test('starts without state only when its loss is accepted', async () => {
    const version = await actor.version(tuned(3_000));
    const before = await actor.state();
    await expect(actor.command('deploy', { version, upgradeMode: 'stateless' })).rejects.toThrow(
      CommandRefusedError,
    );
    expect(await actor.state()).toMatchObject({ desiredVersion: before.version, attempt: before.attempt });
    const { after } = await upgrade(version, { upgradeMode: 'stateless', acceptStateLoss: true });
    expect(after.restorePath).toBe('');
    expect(after.upgrades.previous?.path).toContain('/savepoints/savepoint-');
  });

  test('that is not on record is refused', async () => {
    await expect(actor.command('deploy', { version: '0123456789ab' })).rejects.toThrow(
      'Version 0123456789ab of',
    );
  });

  test('is the same one with another parallelism: the job is rescaled up and down', async () => {
    const before = await actor.state();
    for (const parallelism of [2, 1]) {
      const startedAt = Date.now();
      const { version } = await actor.command('deploy', { version: before.version, parallelism });
      const after = await actor.until(
        `it runs with parallelism ${parallelism}`,
        ({ phase, version: its, desiredVersion }) => phase === 'stable' && its === desiredVersion,
      );
      await sayPause(`parallelism ${parallelism}`, startedAt);
      const vertices = (await pipeline.rest.job(after.jobId))?.vertices ?? [];
      expect([version === after.version, ...vertices.map((vertex) => vertex.parallelism)]).toEqual([
        false,
        ...vertices.map(() => parallelism),
      ]);
    }
    expect((await actor.state()).version).toBe(before.version);
  });
});

describe('a new version is rolled back by itself', () => {
  afterEach(() => actor.guard({ upgradeLeastMs: 1_000, upgradeWithinMs: WITHIN_MS }));

  test('when its state does not fit, with the reason and the way that is left', async () => {
    const { after } = await rolledBack(await actor.version(withOtherState));
    expect(after.upgrades.rejected?.reason).toMatch(
      /^its state does not fit, because .*hourglass job deploy upgrades-\w+ --shadow$/,
    );
    expect(actor.notices.at(-1)).toMatchObject({ status: 'raised', kind: 'job-rolled-back' });
  });

  test('when it crashes after it has started', async () => {
    const { after } = await rolledBack(await actor.version(crashing));
    expect(after.upgrades.rejected?.reason).toMatch(/NumberFormatException|For input string/);
    expect(actor.notices.at(-1)).toMatchObject({ status: 'raised', kind: 'job-rolled-back' });
  });

  test('when it works, and crashes before it has run for its least time', async () => {
    actor.guard({ upgradeLeastMs: 60_000, upgradeWithinMs: 120_000 });
    const version = await actor.version(crashingLater);
    let tried: JobState | undefined;
    const { after } = await rolledBack(version, async () => {
      tried = await actor.until(
        'it is tried',
        (seen) => seen.version === version && seen.phase === 'settling',
      );
      const { jobId } = tried;
      await eventually(
        'it has all the checkpoints it needs, and its writers have records',
        async () => {
          const job = await pipeline.rest.job(jobId);
          const { completed } = await pipeline.rest.checkpoints(jobId);
          return { completed, ...(job && (await recordsThrough(job, pipeline.rest))) };
        },
        ({ completed, written }) =>
          completed >= 5 && (written?.['observations'] ?? 0) > 0 && (written?.['weather_hourly'] ?? 0) > 0,
      );
      const { phase, upgrades } = await actor.state();
      expect([phase, upgrades.pending?.failures, upgrades.pending?.givenUp]).toEqual(['settling', 0, '']);
      await (await publish(late, 10)).stop();
    });
    expect(after.upgrades.rejected?.reason).toMatch(/^it failed \d+ times within .*(NumberFormat|For input)/);
    expect(late.observations.size).toBeGreaterThan(0);
  });

  test('when one of its two tables gets nothing of what it reads, after its time is over', async () => {
    const { after } = await rolledBack(await actor.version(dropping));
    expect(after.upgrades.rejected?.reason).toMatch(
      /^it was not confirmed within 20 s: it reads, and has written none of \d+ records to observations$/,
    );
  });
});

test('after all of it each row is true, and no hour ever went backwards', async () => {
  await expectTruth();
});
