import {
  ApplicationFailure,
  CancelledFailure,
  type Client,
  TerminatedFailure,
  WorkflowFailedError,
} from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { AcceptsOtherDifferencesError, startDryRun, startShadowUpgrade } from './candidate-runs.ts';

/** @returns what is said of a run that ended so */
async function toldOf(cause: Error): Promise<string> {
  const handle = {
    workflowId: 'try-version/a-stream/0123456789ab',
    result: () => Promise.reject(new WorkflowFailedError('it failed', cause, 'NON_RETRYABLE_FAILURE')),
  };
  const client = { workflow: { start: async () => handle } } as unknown as Client;
  const run = await startDryRun(client, { job: 'a-stream', version: '0123456789ab' });
  return run.result().then(
    () => 'it succeeded',
    (error) => `${error.code}: ${error.message}`,
  );
}

test('of a run that failed or was cancelled nothing is left', async () => {
  for (const cause of [ApplicationFailure.nonRetryable('no'), new CancelledFailure('cancelled')])
    expect(await toldOf(cause)).toMatch(/^CANDIDATE_RUN_FAILED: .*nothing of the candidate is left/);
});

test('of one that was terminated that is not said', async () => {
  const told = await toldOf(new TerminatedFailure('terminated'));
  expect(told).toMatch(/^CANDIDATE_TERMINATED: .*its tables stay/);
  expect(told).not.toContain('nothing of the candidate is left');
});

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
