import type { Client } from '@temporalio/client';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  changedGroupKey,
  newSink,
  otherTimeToLive,
  type SqlChange,
  TABLES_OF_CHANGES,
  wrongAverages,
} from '../../bench/support/sql-changes.ts';
import { startDryRun } from '../../clients/candidate-runs.ts';
import { createFlinkRestClient } from '../../clients/flink-rest.ts';
import { jobActor } from '../../clients/job-actor.ts';
import { definedVersion, type JobVersion, readVersion, recordVersion } from '../../clients/job-versions.ts';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import { connectTemporal } from '../../clients/temporal.ts';
import { flinkRestUrl, kafkaBrokers, postgresAddress, temporalAddress } from '../../config/addresses.ts';
import { hasEnded } from '../../domain/job-health.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { JobState } from '../../schemas/job.ts';
import { type CheckedLoad, createCheckedLoad } from '../support/checked-load.ts';
import { eventually } from '../support/eventually.ts';
import { resumeIngestion } from '../support/ingestion.ts';
import { config, connectSql, hourglass } from '../support/shared-stack.ts';

const job = weather.job.name;
const FIRST_CITY = 9_500_000;
const rest = createFlinkRestClient(flinkRestUrl(config));
let client: Client;
let database: Database;
let sql: pg.Client;
let checked: CheckedLoad;
let admin: Admin;
/** What the definition stands for, with checkpoints that nobody has to wait for. */
let base: JobVersion;

const withTemporal = <T>(work: (given: Client) => Promise<T>): Promise<T> => work(client);
const recorded = (change: SqlChange): Promise<string> => recordVersion(database, job, change.apply(base));
const state = async (): Promise<JobState> => {
  const found = await jobActor(client, job).status();
  if (found === undefined) throw new Error('the job has no actor');
  return found;
};
/** @returns what it has come to: stable on the version, or back on the one before */
async function upgraded(version: string): Promise<'took' | 'rolledBack'> {
  await jobActor(client, job).command('deploy', { version });
  const { upgrades } = await eventually(
    'the upgrade has ended',
    state,
    ({ phase, version: runs, desiredVersion, upgrades: { pending, rejected } }) =>
      phase === 'stable' &&
      pending === undefined &&
      runs === desiredVersion &&
      (runs === version || rejected?.version === version),
    { withinMs: 200_000 },
  );
  return upgrades.rejected?.version === version ? 'rolledBack' : 'took';
}

/** Whose average is not that of their observations. */
const wrongHours = async (): Promise<readonly { window_end: Date }[]> =>
  (
    await sql.query<{ city_id: string; window_end: Date }>(
      `select h.city_id, h.window_end
       from weather_hourly h
       cross join lateral (
         select avg(o.temp) as temp_avg
         from observations o
         where o.city_id = h.city_id and o.observed_at >= h.window_start and o.observed_at < h.window_end
       ) as truth
       where h.city_id >= ${FIRST_CITY} and abs(h.temp_avg - truth.temp_avg) > 0.1`,
    )
  ).rows;

/** Of a candidate nothing is left, neither in Flink nor in the database nor in Kafka. */
async function expectNothingLeft(): Promise<void> {
  const running = (await rest.jobs()).filter(
    ({ name, state: its }) => / of weather-stream /.test(name) && !hasEnded(its),
  );
  expect(running).toEqual([]);
  const { rows } = await sql.query("select nspname from pg_namespace where nspname ~ '^(shadow|dry_run)_'");
  expect(rows).toEqual([]);
  const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId);
  expect(groups.filter((group) => group.startsWith(`${weather.consumerGroup}-`))).toEqual([]);
}

beforeAll(async () => {
  client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  database = connectDatabase({ ...postgresAddress(config), connections: 2 });
  sql = await connectSql();
  admin = new Kafka({ brokers: [...kafkaBrokers(config)], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  for (const statement of TABLES_OF_CHANGES) await sql.query(statement);
  await sql.query(`grant select, insert, update on hours_of_rain to ${config.values.POSTGRES_PIPELINE_USER}`);
  checked = createCheckedLoad(
    {
      config,
      withTemporal,
      sql: async <Row extends object>(text: string) => (await sql.query<Row>(text)).rows,
    },
    FIRST_CITY,
  );
  const defined = definedVersion(weather.job);
  base = {
    ...defined,
    settings: {
      ...defined.settings,
      'execution.checkpointing.interval': '1 s',
      'execution.checkpointing.min-pause': '0 s',
    },
  };
  await checked.begin(100);
  expect(await upgraded(await recordVersion(database, job, base))).toBe('took');
});
// The other files want the job as it is defined.
afterAll(async () => {
  await checked?.close();
  await hourglass(['job', 'deploy', job, '--wait']);
  await sql.query('drop table hours_of_rain; alter table weather_hourly drop column feels_like_max');
  await resumeIngestion({ withTemporal });
  await admin?.disconnect();
  await sql?.end();
  await database?.close();
  await client?.connection.close();
});

describe('a dry run', () => {
  test.each([
    { change: otherTimeToLive, says: 'fits', does: 'took' },
    { change: changedGroupKey, says: 'doesNotFit', does: 'rolledBack' },
    { change: newSink, says: 'fits', does: 'took' },
  ])('of "$change.name" says $says, and the upgrade $does', async ({ change, says, does }) => {
    const version = await recorded(change);
    const before = await state();
    const { code, stdout, stderr } = await hourglass([
      'job',
      'deploy',
      job,
      '--dry-run',
      '--version',
      version,
      '--json',
    ]);
    expect([code, stderr]).toEqual([0, '']);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ name: job, version, verdict: says });
    expect(await state()).toMatchObject({ jobId: before.jobId, version: before.version });
    await expectNothingLeft();
    expect([answer.sentence, await upgraded(version)]).toEqual([answer.sentence, does]);
  });

  test('that is cancelled leaves nothing behind', async () => {
    const version = await recorded(otherTimeToLive);
    const run = await startDryRun(client, { job, version });
    await eventually(
      'the candidate is in Flink',
      () => rest.jobs(),
      (jobs) =>
        jobs.some(({ name, state: its }) => name === `dry run of ${job} ${version}` && !hasEnded(its)),
      { everyMs: 50 },
    );
    await client.workflow.getHandle(run.workflowId).cancel();
    await expect(run.result()).rejects.toThrow('nothing of the candidate is left');
    await expectNothingLeft();
  });
});

describe('a shadow upgrade', () => {
  test('names wrong averages, and leaves the job as it is', async () => {
    const before = await state();
    const version = await recorded(wrongAverages);
    const { code, stdout, stderr } = await hourglass([
      ...['job', 'deploy', job, '--shadow', '--yes', '--wait', '--version', version],
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /would replay [\d,]+ records, about \d+ minutes?\. Until then it takes 2 of \d free slots/,
    );
    expect(stderr).toMatch(
      /hourglass: The shadow upgrade of weather-stream has ended, and the job was not touched: [\d,]+ windows .* compared: they differ in temp_avg in \d+; to cut over all the same, accept by name: --accept-differences temp_avg\./,
    );
    expect(stdout).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:00Z {2}95\d{5} {2}temp_avg: -?[\d.]+, the candidate says -?[\d.]+$/m,
    );
    expect(await state()).toMatchObject({ jobId: before.jobId, attempt: before.attempt });
    await expectNothingLeft();
  });

  test('cuts over where no state fits, and every row is true', async () => {
    const before = await state();
    const version = await recorded(changedGroupKey);
    const { code, stdout } = await hourglass([
      ...['job', 'deploy', job, '--shadow', '--yes', '--wait', '--version', version],
    ]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /The shadow upgrade of weather-stream has ended: it runs version \w+ from the candidate's state: [\d,]+ windows .* compared: all are equal\.\n$/,
      ),
    ]);
    expect(await state()).toMatchObject({ version, attempt: before.attempt + 1, phase: 'stable' });
    await expectNothingLeft();
    await checked.pause();
    await checked.untilAllRead(60_000);
    const { hours } = await checked.expectTruth();
    expect(hours).toBeGreaterThan(0);
  });

  test('goes on with a candidate that differs, as was accepted, and every hour is what it says', async () => {
    const runs = await readVersion(database, job, (await state()).version);
    expect(await upgraded(await recordVersion(database, job, wrongAverages.apply(runs ?? base)))).toBe(
      'took',
    );
    await eventually(
      'hours that are over have wrong averages',
      async () => {
        await checked.publish(10);
        return wrongHours();
      },
      (hours) => hours.some((hour) => hour.window_end.getTime() < Date.now()),
      { withinMs: 60_000, everyMs: 3_000 },
    );
    const version = await recordVersion(database, job, base);
    const { code, stdout } = await hourglass([
      ...['job', 'deploy', job, '--shadow', '--yes', '--wait', '--version', version],
      ...['--accept-differences', 'temp_avg'],
    ]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/they differ in temp_avg in \d+; \d+ ranges? of hours made anew\.\n$/),
    ]);
    // Also those of the hour that runs, which was not compared.
    expect(await wrongHours()).toEqual([]);
    await expectNothingLeft();
  });
});
