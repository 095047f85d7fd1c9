import { describe, expect, test } from 'vitest';
import { FlinkStatementError } from '../clients/flink-errors.ts';
import { weather } from '../pipelines/weather/definition.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { flinkActivities, parameters, target } from '../tests/support/fake-flink.ts';
import { createFlinkActivities, type JobTarget } from './flink.ts';

const { job } = weather;
const { jobId } = target;

describe('recordJobTarget', () => {
  test('derives the job id from job, version and attempt: a retry finds what the first try began', async () => {
    const { activities, database } = flinkActivities();
    const input = { name: job.name, attempt: 3, restorePath: 'file:///s/1' };
    const first = await activities.recordJobTarget(input);
    expect(first).toMatchObject({ ...input, jobId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(await activities.recordJobTarget(input)).toEqual(first);
    const next = await activities.recordJobTarget({ ...input, attempt: 4 });
    expect(next.version).toBe(first.version);
    expect(next.jobId).not.toBe(first.jobId);
    expect(database.askedFor('record-job-target')[0]).toEqual([
      ...[job.name, first.version, 3, first.jobId, 'file:///s/1'],
    ]);
  });

  test('another setting is another version', async () => {
    const changed = { ...job, settings: { ...job.settings, 'table.exec.state.ttl': '1 h' } };
    const { activities, database, flink } = flinkActivities();
    const other = createFlinkActivities({
      ...{ database, rest: flink.rest, gateway: flink.gateway, jobs: { [job.name]: changed } },
      ...{ parameters: () => parameters, checkpointDirectory: 'file:///c' },
    });
    const input = { name: job.name, attempt: 1, restorePath: '' };
    expect((await other.recordJobTarget(input)).version).not.toBe(
      (await activities.recordJobTarget(input)).version,
    );
  });

  test('what is recorded of the SQL holds its parameters’ names, and none of their values', async () => {
    const { activities, database } = flinkActivities();
    await activities.recordJobTarget({ name: job.name, attempt: 1, restorePath: '' });
    const statements = String(database.askedFor('record-job-version')[0]?.[2]);
    expect(statements).toContain('${jdbc_url}');
    expect(statements).not.toContain(parameters.jdbc_url);
  });

  test('an attempt older than the one on record is refused', async () => {
    const { activities } = flinkActivities({ database: fakeDatabase() });
    await expect(
      activities.recordJobTarget({ name: job.name, attempt: 1, restorePath: '' }),
    ).rejects.toMatchObject({ code: 'STALE_ATTEMPT', retryable: false });
  });
});

describe('submitJob', () => {
  const submit = (
    { environment, activities }: ReturnType<typeof flinkActivities>,
    change: Partial<JobTarget> = {},
  ) => environment.run(activities.submitJob, { ...target, ...change });

  test('submits the statements in their order, parameters put in, under the job id of the target', async () => {
    const setup = flinkActivities();
    await submit(setup);
    const [submission] = setup.flink.submissions;
    expect(submission?.statements).toHaveLength(job.files.length);
    expect(submission?.statements[1]).toContain(`'url' = '${parameters.jdbc_url}'`);
    expect(submission?.statements.join()).not.toContain('${');
    expect(submission?.properties).toEqual({
      ...{ ...job.settings, 'parallelism.default': String(job.parallelism) },
      ...{ 'pipeline.name': job.name, '$internal.pipeline.job-id': jobId },
    });
  });

  test('goes on from a saved state without owning it', async () => {
    const setup = flinkActivities();
    await submit(setup, { restorePath: 'file:///s/1' });
    expect(setup.flink.submissions[0]?.properties).toMatchObject({
      'execution.state-recovery.path': 'file:///s/1',
      'execution.state-recovery.claim-mode': 'NO_CLAIM',
    });
  });

  test('attaches to the job when Flink has it already', async () => {
    const setup = flinkActivities();
    setup.flink.jobs.set(jobId, { name: job.name, state: 'RUNNING' });
    await submit(setup);
    expect(setup.flink.submissions).toEqual([]);
  });

  test('attaches when it is refused as a duplicate: the first try was accepted after all', async () => {
    const setup = flinkActivities();
    setup.flink.onSubmit = (_, accept) => {
      accept();
      throw new FlinkStatementError('EXECUTE', 'a.DuplicateJobSubmissionException: twice');
    };
    await submit(setup);
    expect(setup.flink.jobs.get(jobId)?.state).toBe('RUNNING');
  });

  test('a refusal of a job that Flink does not have is a refusal', async () => {
    const setup = flinkActivities();
    setup.flink.onSubmit = () => {
      throw new FlinkStatementError('SELECT', 'a.ValidationException: wrong');
    };
    await expect(submit(setup)).rejects.toThrow('ValidationException: wrong');
  });

  test('waits until every part of the job runs', async () => {
    const setup = flinkActivities();
    const still = [
      ['RUNNING', 'DEPLOYING'],
      ['RUNNING', 'INITIALIZING'],
    ];
    setup.flink.onDescribe = () => {
      const parts = still.shift() ?? ['RUNNING', 'RUNNING'];
      setup.flink.jobs.set(jobId, { name: job.name, state: 'RUNNING', parts });
    };
    await submit(setup);
    expect(setup.flink.jobs.get(jobId)?.parts).toEqual(['RUNNING', 'RUNNING']);
  });

  test('a job that ends instead of running is told with its root cause, and not submitted again', async () => {
    const setup = flinkActivities();
    const exceptions = ['a.JobException: suppressed\nCaused by: java.io.IOException: no such snapshot'];
    setup.flink.jobs.set(jobId, { name: job.name, state: 'FAILED', exceptions });
    const submitting = submit(setup);
    await expect(submitting).rejects.toThrow(`Flink job ${jobId} is FAILED: IOException: no such snapshot`);
    await expect(submitting).rejects.toMatchObject({ code: 'FLINK_JOB_LOST', retryable: false });
    expect(setup.flink.submissions).toEqual([]);
  });

  test('ends an earlier attempt of the same job first, and no other job', async () => {
    const setup = flinkActivities();
    setup.flink.jobs.set('older', { name: job.name, state: 'RESTARTING' });
    setup.flink.jobs.set('ended', { name: job.name, state: 'FAILED' });
    setup.flink.jobs.set('stranger', { name: 'other', state: 'RUNNING' });
    await submit(setup);
    expect(setup.flink.done).toEqual(['cancel older', `submit ${jobId}`]);
  });
});

describe('the record of a job', () => {
  test('is where an actor that begins anew goes on from', async () => {
    const row = { version: 'v', attempt: 7, flink_job_id: jobId, restore_path: null };
    const { activities } = flinkActivities({ database: fakeDatabase({ 'job-record': [row] }) });
    expect(await activities.readJobRecord({ name: job.name })).toEqual({
      ...{ name: job.name, version: 'v', attempt: 7, jobId, restorePath: '' },
    });
  });

  test('is nothing for a job that was never submitted', async () => {
    expect(await flinkActivities().activities.readJobRecord({ name: job.name })).toBeUndefined();
  });

  test('an unknown job is an error that names those there are', async () => {
    const { activities } = flinkActivities();
    await expect(activities.recordJobTarget({ name: 'x', attempt: 1, restorePath: '' })).rejects.toThrow(
      `there is no job "x"; there are: ${job.name}`,
    );
  });
});
