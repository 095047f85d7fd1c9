import { describe, expect, test } from 'vitest';
import { recordsThrough } from './flink-records.ts';
import type { FlinkJob } from './flink-rest.ts';

const vertex = (id: string, read: number, written: number) => ({
  ...{ id, name: id, status: 'RUNNING', parallelism: 1 },
  metrics: { 'read-records': read, 'write-records': written },
});
const node = (id: string, ...inputs: string[]) => ({ id, inputs: inputs.map((input) => ({ id: input })) });
const job = (vertices: FlinkJob['vertices'], nodes: NonNullable<FlinkJob['plan']>['nodes']): FlinkJob => ({
  ...{ jid: 'j', name: 'stream', state: 'RUNNING', 'start-time': 1, timestamps: {}, now: 2 },
  ...{ vertices, plan: { nodes } },
});

describe('the records that went through a stream', () => {
  test('are what its sources handed on, and what reached the parts that write', () => {
    const vertices = [
      vertex('s1', 0, 10),
      vertex('s2', 0, 5),
      vertex('dedup', 15, 12),
      vertex('sink', 12, 0),
    ];
    const nodes = [node('s1'), node('s2'), node('dedup', 's1', 's2'), node('sink', 'dedup')];
    expect(recordsThrough(job(vertices, nodes))).toEqual({ handed: 15, written: 12 });
  });

  test('cannot be told of a part that both reads and writes, nor without a plan', () => {
    expect(recordsThrough(job([vertex('all', 0, 0)], [node('all')]))).toBeUndefined();
    expect(recordsThrough(job([vertex('all', 0, 0)], []))).toBeUndefined();
  });

  test('are none where Flink has not counted yet', () => {
    const vertices = ['s', 'sink'].map((id) => ({ id, name: id, status: 'CREATED', parallelism: 1 }));
    expect(recordsThrough(job(vertices, [node('s'), node('sink', 's')]))).toEqual({ handed: 0, written: 0 });
  });
});
