import type { Client } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { fakeDatabase } from '../../tests/support/fake-database.ts';
import { followMending } from './mending.ts';

const from = new Date('2026-01-31T17:00:00Z');
const hour = {
  ...{ pipeline: 'weather', location: { city_id: 1, name: 'Oslo', country: 'NO' } },
  ...{ from, to: new Date('2026-01-31T18:00:00Z'), expected: 4, stored: 6 },
};
const figures = { avg: { observations: 3, hourly: 13 } };
const changeTo = (verdict: string, reason: string | null = null) => ({
  ...{ window_start: from, changed_at: from, previous_verdict: 'complete', previous_reason: null },
  ...{ verdict, reason },
});
const windowThat = (verdict: string, reason: string | null, evidence: object | null) => ({
  ...{ entity_id: 1, name: 'Oslo', window_start: from, checked_at: from, attempts: 0 },
  ...{ expected: 4, observed: 3, aggregated: 6, repair_workflow_id: null },
  ...{ verdict, reason, evidence },
});

/** A check that mends the hour when its workflow is looked at for the second time. */
function aMendingWorld() {
  const before = changeTo('missing');
  const changes = [before];
  let window = windowThat('complete', null, null);
  const database = fakeDatabase({
    'window-changes': () => [...changes],
    'judged-windows': () => [window],
  });
  const starts: object[] = [];
  const client = {
    workflow: {
      start: async (_: string, options: { args: readonly object[] }) => {
        starts.push(...options.args);
        changes.push(changeTo('mismatched', 'aggregate_wrong'));
        window = windowThat('mismatched', 'aggregate_wrong', { figures });
        return {
          workflowId: 'completeness/a-check',
          query: async () => ({}),
          result: () =>
            new Promise<void>((resolve) => {
              setTimeout(() => {
                changes.push(changeTo('repairing', 'aggregate_wrong'), changeTo('repaired'));
                window = windowThat('repaired', null, null);
                resolve();
              }, 700);
            }),
        };
      },
    },
    withDeadline: (_: number, work: () => Promise<unknown>) => work(),
  } as unknown as Client;
  return { client, database, starts };
}

describe('a broken hour', () => {
  test('is followed until it is mended, each verdict told once, the present one with its proofs', async () => {
    const { client, database, starts } = aMendingWorld();
    const said: string[] = [];
    const verdicts = await followMending(client, database, {
      ...{ hour, source: 'mock', shards: 2 },
      say: (text) => said.push(text),
    });
    expect(verdicts).toEqual(['mismatched', 'repairing', 'repaired']);
    expect(starts).toEqual([
      {
        ...{ pipeline: 'weather', source: 'mock', shards: 2, repair: true, entities: [1] },
        ...{ from: '2026-01-31T17:00:00.000Z', to: '2026-01-31T18:00:00.000Z' },
      },
    ]);
    expect(said.map((text) => text.trim().split(/[:\n]/)[0])).toEqual([
      'Checked by the workflow completeness/a-check.',
      'mismatched',
      'repairing (aggregate_wrong)',
      'repaired',
    ]);
    expect(said[1]).toContain("avg: 13 in the hour's row, 3 from its observations.");
  });
});
