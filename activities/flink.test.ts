import { describe, expect, test } from 'vitest';
import { weather } from '../pipelines/weather/definition.ts';
import { jobPolicySchema, jobStateSchema, upgradesSchema } from '../schemas/job.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import {
  flinkActivities,
  parameters,
  recordedVersion,
  target,
} from '../tests/support/fake-flink-activities.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';

const temporaryDirectory = temporaryDirectories();
const { job } = weather;
const { name, jobId } = target;
const setUp = (options: Partial<Parameters<typeof flinkActivities>[0]> = {}) =>
  flinkActivities({ directory: temporaryDirectory(), ...options });

/** Keeps what is put on record; one is there from the beginning. */
function recordingVersions() {
  const versions = new Map<unknown, object>([[target.version, recordedVersion]]);
  return fakeDatabase({
    'record-job-version': ([, version, statements, settings]) => {
      versions.set(version, {
        statements: JSON.parse(String(statements)),
        settings: JSON.parse(String(settings)),
      });
      return [];
    },
    'job-version': ([, version]) => [versions.get(version) ?? []].flat(),
  });
}

describe('describeVersion', () => {
  test('names the same content the same, and puts it on record', async () => {
    const { activities, database } = setUp();
    const first = await activities.describeVersion({ name });
    expect(await activities.describeVersion({ name })).toEqual(first);
    expect(first.version).toMatch(/^[0-9a-f]{12}$/);
    const [recorded] = database.askedFor('record-job-version');
    expect(recorded?.slice(0, 2)).toEqual([name, first.version]);
    expect(JSON.parse(String(recorded?.[2]))).toHaveLength(job.files.length);
    expect(JSON.parse(String(recorded?.[3]))).toEqual({
      ...job.settings,
      'parallelism.default': String(job.parallelism),
    });
  });

  test.each([
    ['setting', { settings: { ...job.settings, 'table.exec.state.ttl': '1 h' } }],
    ['parallelism', { parallelism: job.parallelism + 1 }],
    ['SQL file', { files: job.files.slice(1) }],
  ])('another %s is another version', async (_, change) => {
    const { version } = await setUp().activities.describeVersion({ name });
    const changed = setUp({ definition: { ...job, ...change } });
    expect((await changed.activities.describeVersion({ name })).version).not.toBe(version);
  });

  test('one on record is named as it was, and with another parallelism it is another', async () => {
    const { activities, database } = setUp();
    const known = await activities.describeVersion({ name, version: target.version });
    const rescaled = await activities.describeVersion({ name, version: target.version, parallelism: 7 });
    const recorded = database.askedFor('record-job-version');
    expect(recorded.map(([, version]) => version)).toEqual([known.version, rescaled.version]);
    expect(recorded.map(([, , statements]) => JSON.parse(String(statements)))).toEqual([
      recordedVersion.statements,
      recordedVersion.statements,
    ]);
    expect(JSON.parse(String(recorded[1]?.[3]))).toEqual({ 'parallelism.default': '7' });
    const own = await activities.describeVersion({ name, version: target.version, parallelism: 2 });
    expect(own.version).toBe(known.version);
  });

  test('is told to be the one that was rolled back whatever its parallelism, unless that alone was gone back from', async () => {
    const { activities, database } = setUp({ database: recordingVersions() });
    const { version: own } = await activities.describeVersion({ name });
    const { version: rescaled } = await activities.describeVersion({ name, parallelism: 7 });
    const { version: other } = await activities.describeVersion({ name, version: target.version });
    const isRejected = async (version: string, instead: string, parallelism = 0) =>
      (await activities.describeVersion({ name, parallelism, rejected: { version, instead } })).isRejected;
    expect(new Set([own, rescaled, other]).size).toBe(3);
    expect(database.askedFor('record-job-version')).toHaveLength(3);
    expect(await isRejected(rescaled, other)).toBe(true);
    expect(await isRejected(rescaled, '')).toBe(true);
    expect(await isRejected(own, other, 5)).toBe(true);
    expect(await isRejected(rescaled, own)).toBe(false);
    expect(await isRejected(rescaled, own, 7)).toBe(true);
    expect(await isRejected(other, own)).toBe(false);
  });

  test('one that is not on record is refused', async () => {
    const { activities } = setUp({ database: fakeDatabase() });
    await expect(activities.describeVersion({ name, version: target.version })).rejects.toMatchObject({
      ...{ code: 'UNKNOWN_VERSION', retryable: false },
    });
  });

  test('how a job is guarded is told beside its version, and is no part of it', async () => {
    const { version } = await setUp().activities.describeVersion({ name });
    const policy = jobPolicySchema.parse({ recoveryBudget: 3 });
    const guarded = setUp({ definition: { ...job, policy } });
    expect(await guarded.activities.describeVersion({ name })).toMatchObject({ version, policy });
  });

  test('what is recorded of the SQL holds its parameters’ names, and none of their values', async () => {
    const { activities, database } = setUp();
    await activities.describeVersion({ name });
    const statements = String(database.askedFor('record-job-version')[0]?.[2]);
    expect(statements).toContain('${jdbc_url}');
    for (const value of Object.values(parameters).filter((text) => text.length > 2))
      expect(statements).not.toContain(value);
  });

  test('an unknown job is an error that names those there are', async () => {
    await expect(setUp().activities.describeVersion({ name: 'x' })).rejects.toThrow(
      `There is no Flink job "x"; there are: ${name}.`,
    );
  });
});

describe('recordJobTarget', () => {
  test('puts the submission on record', async () => {
    const { activities, database } = setUp();
    await activities.recordJobTarget({ ...target, attempt: 3, restorePath: 'file:///s/1' });
    expect(database.askedFor('record-job-target')).toEqual([[name, target.version, 3, jobId, 'file:///s/1']]);
  });

  test('a submission older than the one on record is refused', async () => {
    const { activities } = setUp({ database: fakeDatabase() });
    await expect(activities.recordJobTarget(target)).rejects.toMatchObject({
      ...{ code: 'STALE_ATTEMPT', retryable: false },
    });
  });
});

describe('submitJob', () => {
  test('submits the version that is on record, with its parameters put in', async () => {
    const { activities, environment, flink } = setUp();
    await environment.run(activities.submitJob, { ...target, restorePath: 'file:///s/1' });
    expect(flink.submissions).toMatchObject([
      {
        jobId,
        name,
        restorePath: 'file:///s/1',
        statements: [`CREATE TABLE a WITH ('url' = '${parameters.jdbc_url}')`, recordedVersion.statements[1]],
      },
    ]);
    expect(flink.submissions[0]?.properties).toMatchObject(recordedVersion.settings);
  });

  test('a version that is not on record cannot be submitted, and a retry changes nothing', async () => {
    const { activities, environment, flink } = setUp({ database: fakeDatabase() });
    await expect(environment.run(activities.submitJob, target)).rejects.toMatchObject({
      ...{ code: 'UNKNOWN_VERSION', retryable: false },
    });
    expect(flink.done).toEqual([]);
  });
});

describe('cancelJob', () => {
  test('ends the job and keeps its checkpoints', async () => {
    const { activities, environment, flink } = setUp({ times: { checkpointMs: 5 } });
    await environment.run(activities.submitJob, target);
    while (flink.snapshots.of(jobId).length === 0) await flink.rest.job(jobId);
    await environment.run(activities.cancelJob, { jobId });
    expect(flink.jobs.get(jobId)?.state).toBe('CANCELED');
    expect(flink.snapshots.of(jobId)).not.toEqual([]);
  });
});

describe('the record of a job', () => {
  const row = {
    ...{ desired: 'suspended', is_parked: true, state: 'recovering', attempt: 7, sequence: 41 },
    ...{ desired_version: 'w', version: 'v', flink_job_id: jobId },
    ...{ restore_path: 'file:///s/1', reason: 'why', upgrades: { confirmed: 'v' } },
  };

  test('is where an actor that begins anew goes on from', async () => {
    const policy = jobPolicySchema.parse({ recoveryBudget: 3 });
    const database = fakeDatabase({ 'job-record': [row] });
    const { activities } = setUp({ database, definition: { ...job, policy } });
    expect(await activities.readJobRecord({ name })).toEqual({
      ...{ desired: 'suspended', isParked: true, phase: 'recovering', attempt: 7, sequence: 41, policy },
      ...{ desiredVersion: 'w', version: 'v', jobId, restorePath: 'file:///s/1', reason: 'why' },
      upgrades: upgradesSchema.parse({ confirmed: 'v' }),
    });
  });

  test('what is not on record is empty, as in a state', async () => {
    const empty = {
      desired_version: null,
      version: null,
      flink_job_id: null,
      restore_path: null,
      reason: null,
    };
    const { activities } = setUp({ database: fakeDatabase({ 'job-record': [{ ...row, ...empty }] }) });
    expect(await activities.readJobRecord({ name })).toMatchObject({
      ...{ desiredVersion: '', version: '', jobId: '', restorePath: '', reason: '' },
    });
  });

  test('is nothing for a job that no actor has ever had', async () => {
    expect(await setUp().activities.readJobRecord({ name })).toBeUndefined();
  });

  test('an unknown job has no record either: it is an error', async () => {
    await expect(setUp().activities.readJobRecord({ name: 'x' })).rejects.toMatchObject({
      ...{ code: 'UNKNOWN_JOB', retryable: false },
    });
  });

  test('takes the state and every event, in one transaction', async () => {
    const database = fakeDatabase();
    let together: readonly string[] = [];
    const activities = setUp({
      database: {
        ...database,
        async transaction(work) {
          const result = await work(database);
          together = database.asked.map((asked) => asked.name);
          return result;
        },
      },
    }).activities;
    const state = jobStateSchema.parse({
      name,
      phase: 'stable',
      version: 'v',
      attempt: 2,
      jobId,
      sequence: 9,
    });
    const event = { atMs: 0, phase: 'stable', version: 'v', attempt: 2, jobId, reason: '' } as const;
    await activities.recordJob({
      state,
      events: [
        { ...event, sequence: 8, event: 'submitted' },
        { ...event, sequence: 9, event: 'becameStable' },
      ],
    });
    expect(together).toEqual(['record-job', 'record-job-event', 'record-job-event']);
    expect(database.askedFor('record-job')).toEqual([
      [name, 'running', false, 'stable', '', 'v', 2, jobId, '', '', 9, JSON.stringify(state.upgrades)],
    ]);
    expect(database.askedFor('record-job-event').map((parameters_) => parameters_.slice(0, 5))).toEqual([
      [name, 8, new Date(0), 'submitted', 'stable'],
      [name, 9, new Date(0), 'becameStable', 'stable'],
    ]);
  });
});
