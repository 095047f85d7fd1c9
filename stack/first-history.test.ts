import type { Client } from '@temporalio/client';
import { describe, expect, test, vi } from 'vitest';
import { BackfillFailedError } from '../clients/backfill-control.ts';
import { backfillRequestSchema } from '../schemas/backfill.ts';
import { judgeFirstHistory } from './first-history.ts';

const request = backfillRequestSchema.parse({
  ...{ pipeline: 'weather', from: '2026-01-30T17:00:00Z', to: '2026-01-31T17:00:00Z' },
});
const first = { request, locations: 60 };
const scope = { source: 'mock', shards: 1 } as const;

function client() {
  const start = vi.fn(async () => ({ workflowId: 'the check' }));
  return { start, client: { workflow: { start } } as unknown as Client };
}
function deferred() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: () => resolve() };
}
const theCheck = [
  'checkCompleteness',
  expect.objectContaining({
    workflowId: 'completeness/weather-by-hand-20260130T17-20260131T17',
    args: [{ ...scope, pipeline: 'weather', from: request.from, to: request.to }],
  }),
];

describe('the first history', () => {
  test('is judged when it is loaded, and not before', async () => {
    const { client: temporal, start } = client();
    const { promise: loading, resolve: loaded } = deferred();
    const ended = () => loading;
    const judged = judgeFirstHistory(temporal, first, { ended }, scope);
    expect(start).not.toHaveBeenCalled();
    loaded();
    await judged;
    expect(start.mock.calls).toEqual([theCheck]);
  });

  test('is judged also when loading it has failed: the check has it repaired', async () => {
    const { client: temporal, start } = client();
    const ended = () => Promise.reject(new BackfillFailedError('backfill/weather-1', new Error('no answer')));
    await judgeFirstHistory(temporal, first, { ended }, scope);
    expect(start.mock.calls).toEqual([theCheck]);
  });

  test('is not judged when nobody knows whether it is loaded', async () => {
    const { client: temporal, start } = client();
    const ended = () => Promise.reject(new Error('the connection was lost'));
    await expect(judgeFirstHistory(temporal, first, { ended }, scope)).rejects.toThrow('the connection');
    expect(start).not.toHaveBeenCalled();
  });
});
