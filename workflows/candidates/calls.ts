/** How the workflows of candidates call their activities, and how a candidate comes to its end whatever happens. */
import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { z } from 'zod';
import type { Candidate, CandidateActivities, CandidateQuestion } from '../../activities/candidates.ts';
import type { SavepointActivities } from '../../activities/savepoints.ts';
import type { ShadowUpgradeActivities } from '../../activities/shadow-upgrades.ts';
import { flinkId } from '../../domain/identities.ts';
import { taskQueues } from '../../domain/task-queues.ts';

/** What does not answer says nothing: it is asked again, without end, unless it says no. */
const shared = {
  taskQueue: taskQueues.flink,
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
} as const;

export const { describeCandidate } = proxyActivities<CandidateActivities>({
  ...shared,
  startToCloseTimeout: '5 minutes',
  summary: 'Judge the version',
});
export const { submitCandidate } = proxyActivities<CandidateActivities>({
  ...shared,
  startToCloseTimeout: '5 minutes',
  summary: 'Submit the candidate',
  // A submission that is under way ends first: the candidate could arrive in Flink after its end was awaited.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});
export const { watchCandidate } = proxyActivities<CandidateActivities>({
  ...shared,
  startToCloseTimeout: '2 hours',
  summary: 'Watch the candidate',
});
const { prepareCandidate, endCandidate } = proxyActivities<CandidateActivities>({
  ...shared,
  startToCloseTimeout: '10 minutes',
});

export const { takeFreshSnapshot, requireStable, awaitReaders, awaitUpgrade } =
  proxyActivities<ShadowUpgradeActivities>({ ...shared, startToCloseTimeout: '2 hours' });
export const { compareWindows, hoursWrittenSince } = proxyActivities<ShadowUpgradeActivities>({
  ...shared,
  startToCloseTimeout: '1 hour',
});
export const { cutOver } = proxyActivities<ShadowUpgradeActivities>({
  ...shared,
  startToCloseTimeout: '2 minutes',
  summary: 'Tell the actor to go on with the new version',
});
export const { stopJobWithSavepoint } = proxyActivities<SavepointActivities>({
  ...shared,
  startToCloseTimeout: '1 hour',
  summary: 'Stop the candidate with a savepoint',
});

/** Decided before anything is asked of Flink, and another one for each run. */
export function idOf(what: string): string {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  return flinkId(`${what}/${workflowId}/${firstExecutionRunId}`);
}

export const questionOf = (question: Omit<CandidateQuestion, 'run'>): CandidateQuestion => ({
  ...question,
  run: workflowInfo().firstExecutionRunId.slice(0, 8),
});

/** Makes the candidate's tables; its job, its tables and its group's offsets are gone when this returns, or throws, or is cancelled. */
export async function withCandidate<T>(candidate: Candidate, work: () => Promise<T>): Promise<T> {
  try {
    await prepareCandidate.executeWithOptions({ summary: 'Make its tables' }, [candidate]);
    return await work();
  } finally {
    const { flinkName, schema, consumerGroup } = candidate;
    await CancellationScope.nonCancellable(() =>
      endCandidate.executeWithOptions({ summary: 'End it and drop its tables' }, [
        { flinkName, schema, consumerGroup },
      ]),
    );
  }
}

export const refusal = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, 'REFUSED');

/** @throws ApplicationFailure, which ends the workflow: the same input is never valid later */
export function parseInput<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => [...path.map(String), message].join(': '));
  throw ApplicationFailure.nonRetryable(`the input is not valid: ${issues.join('; ')}`, 'INVALID_INPUT');
}
