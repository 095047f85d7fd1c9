/** Turns typed errors into what Temporal understands: whether to retry, and a type that can be searched for. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { reasonOf } from '../domain/errors.ts';

const MOST_CHARACTERS = 4_000;

/** The cause is left out: it may hold what must not stand in a history, and the message already says what happened. */
export function asFailure(error: unknown): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const { code, retryable } = error as { code?: unknown; retryable?: unknown };
  if (typeof code === 'string' && typeof retryable === 'boolean') {
    return ApplicationFailure.create({
      message: reasonOf(error).slice(0, MOST_CHARACTERS),
      type: code,
      nonRetryable: !retryable,
    });
  }
  return error instanceof Error ? error : new Error(reasonOf(error));
}

export type ActivityFunctions = Record<string, (...args: never[]) => Promise<unknown>>;

/** Wraps each activity so that whatever it throws becomes a failure as above. */
export function withFailures<T extends ActivityFunctions>(activities: T): T {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      try {
        return await activity(...args);
      } catch (error) {
        throw asFailure(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}
