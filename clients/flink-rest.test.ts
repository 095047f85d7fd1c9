import { describe, expect, test } from 'vitest';
import { type Answer, serveJson } from '../tests/support/json-server.ts';
import { FlinkRequestError, FlinkUnreachableError } from './flink-errors.ts';
import { createFlinkRestClient } from './flink-rest.ts';

const JOB = '0123456789abcdef0123456789abcdef';
const TRIGGER = 'fedcba9876543210fedcba9876543210';

const job = {
  jid: JOB,
  name: 'weather-stream',
  state: 'RUNNING',
  'start-time': 1,
  timestamps: { RUNNING: 3, FAILED: 0 },
  now: 9,
  vertices: [{ id: 'v', name: 'source', status: 'RUNNING', parallelism: 2, duration: 5 }],
  plan: {},
};

/** A JobManager that answers these, by `GET /path`. */
async function jobManager(answers: Record<string, Answer>) {
  const server = await serveJson(({ method, path }) => answers[`${method} ${path}`]);
  return { server, rest: createFlinkRestClient(server.url) };
}

describe('a job', () => {
  test('is described by what the JobManager says', async () => {
    const { rest } = await jobManager({ [`GET /jobs/${JOB}`]: { body: job } });
    expect(await rest.job(JOB)).toMatchObject({ name: 'weather-stream', state: 'RUNNING' });
  });

  test('is undefined when the JobManager answers that it knows none', async () => {
    const { rest } = await jobManager({
      [`GET /jobs/${JOB}`]: { status: 404, body: { errors: [`Job could not be found: ${JOB}`] } },
    });
    expect(await rest.job(JOB)).toBeUndefined();
  });

  test('is neither there nor gone while the JobManager does not answer', async () => {
    const { server, rest } = await jobManager({});
    await server.close();
    await expect(rest.job(JOB)).rejects.toThrow(FlinkUnreachableError);
    await expect(rest.job(JOB)).rejects.toThrow(
      new RegExp(`^The Flink JobManager at ${server.url} does not answer: .*ECONNREFUSED`),
    );
  });

  test('is neither there nor gone while the JobManager fails; it is asked again later', async () => {
    const { rest } = await jobManager({
      [`GET /jobs/${JOB}`]: { status: 503, body: { errors: ['Leader election is going on.'] } },
    });
    await expect(rest.job(JOB)).rejects.toThrow(FlinkRequestError);
    await expect(rest.job(JOB)).rejects.toMatchObject({ status: 503, retryable: true });
  });

  test('an error without any text is an error all the same', async () => {
    const { rest } = await jobManager({ [`GET /jobs/${JOB}`]: { status: 500 } });
    await expect(rest.job(JOB)).rejects.toThrow(
      `Flink refused to describe job ${JOB} (HTTP 500): it gave no reason`,
    );
  });

  test('whoever cancels the question gets the cancellation, not an unreachable JobManager', async () => {
    const { rest } = await jobManager({ [`GET /jobs/${JOB}`]: { body: job } });
    const controller = new AbortController();
    controller.abort(new Error('no longer wanted'));
    await expect(rest.job(JOB, controller.signal)).rejects.toThrow('no longer wanted');
  });
});

describe('what else is asked', () => {
  test('the overview counts TaskManagers and slots', async () => {
    const body = { taskmanagers: 1, 'slots-total': 4, 'slots-available': 2, 'flink-version': '2.2.1' };
    const { rest } = await jobManager({ 'GET /overview': { body } });
    expect(await rest.overview()).toEqual({ taskManagers: 1, slots: 4, freeSlots: 2 });
  });

  test('metrics are summed over subtasks, and what is not collected yet is not in the answer', async () => {
    const path = `GET /jobs/${JOB}/vertices/v/subtasks/metrics`;
    const { rest } = await jobManager({
      [path]: { body: [{ id: 'numRecordsIn' }, { id: 'Sink__a[7].numRecordsIn' }] },
      [`${path}?get=Sink__a%5B7%5D.numRecordsIn&agg=sum`]: {
        body: [{ id: 'Sink__a[7].numRecordsIn', sum: 12 }],
      },
      // As Flink answers when one of them is not known to it.
      [`${path}?get=Sink__a%5B7%5D.numRecordsIn,Sink__b%5B8%5D.numRecordsIn&agg=sum`]: { body: [] },
    });
    const metrics = ['Sink__a[7].numRecordsIn', 'Sink__b[8].numRecordsIn'];
    expect(await rest.metricSums(JOB, 'v', metrics)).toEqual({ 'Sink__a[7].numRecordsIn': 12 });
    expect(await rest.metricSums(JOB, 'v', ['another'])).toEqual({});
  });

  test('the jobs are listed with their states', async () => {
    const { rest } = await jobManager({ 'GET /jobs/overview': { body: { jobs: [job] } } });
    expect(await rest.jobs()).toEqual([{ id: JOB, name: 'weather-stream', state: 'RUNNING' }]);
  });

  test('the exceptions of a job are its stack traces, and those of an unknown one an error', async () => {
    const entries = [{ stacktrace: 'newest', timestamp: 2, exceptionName: 'E' }];
    const { rest } = await jobManager({
      [`GET /jobs/${JOB}/exceptions`]: { body: { exceptionHistory: { entries, truncated: false } } },
    });
    expect(await rest.exceptions(JOB)).toEqual([{ atMs: 2, trace: 'newest' }]);
    await expect(rest.exceptions('unknown')).rejects.toMatchObject({ status: 404, retryable: false });
  });

  test('after a failed restore the reason stands in the result of the job alone', async () => {
    const failure = { class: 'E', 'stack-trace': 'the state does not fit', 'serialized-throwable': '' };
    const { rest } = await jobManager({
      [`GET /jobs/${JOB}/execution-result`]: {
        body: { status: { id: 'COMPLETED' }, 'job-execution-result': { 'failure-cause': failure } },
      },
      [`GET /jobs/running/execution-result`]: { body: { status: { id: 'IN_PROGRESS' } } },
    });
    expect(await rest.executionFailure(JOB)).toBe('the state does not fit');
    expect(await rest.executionFailure('running')).toBeUndefined();
  });

  test('of the checkpoints the newest is told, and why the newest that failed did', async () => {
    const latest = {
      completed: { external_path: 'file:/c/chk-2', latest_ack_timestamp: 7 },
      failed: { failure_message: 'it was too slow' },
    };
    const { rest } = await jobManager({
      [`GET /jobs/${JOB}/checkpoints`]: { body: { counts: { completed: 2, failed: 1, total: 3 }, latest } },
    });
    expect(await rest.checkpoints(JOB)).toMatchObject({
      latestPath: 'file:/c/chk-2',
      latestAtMs: 7,
      latestFailure: 'it was too slow',
    });
  });

  test('a job without a checkpoint has none', async () => {
    const counts = { completed: 0, failed: 1, total: 1 };
    const { rest } = await jobManager({
      [`GET /jobs/${JOB}/checkpoints`]: { body: { counts, latest: { completed: null } } },
    });
    expect(await rest.checkpoints(JOB)).toEqual({ completed: 0, failed: 1, latestPath: undefined });
  });

  test('cancelling a job that is gone is done', async () => {
    const { server, rest } = await jobManager({});
    await rest.cancel(JOB);
    expect(server.requests()).toEqual([`PATCH /jobs/${JOB}?mode=cancel`]);
  });
});

describe('cancelling', () => {
  test('a job that has ended by itself is done', async () => {
    const { rest } = await jobManager({
      [`PATCH /jobs/${JOB}?mode=cancel`]: { status: 409, body: { errors: ['it has terminated'] } },
    });
    await expect(rest.cancel(JOB)).resolves.toBeUndefined();
  });

  test('is tried again when the JobManager takes too long', async () => {
    const { rest } = await jobManager({
      [`PATCH /jobs/${JOB}?mode=cancel`]: { status: 408, body: { errors: ['timed out'] } },
    });
    await expect(rest.cancel(JOB)).rejects.toMatchObject({ retryable: true });
  });
});

test('a savepoint of a job that runs on is asked for under the trigger id of the caller', async () => {
  const { server, rest } = await jobManager({
    [`POST /jobs/${JOB}/savepoints`]: { status: 202, body: { 'request-id': TRIGGER } },
  });
  await rest.triggerSavepoint(JOB, TRIGGER);
  expect(server.asked[0]?.body).toEqual({ 'cancel-job': false, triggerId: TRIGGER });
  expect(await rest.savepoint(JOB, TRIGGER)).toEqual({ status: 'unknown' });
});

test('a snapshot is disposed of by its path', async () => {
  const { server, rest } = await jobManager({
    'POST /savepoint-disposal': { status: 202, body: { 'request-id': TRIGGER } },
  });
  await rest.disposeSavepoint('file:/s/1');
  expect(server.asked[0]?.body).toEqual({ 'savepoint-path': 'file:/s/1' });
});

describe('stopping with a savepoint', () => {
  test('asks for it without drain, under the trigger id of the caller', async () => {
    const { server, rest } = await jobManager({
      [`POST /jobs/${JOB}/stop`]: { status: 202, body: { 'request-id': TRIGGER } },
    });
    await rest.stopWithSavepoint(JOB, TRIGGER);
    expect(server.asked[0]?.body).toEqual({ drain: false, triggerId: TRIGGER });
  });

  test('is refused for a job that is not known', async () => {
    const { rest } = await jobManager({});
    await expect(rest.stopWithSavepoint(JOB, TRIGGER)).rejects.toThrow(
      `Flink refused to stop job ${JOB} with a savepoint (HTTP 404): it is not known`,
    );
  });

  test.each([
    ['in progress', { status: { id: 'IN_PROGRESS' }, operation: null }, { status: 'in_progress' }],
    [
      'completed with its path',
      { status: { id: 'COMPLETED' }, operation: { location: 'file:///s/1' } },
      { status: 'completed', path: 'file:///s/1' },
    ],
    [
      'failed with its trace',
      {
        status: { id: 'COMPLETED' },
        operation: { 'failure-cause': { class: 'E', 'stack-trace': 'a.E: no' } },
      },
      { status: 'failed', trace: 'a.E: no' },
    ],
    [
      'failed without any reason',
      { status: { id: 'COMPLETED' }, operation: {} },
      { status: 'failed', trace: 'Flink gave no reason' },
    ],
  ])('the savepoint is %s', async (_, body, progress) => {
    const { rest } = await jobManager({ [`GET /jobs/${JOB}/savepoints/${TRIGGER}`]: { body } });
    expect(await rest.savepoint(JOB, TRIGGER)).toEqual(progress);
  });
});
