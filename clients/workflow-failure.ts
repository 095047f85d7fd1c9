/** Finds in the failure of a workflow, or of an update of one, what a person is told of it. */
import { ApplicationFailure, WorkflowUpdateFailedError } from '@temporalio/client';

/** What a failed activity, or the workflow itself, said. */
export function innermostFailure(error: Error): unknown {
  let found: unknown = error;
  while (!(found instanceof ApplicationFailure) && found instanceof Error && found.cause !== undefined)
    found = found.cause;
  return found;
}

/** What a workflow answered to an update that it does not carry out; undefined when the error is another one. */
export function refusalOf(error: unknown): ApplicationFailure | undefined {
  const { cause } = error as { cause?: unknown };
  return error instanceof WorkflowUpdateFailedError && cause instanceof ApplicationFailure
    ? cause
    : undefined;
}
