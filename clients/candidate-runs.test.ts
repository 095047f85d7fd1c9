import {
  ApplicationFailure,
  CancelledFailure,
  type Client,
  TerminatedFailure,
  WorkflowFailedError,
} from '@temporalio/client';
import { expect, test } from 'vitest';
import { startDryRun } from './candidate-runs.ts';

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
