import type { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { newestHistories } from './workflow-histories.ts';

const run = (type: string, workflowId: string, historyLength: number) => ({
  ...{ type, workflowId, runId: `${workflowId}/run`, historyLength, status: { name: 'RUNNING' }, raw: {} },
});

/** 30 open actors, and a backfill that is too long to replay. */
const runs = [
  ...Array.from({ length: 30 }, (_, index) => run('flinkJob', `job-${index}`, 10)),
  run('backfill', 'long', 20_000),
];
const client = {
  workflow: {
    count: async (query: string) => ({ count: runs.filter(({ type }) => query.includes(type)).length }),
    list: async function* ({ query }: { query: string }) {
      yield* runs.filter(({ type }) => query.includes(type));
    },
    getHandle: () => ({ fetchHistory: async () => ({ events: [] }) }),
  },
} as unknown as Client;

test('what is open and not fetched is told, each thing once', async () => {
  const leftOut: string[] = [];
  const types = ['flinkJob', 'backfill'];
  const asked = { types, longLived: types, most: 5, leaveOut: (sentence: string) => leftOut.push(sentence) };
  const fetched: string[] = [];
  for await (const { workflowId } of newestHistories(client, asked)) fetched.push(workflowId);
  expect(fetched).toEqual(Array.from({ length: 20 }, (_, index) => `job-${index}`));
  expect(leftOut).toEqual([
    'Of 30 open runs of flinkJob the newest 20 are replayed.',
    'backfill (run long) is not replayed: it has 20000 events.',
  ]);
});
