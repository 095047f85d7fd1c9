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

/** Metrics that Flink has collected, by part. */
const flinkWith = (collected: Readonly<Record<string, Readonly<Record<string, number>>>>) => {
  const asked: (readonly [string, readonly string[]])[] = [];
  return {
    asked,
    async metricSums(_: string, part: string, metrics: readonly string[]) {
      asked.push([part, metrics]);
      const known = Object.entries(collected[part] ?? {});
      return Object.fromEntries(known.filter(([metric]) => metrics.includes(metric)));
    },
  };
};

describe('the records that went through a stream', () => {
  const nodes = [node('s1'), node('s2'), node('dedup', 's1', 's2'), node('hours', 'dedup')];
  const parts = [
    { ...vertex('s1', 0, 10), name: 'Source: records[1] -> Calc[2]' },
    { ...vertex('s2', 0, 5), name: 'Source: more[3]' },
    { ...vertex('dedup', 15, 12), name: 'Deduplicate[4] -> (Calc[5] -> Sink: facts[7], Calc[8])' },
    { ...vertex('hours', 12, 0), name: 'GroupAggregate[10] -> Sink: hours[12] -> Sink: log[13]: Writer' },
  ];

  test('are what its sources handed on, and what reached each writer, whatever it is chained to', async () => {
    const flink = flinkWith({
      dedup: { 'Sink__facts[7].numRecordsIn': 11, 'Calc[5].numRecordsIn': 99 },
      hours: { 'Sink__hours[12].numRecordsIn': 0, 'Sink__log[13]__Writer.numRecordsIn': 3 },
    });
    expect(await recordsThrough(job(parts, nodes), flink)).toEqual({
      handed: 15,
      written: { facts: 11, hours: 0, log: 3 },
    });
    expect(flink.asked.map(([part]) => part)).toEqual(['dedup', 'hours']);
  });

  test('are none where Flink has not counted yet', async () => {
    const started = parts.map(({ metrics: _, ...part }) => ({ ...part, status: 'CREATED' }));
    expect(await recordsThrough(job(started, nodes), flinkWith({}))).toEqual({
      handed: 0,
      written: { facts: 0, hours: 0, log: 0 },
    });
  });

  test('that are written cannot be told where no writer is named as Flink names it', async () => {
    const unnamed = [
      vertex('s1', 0, 10),
      { ...vertex('dedup', 10, 0), name: 'Sink: Sink(table=[a.b.facts])' },
    ];
    const through = recordsThrough(job(unnamed, [node('s1'), node('dedup', 's1')]), flinkWith({}));
    expect(await through).toEqual({ handed: 10, written: {} });
  });
});
