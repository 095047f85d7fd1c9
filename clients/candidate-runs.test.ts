import type { Client } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { AcceptsOtherDifferencesError, startShadowUpgrade } from './candidate-runs.ts';

/** A Temporal on which the upgrade runs already, as the first start asked for it. */
function temporalWithOneRun() {
  let memo: Record<string, unknown> | undefined;
  const start = async (_: string, options: { workflowId: string; memo?: Record<string, unknown> }) => {
    memo ??= options.memo;
    return { workflowId: options.workflowId, describe: async () => ({ memo }) };
  };
  return { workflow: { start } } as unknown as Client;
}

describe('a shadow upgrade that runs already', () => {
  const upgrade = (client: Client, acceptDifferences: string[]) =>
    startShadowUpgrade(client, { job: 'stream', version: '0123456789ab', acceptDifferences });

  test('is attached to by whoever accepts the same, in whichever order', async () => {
    const client = temporalWithOneRun();
    await upgrade(client, ['temp_avg', 'extra']);
    const { workflowId } = await upgrade(client, ['extra', 'temp_avg']);
    expect(workflowId).toBe('shadow-upgrade/stream/0123456789ab');
  });

  test('is not taken for one that accepts other differences', async () => {
    const client = temporalWithOneRun();
    await upgrade(client, ['temp_avg']);
    for (const others of [[], ['temp_avg', 'extra']]) {
      const refused = upgrade(client, others);
      await expect(refused).rejects.toThrow(AcceptsOtherDifferencesError);
      await expect(refused).rejects.toThrow('runs already and accepts temp_avg.');
    }
  });
});
