import { describe, expect, test } from 'vitest';
import { serveJson } from '../tests/support/json-server.ts';
import { FlinkRequestError, FlinkUnreachableError } from './flink-errors.ts';
import { createJobProgress } from './flink-progress.ts';

const part = (id: string, status: string, records: number) => ({
  ...{ id, status, name: 'part', parallelism: 1 },
  metrics: { 'read-records': records, 'write-records': 0 },
});
const job = {
  state: 'RUNNING',
  vertices: [part('source', 'FINISHED', 0), part('aggregate', 'FINISHED', 9), part('sink', 'RUNNING', 4)],
  plan: {
    nodes: [
      { id: 'source' },
      { id: 'aggregate', inputs: [{ id: 'source' }] },
      { id: 'sink', inputs: [{ id: 'aggregate' }] },
    ],
  },
};
const answering = async (body: unknown, status = 200) => {
  const server = await serveJson(() => ({ status, body }));
  return { server, ask: createJobProgress(server.url) };
};

describe('how far a job has come', () => {
  test('is its finished parts, and the records that reached what hands none on', async () => {
    const { server, ask } = await answering({ ...job, 'pending-operators': 0 });
    expect(await ask('abc')).toEqual({ state: 'RUNNING', finishedParts: 2, parts: 3, recordsWritten: 4 });
    expect(server.requests()).toEqual(['GET /jobs/abc']);
  });

  test('counts the records of every sink', async () => {
    const vertices = [part('source', 'FINISHED', 0), part('one', 'FINISHED', 3), part('two', 'FINISHED', 4)];
    const nodes = [
      { id: 'source' },
      ...['one', 'two'].map((id) => ({ id, inputs: [{ id: 'source', num: 0 }] })),
    ];
    const { ask } = await answering({ state: 'FINISHED', vertices, plan: { nodes } });
    expect(await ask('abc')).toMatchObject({ state: 'FINISHED', recordsWritten: 7 });
  });

  test('has no total while Flink plans the rest: what is last now may hand its records on', async () => {
    const { ask } = await answering({ ...job, 'pending-operators': 2 });
    expect(await ask('abc')).toEqual({ state: 'RUNNING', finishedParts: 2 });
  });

  test('is undefined only when the JobManager says that it knows no such job', async () => {
    expect(await (await answering({ errors: ['Job not found'] }, 404)).ask('abc')).toBeUndefined();
    const { ask } = await answering({ errors: ['leader election'] }, 503);
    await expect(ask('abc')).rejects.toThrow(FlinkRequestError);
    await expect(createJobProgress('http://127.0.0.1:1')('abc')).rejects.toThrow(FlinkUnreachableError);
  });
});
