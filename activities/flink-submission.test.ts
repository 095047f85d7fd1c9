import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { fakeFlink } from '../tests/support/fake-flink.ts';
import { GENERAL_FAULTS } from '../tests/support/fake-flink-faults.ts';
import type { FakeTimes } from '../tests/support/fake-job-manager.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { cancelAndWait, rootCause, submitOnce } from './flink-submission.ts';

const temporaryDirectory = temporaryDirectories();
const environment = () => new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
const flinkOf = (times: Partial<FakeTimes> = {}) => fakeFlink({ directory: temporaryDirectory(), times });
type Flink = ReturnType<typeof flinkOf>;

const submission = {
  ...{ name: 'stream', jobId: '0123456789abcdef0123456789abcdef', restorePath: '' },
  statements: ['CREATE TABLE a', 'EXECUTE STATEMENT SET'],
  settings: { 'parallelism.default': '2' },
};
const { jobId } = submission;

describe.concurrent('submitOnce', () => {
  const submit = (flink: Flink, change: Partial<typeof submission> = {}) =>
    environment().run(() =>
      submitOnce({ rest: flink.rest, gateway: flink.gateway, pollMs: 1 }, { ...submission, ...change }),
    );
  /** As Temporal does: tries again what may be tried again. */
  const submitUntilAnswered = async (flink: Flink): Promise<void> => {
    for (;;) {
      try {
        await submit(flink);
        return;
      } catch (error) {
        if (!(error as { retryable: boolean }).retryable) throw error;
        await delay(10);
      }
    }
  };

  test('submits the statements in their order, under the name and the id that were decided', async () => {
    const flink = flinkOf();
    await submit(flink);
    expect(flink.submissions).toMatchObject([
      {
        statements: submission.statements,
        properties: {
          'parallelism.default': '2',
          'pipeline.name': 'stream',
          '$internal.pipeline.job-id': jobId,
        },
      },
    ]);
    expect(Object.keys(flink.submissions[0]?.properties ?? {})).toHaveLength(3);
  });

  test('goes on from a snapshot without owning it', async () => {
    const flink = flinkOf();
    await submit(flink, { restorePath: 'file:///s/1' });
    expect(flink.submissions[0]?.properties).toMatchObject({
      'execution.state-recovery.path': 'file:///s/1',
      'execution.state-recovery.claim-mode': 'NO_CLAIM',
    });
  });

  test.each(['RUNNING', 'FAILED', 'FINISHED'] as const)(
    'attaches to a job that Flink has already, although it is %s',
    async (state) => {
      const flink = flinkOf();
      flink.put({ id: jobId, name: 'stream', state });
      await submit(flink);
      expect(flink.done).toEqual([]);
    },
  );

  test.each(GENERAL_FAULTS.filter((fault) => fault !== 'HTTP 500'))(
    'one job runs after "%s" at any of its steps',
    async (fault) => {
      for (const step of ['open a session', 'execute', 'describe a job', 'list the jobs'] as const) {
        const flink = flinkOf();
        flink.faults.arm(step, fault);
        await submitUntilAnswered(flink);
        expect([step, [...flink.jobs.keys()], flink.mostActive()]).toEqual([step, [jobId], 1]);
        expect(flink.faults.armed()).toEqual([]);
      }
    },
  );

  test('a statement that is refused is a refusal, which no retry changes', async () => {
    const flink = flinkOf();
    flink.faults.arm('execute', 'HTTP 500');
    await expect(submit(flink)).rejects.toMatchObject({ code: 'FLINK_STATEMENT', retryable: false });
    expect(flink.jobs.size).toBe(0);
  });

  test('a gateway that cannot open a session is asked again', async () => {
    const flink = flinkOf();
    flink.faults.arm('open a session', 'HTTP 500');
    await expect(submit(flink)).rejects.toMatchObject({ code: 'FLINK_REQUEST', retryable: true });
  });

  test('ends an earlier submission of the same job first, and no other job', async () => {
    const flink = flinkOf({ cancelMs: 20 });
    flink.put({ id: 'older', name: 'stream', state: 'RESTARTING' });
    flink.put({ id: 'ended', name: 'stream', state: 'FAILED' });
    flink.put({ id: 'stranger', name: 'other' });
    await submit(flink);
    expect(flink.done).toEqual(['cancel older', `submit ${jobId}`]);
    expect(flink.mostActive()).toBe(1);
  });
});

describe.concurrent('cancelAndWait', () => {
  const cancel = (flink: Flink, id = jobId) =>
    environment().run(() => cancelAndWait({ rest: flink.rest, pollMs: 1 }, id));

  test('returns when the job has ended, having asked once', async () => {
    const flink = flinkOf({ cancelMs: 30 });
    flink.put({ id: jobId, name: 'stream' });
    await cancel(flink);
    expect(flink.jobs.get(jobId)?.state).toBe('CANCELED');
    expect(flink.done).toEqual([`cancel ${jobId}`]);
  });

  test('a job that has ended, or that Flink does not know, is cancelled already', async () => {
    const flink = flinkOf();
    flink.put({ id: jobId, name: 'stream', state: 'FINISHED' });
    await cancel(flink);
    await cancel(flink, 'unknown');
    expect(flink.done).toEqual([]);
  });
});

describe.concurrent('rootCause', () => {
  test('is what the newest exception says', async () => {
    const flink = flinkOf();
    flink.put({ id: jobId, name: 'stream' });
    flink.fail(jobId, 'a.JobException: outer\nCaused by: java.io.IOException: older', 'RESTARTING');
    flink.fail(jobId, 'a.JobException: outer\nCaused by: java.io.IOException: the disk is full');
    expect(await rootCause(flink.rest, jobId)).toBe('IOException: the disk is full');
  });

  test('is what the result of the job says when there is no exception, as after a failed restore', async () => {
    const flink = flinkOf();
    const job = flink.put({ id: jobId, name: 'stream', state: 'FAILED' });
    job.failure = 'a.JobInitializationException: outer\nCaused by: java.io.IOException: no such snapshot';
    expect(await rootCause(flink.rest, jobId)).toBe('IOException: no such snapshot');
  });

  test('says so when there is none, and when Flink forgets the job in the meantime', async () => {
    const flink = flinkOf();
    flink.put({ id: jobId, name: 'stream', state: 'CANCELED' });
    expect(await rootCause(flink.rest, jobId)).toBe('Flink gave no reason');
    flink.faults.arm('execution result', 'JobManager lost before');
    expect(await rootCause(flink.rest, jobId)).toBe('Flink forgot the job before it gave a reason');
  });

  test('a JobManager that does not answer gives no cause, and no wrong one', async () => {
    const flink = flinkOf();
    flink.put({ id: jobId, name: 'stream', state: 'FAILED' });
    flink.faults.arm('exceptions', 'unreachable once');
    await expect(rootCause(flink.rest, jobId)).rejects.toMatchObject({ code: 'FLINK_UNREACHABLE' });
  });
});
