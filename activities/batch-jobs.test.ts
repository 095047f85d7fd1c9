import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { FlinkRequestError, FlinkStatementError, FlinkUnreachableError } from '../clients/flink-errors.ts';
import type { FlinkGatewayClient } from '../clients/flink-gateway.ts';
import type { FlinkJob, FlinkRestClient } from '../clients/flink-rest.ts';
import { type BatchProgress, flinkNameOf } from '../domain/batch-job.ts';
import { batchJobs } from '../pipelines/index.ts';
import { createBatchJobActivities } from './batch-jobs.ts';

const job = 'recompute-hours';
const parameters = { from: '2026-01-31T00:00:00Z', to: '2026-02-01T00:00:00Z' };
const jobId = '0123456789abcdef0123456789abcdef';
const name = flinkNameOf('batch-job/recompute-hours/x');
const away = (): never => {
  throw new FlinkUnreachableError('Flink JobManager', 'http://a', 'ECONNREFUSED', undefined);
};

/** A Flink in memory: jobs by id, and what each question is answered with. */
function fakeFlink() {
  const jobs = new Map<string, { name: string; state: string }>();
  const done: string[] = [];
  const submissions: { statements: readonly string[]; properties: Readonly<Record<string, string>> }[] = [];
  const looks: (() => BatchProgress | undefined)[] = [];
  const flink = {
    ...{ jobs, done, submissions, looks },
    failure: 'a.JobException: outer\nCaused by: org.postgresql.util.PSQLException: the disk is full',
    /** Is called before a job is described. */
    onDescribe: (): void => undefined,
    onSubmit: (accept: () => void): void => accept(),
    onCancel(found: { state: string }): void {
      found.state = 'CANCELED';
    },
  };
  const rest: Partial<FlinkRestClient> = {
    jobs: async () => [...jobs].map(([id, each]) => ({ id, ...each })) as never,
    async job(id) {
      flink.onDescribe();
      const found = jobs.get(id);
      return found === undefined ? undefined : ({ jid: id, vertices: [], ...found } as unknown as FlinkJob);
    },
    exceptions: async () => [],
    executionFailure: async () => flink.failure,
    async cancel(id) {
      done.push(`cancel ${id}`);
      const found = jobs.get(id);
      if (found !== undefined) flink.onCancel(found);
    },
  };
  const gateway: FlinkGatewayClient = {
    async execute(statements, properties) {
      submissions.push({ statements, properties });
      const id = properties['$internal.pipeline.job-id'] ?? '';
      done.push(`submit ${id}`);
      flink.onSubmit(() => {
        jobs.set(id, { name: properties['pipeline.name'] ?? '', state: 'RUNNING' });
      });
      return { jobId: id, rows: [] };
    },
  };
  const activities = createBatchJobActivities({
    rest: rest as FlinkRestClient,
    gateway,
    progress: async () => (looks.length > 1 ? looks.shift() : looks[0])?.(),
    batchJobs,
    parameters: () => ({ jdbc_url: 'jdbc:postgresql://h/d' }),
    ...{ pollMs: 1, watchMs: 1 },
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  const submission = { job, parameters, name, jobId };
  return {
    ...{ flink, activities, environment },
    submit: () => environment.run(activities.submitBatchJob, submission),
    watch: (seen?: BatchProgress, untilMs = 60_000) =>
      environment.run(activities.watchBatchJob, { jobId, seen, untilMs }),
    cancel: () => environment.run(activities.cancelBatchJob, { jobId }),
  };
}

describe('describeBatchJob', () => {
  const { activities } = fakeFlink();

  test('says how hard a job is tried', async () => {
    expect(await activities.describeBatchJob({ job, parameters })).toEqual(batchJobs[job]?.policy);
  });

  test('refuses what cannot run, before anything is submitted', async () => {
    const refused = { retryable: false };
    await expect(activities.describeBatchJob({ job, parameters: {} })).rejects.toMatchObject({
      ...{ ...refused, code: 'BATCH_PARAMETERS' },
    });
    for (const unknown of ['rebuild', 'toString'])
      await expect(activities.describeBatchJob({ job: unknown, parameters })).rejects.toMatchObject({
        ...{ ...refused, code: 'UNKNOWN_BATCH_JOB' },
        message: `There is no batch job "${unknown}"; there are: ${Object.keys(batchJobs).join(', ')}.`,
      });
  });
});

describe('submitBatchJob', () => {
  test('submits the job’s statements in their order, as a batch job of the id that was decided', async () => {
    const { flink, submit } = fakeFlink();
    await submit();
    const [submission] = flink.submissions;
    expect(submission?.statements).toHaveLength(batchJobs[job]?.files.length ?? 0);
    expect(submission?.statements.join()).not.toContain('${');
    expect(submission?.statements.join()).toContain("observed_at >= TIMESTAMP '2026-01-31 00:00:00'");
    expect(submission?.properties).toEqual({
      ...batchJobs[job]?.settings,
      ...{ 'execution.runtime-mode': 'batch', 'restart-strategy.type': 'none' },
      ...{ 'parallelism.default': '2', 'pipeline.name': name, '$internal.pipeline.job-id': jobId },
    });
  });

  test('attaches to the job when Flink has it already, also when that has ended', async () => {
    for (const state of ['RUNNING', 'FINISHED']) {
      const { flink, submit } = fakeFlink();
      flink.jobs.set(jobId, { name, state });
      await submit();
      expect(flink.done).toEqual([]);
    }
  });

  test('attaches when the answer was lost: the gateway was killed after it had handed the job over', async () => {
    const { flink, submit } = fakeFlink();
    flink.onSubmit = (accept) => {
      accept();
      away();
    };
    await expect(submit()).rejects.toMatchObject({ code: 'FLINK_UNREACHABLE', retryable: true });
    await submit();
    expect(flink.done).toEqual([`submit ${jobId}`]);
  });

  test('ends what an earlier run of the same workflow left behind, and nothing else', async () => {
    const { flink, submit } = fakeFlink();
    flink.jobs.set('left', { name, state: 'CREATED' });
    flink.jobs.set('ended', { name, state: 'FAILED' });
    flink.jobs.set('stream', { name: 'weather-stream', state: 'RUNNING' });
    flink.jobs.set('another', { name: flinkNameOf('batch-job/recompute-hours/y'), state: 'RUNNING' });
    await submit();
    expect(flink.done).toEqual(['cancel left', `submit ${jobId}`]);
  });

  test('a JobManager that is away is no refusal, also when the gateway gives it as one', async () => {
    const { flink, submit } = fakeFlink();
    flink.onSubmit = () => {
      flink.onDescribe = away;
      throw new FlinkStatementError('INSERT', 'a.JobSubmissionException: connection refused');
    };
    await expect(submit()).rejects.toMatchObject({ code: 'FLINK_UNREACHABLE', retryable: true });
  });

  test('a refusal of a job that Flink does not have is a refusal', async () => {
    const { flink, submit } = fakeFlink();
    flink.onSubmit = () => {
      throw new FlinkStatementError('INSERT', 'a.ValidationException: wrong');
    };
    await expect(submit()).rejects.toMatchObject({ code: 'FLINK_STATEMENT', retryable: false });
  });
});

describe('watchBatchJob', () => {
  const seen = { state: 'RUNNING', parts: 2, finishedParts: 0, recordsWritten: 0 };

  test('returns at once what nobody has seen yet', async () => {
    const { flink, watch } = fakeFlink();
    flink.looks.push(() => seen);
    expect(await watch()).toEqual(seen);
  });

  test('looks until a part has finished, and its heartbeats tell how far the job is meanwhile', async () => {
    const { flink, environment, watch } = fakeFlink();
    const heartbeats: unknown[] = [];
    environment.on('heartbeat', (details) => heartbeats.push(details));
    const news = { ...seen, finishedParts: 1, recordsWritten: 9 };
    flink.looks.push(
      () => seen,
      () => ({ ...seen, recordsWritten: 7 }),
      () => news,
    );
    expect(await watch(seen)).toEqual(news);
    expect(heartbeats).toContainEqual({ ...seen, recordsWritten: 7 });
    expect(heartbeats.at(-1)).toEqual(news);
  });

  test('returns the newest sight when the time has passed', async () => {
    const { flink, watch } = fakeFlink();
    const now = { ...seen, recordsWritten: 7 };
    flink.looks.push(() => now);
    expect(await watch(seen, 5)).toEqual(now);
  });

  test('a JobManager that does not answer says nothing of the job', async () => {
    const { flink, watch } = fakeFlink();
    flink.looks.push(away);
    expect(await watch(seen, 5)).toEqual(seen);
    expect(await watch(undefined, 5)).toBeUndefined();
    flink.looks.unshift(away, away);
    flink.looks.push(() => ({ ...seen, state: 'FINISHED' }));
    expect(await watch(seen)).toMatchObject({ state: 'FINISHED' });
  });

  test('a job that the cluster does not know is lost', async () => {
    const { watch } = fakeFlink();
    expect(await watch(seen)).toMatchObject({
      ...{ state: 'UNKNOWN', reason: 'the Flink cluster does not know the job' },
    });
  });

  test('a failure is told with its root cause, in one sentence', async () => {
    const { flink, watch } = fakeFlink();
    flink.looks.push(() => ({ ...seen, state: 'FAILED' }));
    expect(await watch(seen)).toMatchObject({
      ...{ state: 'FAILED', reason: 'the job is FAILED: PSQLException: the disk is full' },
    });
  });

  test('an answer that is an error is the next try’s to ask again', async () => {
    const { flink, watch } = fakeFlink();
    flink.looks.push(() => {
      throw new FlinkRequestError(`describe job ${jobId}`, 503, 'leader election');
    });
    await expect(watch(seen)).rejects.toMatchObject({ retryable: true });
  });

  test('returns at once when it is cancelled', async () => {
    const { flink, environment, watch } = fakeFlink();
    flink.looks.push(() => seen);
    const watching = watch(seen);
    environment.cancel();
    await expect(watching).rejects.toThrow();
  });
});

describe('cancelBatchJob', () => {
  test('returns when the job has ended, and when it has ended before', async () => {
    const { flink, cancel } = fakeFlink();
    flink.jobs.set(jobId, { name, state: 'RUNNING' });
    await cancel();
    expect(flink.jobs.get(jobId)?.state).toBe('CANCELED');
    await cancel();
    expect(flink.done).toEqual([`cancel ${jobId}`]);
  });

  test('a JobManager that is away is asked again by the next try', async () => {
    const { flink, cancel } = fakeFlink();
    flink.onDescribe = away;
    await expect(cancel()).rejects.toMatchObject({ retryable: true });
  });

  test('a job that never arrived is cancelled already', async () => {
    const { flink, cancel } = fakeFlink();
    await cancel();
    expect(flink.done).toEqual([]);
  });
});
