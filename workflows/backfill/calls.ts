/** How a backfill calls its activities and its batch jobs: how long each may take, how often it is tried, and who is served first. */

import { type Priority, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  type ChildWorkflowOptions,
  executeChild,
  proxyActivities,
  sleep,
  TemporalFailure,
} from '@temporalio/workflow';
import type { BackfillFetchActivities } from '../../activities/backfill-fetch.ts';
import type { BackfillFileActivities } from '../../activities/backfill-file.ts';
import type { BackfillLoadActivities } from '../../activities/backfill-loads.ts';
import type { BackfillActivities } from '../../activities/backfills.ts';
import { fairnessKeyOf } from '../../domain/backfill-identities.ts';
import { priorities, taskQueues } from '../../domain/task-queues.ts';
import type { BackfillRequest } from '../../schemas/backfill.ts';

export type Purpose = BackfillRequest['purpose'];

/** Repairs before backfills; backfills take turns. */
export const priorityOf = (purpose: Purpose, backfillId: string): Priority => ({
  priorityKey: priorities[purpose],
  fairnessKey: fairnessKeyOf(backfillId),
});

/** Each gives signs of life while it works: what is silent is begun anew, what works may take its time. */
const patience = { startToCloseTimeout: '4 hours', heartbeatTimeout: '30 seconds' } as const;
const retry = { initialInterval: '1 second', maximumInterval: '10 seconds' } as const;

/** What asks the ledger and Kafka: a database that is away is waited for. */
export const {
  beginBackfill,
  nextChunks,
  recordBackfill,
  beginAllChunks,
  failChunks,
  finishChunks,
  outgrownHours,
  endBackfill,
  chunksToLoad,
  planLoad,
  planFileLoad,
  planLogLoad,
  planSwallowed,
  hoursOfBackfill,
  checkLoad,
} = proxyActivities<BackfillActivities & BackfillLoadActivities>({
  taskQueue: taskQueues.control,
  ...patience,
  retry,
});

export const awaitStreamOf = (priority: Priority, minutes: number) =>
  proxyActivities<BackfillActivities>({
    taskQueue: taskQueues.control,
    startToCloseTimeout: `${minutes + 5} minutes`,
    heartbeatTimeout: '30 seconds',
    retry,
    priority,
    summary: 'Wait until the stream has read the records',
  }).awaitStream;

/**
 * Calls of the source. One that is away for hours is waited for, and each try goes on where the one before was; what has not come
 * to its end after a day has failed.
 */
export const sourceCallsOf = (priority: Priority) =>
  proxyActivities<BackfillFetchActivities & BackfillFileActivities>({
    taskQueue: taskQueues.sourceHistory,
    startToCloseTimeout: '4 hours',
    scheduleToCloseTimeout: '1 day',
    heartbeatTimeout: '30 seconds',
    retry: { initialInterval: '2 seconds', maximumInterval: '1 minute' },
    // What is being published is recorded before the chunk counts as cancelled.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority,
  });

type ChildOptions = ChildWorkflowOptions & { readonly workflowId: string; readonly args: unknown[] };

const BUSY_PAUSE_MS = 2_000;

/**
 * Runs a child whose id says what it does. One of that id that is still ending, such as that of a run which was terminated, is
 * waited for.
 */
export async function childWhenFree<Result>(type: string, options: ChildOptions): Promise<Result> {
  for (;;) {
    try {
      return (await executeChild(type, {
        ...options,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        parentClosePolicy: 'REQUEST_CANCEL',
      })) as Result;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await sleep(BUSY_PAUSE_MS, { summary: `Wait until ${options.workflowId} has ended` });
    }
  }
}

/** Why it failed, as the innermost failure says it. */
export function reasonIn(error: unknown): string {
  if (error instanceof TemporalFailure && error.cause !== undefined) return reasonIn(error.cause);
  return error instanceof Error ? error.message : String(error);
}

/** The type of the failure with which a source refuses everybody: other chunks need not be tried. */
export const SOURCE_REFUSES = 'SOURCE_REFUSES';
const REFUSALS: readonly (string | null | undefined)[] = [SOURCE_REFUSES, 'NO_HISTORY'];

export function isRefusalOfSource(error: unknown): boolean {
  if (error instanceof ChildWorkflowFailure || error instanceof ActivityFailure)
    return isRefusalOfSource(error.cause);
  return error instanceof ApplicationFailure && REFUSALS.includes(error.type);
}
