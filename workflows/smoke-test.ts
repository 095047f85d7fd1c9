/**
 * Goes through every door of a worker's build without changing anything behind it: on each task queue its activity asks the systems
 * that are worked with there. Started by the smoke gate of a deploy, pinned to the build that is to become current.
 */
import {
  ActivityFailure,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { DoorActivities, DoorReport } from '../activities/doors.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { taskQueues } from '../domain/task-queues.ts';

export interface SmokeReport {
  readonly passed: boolean;
  /** What each task queue has answered, or why not. */
  readonly queues: Readonly<Record<string, string>>;
}

/** A failed test is an answer, not a failed workflow. */
export async function smokeTest(): Promise<SmokeReport> {
  const outcomes = await Promise.all(Object.values(taskQueues).map(testQueue));
  const queues = Object.fromEntries(outcomes.map(({ queue, text }) => [queue, text]));
  setCurrentDetails(outcomes.map(({ queue, text }) => `\`${queue}\`: ${text}`).join('  \n'));
  const passed = outcomes.every((outcome) => outcome.passed);
  upsertSearchAttributes([{ key: searchAttributes.state, value: passed ? 'passed' : 'failed' }]);
  return { passed, queues };
}

async function testQueue(queue: string): Promise<{ queue: string; passed: boolean; text: string }> {
  const { testDoors } = proxyActivities<DoorActivities>({
    taskQueue: queue,
    startToCloseTimeout: '15 seconds',
    scheduleToCloseTimeout: '1 minute',
    retry: { initialInterval: '2 seconds', backoffCoefficient: 1, maximumAttempts: 5 },
    summary: `Test the doors of ${queue}`,
  });
  try {
    return { queue, ...judge(await testDoors()) };
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return { queue, passed: false, text: error.cause?.message ?? error.message };
  }
}

/** An answer of another build's worker proves nothing of this one. */
function judge({ buildId, doors }: DoorReport): { passed: boolean; text: string } {
  const own = workflowInfo().currentDeploymentVersion?.buildId ?? buildId;
  return own === buildId
    ? { passed: true, text: `${doors.join(', ')} answered` }
    : { passed: false, text: `a worker of build ${buildId} answered` };
}
