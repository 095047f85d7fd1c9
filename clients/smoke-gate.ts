/** The door to the smoke test of a build: a short workflow pinned to it, which goes through every door. */
import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { reasonOf } from '../domain/errors.ts';
import { SMOKE_TEST, smokeTestId } from '../domain/identities.ts';
import { deploymentName, taskQueues } from '../domain/task-queues.ts';

interface SmokeReport {
  readonly passed: boolean;
  readonly queues: Readonly<Record<string, string>>;
}

/** Longer than the workflow's own retries take together; a build whose worker never takes the task is over then. */
const DEADLINE = '100 seconds';

export interface SmokeVerdict {
  readonly passed: boolean;
  readonly reason: string;
  readonly details: Readonly<Record<string, string>>;
}

/** A second call while the test runs waits for the same one. */
export async function smokeTest(client: Client, buildId: string): Promise<SmokeVerdict> {
  const run = await client.workflow.start<() => Promise<SmokeReport>>(SMOKE_TEST, {
    workflowId: smokeTestId(buildId),
    taskQueue: taskQueues.control,
    workflowExecutionTimeout: DEADLINE,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    // Before it is current nothing reaches the build that is not pinned to it.
    versioningOverride: { pinnedTo: { deploymentName, buildId } },
    staticSummary: `Smoke test of build ${buildId}`,
  });
  try {
    const { passed, queues } = await run.result();
    const closed = Object.entries(queues).map(([queue, text]) => `${queue}: ${text}`);
    return { passed, reason: passed ? '' : closed.join('; '), details: queues };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError || error instanceof WorkflowNotFoundError)) throw error;
    const reason = `the smoke test did not end: ${reasonOf(error.cause ?? error)}`;
    return { passed: false, reason, details: {} };
  }
}
