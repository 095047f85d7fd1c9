/** How the actor of a Flink job calls its activities, and what their failures mean to it. */
import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { taskQueues } from '../../domain/task-queues.ts';

export const retry = { initialInterval: '1 second', maximumInterval: '10 seconds' } as const;

/** What is answered at once. */
export const quick = { taskQueue: taskQueues.flink, startToCloseTimeout: '30 seconds', retry } as const;

/** What takes its time. A worker that dies is noticed within the heartbeat's timeout, and another goes on with what it did. */
export const long = { taskQueue: taskQueues.flink, heartbeatTimeout: '10 seconds', retry } as const;

/** The answer to a command that is not carried out; the workflow itself has not failed. */
export const refusal = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, 'REFUSED');

/** Whether Flink, or we, said no; anything else was only not answered in time. */
export function isDecided(error: unknown): boolean {
  return error instanceof ActivityFailure && error.retryState === 'NON_RETRYABLE_FAILURE';
}

/** @throws the error itself when it is the end of the actor */
export function reasonOfFailure(error: unknown): string {
  if (isCancellation(error)) throw error;
  return error instanceof ActivityFailure ? (error.cause?.message ?? error.message) : String(error);
}
