/**
 * The door to the workflows of backfills: starts one, or attaches to the one that runs, gives it commands and waits for its end. What
 * is planned, and how far it is, stands in the ledger (`clients/backfill-ledger.ts`).
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ApplicationFailure,
  type Client,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { backfillWorkflowId, fairnessKeyOf } from '../domain/backfill-identities.ts';
import { type BackfillState, backfillStates } from '../domain/backfill-states.ts';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { priorities, taskQueues } from '../domain/task-queues.ts';
import type { BackfillInputOfWorkflow, BackfillRequest } from '../schemas/backfill.ts';
import { type BackfillRecord, backfillOf, recordBackfill } from './backfill-ledger.ts';
import { isUnanswered } from './job-actor.ts';
import type { Database } from './postgres.ts';
import { innermostFailure, refusalOf } from './workflow-failure.ts';

const BACKFILL = 'backfill';
type BackfillFunction = (input: BackfillInputOfWorkflow) => Promise<unknown>;

/** How long a worker may take to answer; a command only records what is wanted. */
const ANSWER_DEADLINE_MS = 15_000;
const BEGINNING_PAUSE_MS = 200;
/** How an update is refused by a workflow that is still planning, or taking its plan. */
const NOT_BEGUN = /^No registered handler for update/;
/** Every worker of Temporal's answers it. */
const METADATA_QUERY = '__temporal_workflow_metadata';

/** Thrown when no worker answers for a backfill. It is on record, and begins, or goes on, when one does. */
export class BackfillNotAnsweringError extends HourglassError {
  constructor(workflowId: string) {
    super(
      'BACKFILL_NOT_ANSWERING',
      `No worker answers for the workflow ${workflowId}. Is a worker running (\`npx hourglass status\`)? The backfill goes on when one does.`,
      { retryable: true },
    );
  }
}

/** Thrown when what is asked cannot be done with a backfill as it is. Nothing has changed. */
export class BackfillRefusedError extends HourglassError {
  constructor(id: string, reason: string, remedy: string) {
    super('BACKFILL_REFUSED', `${id} ${reason}. ${remedy}`);
  }
}

/** Thrown when the workflow of a backfill ended without the result of one. What was loaded stays. */
export class BackfillFailedError extends HourglassError {
  constructor(workflowId: string, cause: unknown) {
    super(
      'BACKFILL_FAILED',
      `The workflow ${workflowId} ended without a result: ${reasonOf(cause).replace(/\.$/, '')}.`,
      { cause },
    );
  }
}

export interface BackfillStart {
  readonly id: string;
  readonly request: BackfillRequest;
  readonly input: BackfillInputOfWorkflow;
}

/** One that runs already under this id is attached to, and one that ended may be followed by another. */
export async function startBackfill(
  client: Client,
  { id, request, input }: BackfillStart,
): Promise<BackfillRun> {
  const { pipeline, from, to, purpose, reason } = request;
  const handle = await client.workflow.start<BackfillFunction>(BACKFILL, {
    workflowId: backfillWorkflowId(id),
    taskQueue: taskQueues.control,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `Backfill ${pipeline}, ${from} to ${to}${reason === '' ? '' : `: ${reason}`}`,
    staticDetails:
      'Loads exactly what is planned under this id. Commands are updates: pause, resume, cancel; the input of cancel may be {"now": true}. Safe to repeat.',
    typedSearchAttributes: [
      { key: searchAttributes.pipeline, value: pipeline },
      { key: searchAttributes.backfill, value: id },
    ],
    priority: { priorityKey: priorities[purpose], fairnessKey: fairnessKeyOf(id) },
  });
  return runOf(client, handle);
}

export interface BackfillRun {
  readonly workflowId: string;
  isOpen(): Promise<boolean>;
  /** Says nothing when a worker is there. @throws BackfillNotAnsweringError */
  answers(): Promise<void>;
  /** Waits for the end. @throws BackfillFailedError when it ended in a failure, of which the ledger may know more */
  ended(): Promise<void>;
}

/** The workflow that runs a backfill, or ran it last, whoever started it. */
export const backfillRun = (client: Client, { workflowId }: Pick<BackfillRecord, 'workflowId'>) =>
  runOf(client, client.workflow.getHandle(workflowId));

function runOf(client: Client, handle: WorkflowHandle): BackfillRun {
  const { workflowId } = handle;
  return {
    workflowId,
    async isOpen() {
      try {
        return (await handle.describe()).status.name === 'RUNNING';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
    async answers() {
      try {
        await client.withDeadline(Date.now() + ANSWER_DEADLINE_MS, () => handle.query(METADATA_QUERY));
      } catch (error) {
        throw isUnanswered(error) ? new BackfillNotAnsweringError(workflowId) : error;
      }
    },
    async ended() {
      try {
        await handle.result();
      } catch (error) {
        if (!(error instanceof WorkflowFailedError)) throw error;
        throw new BackfillFailedError(workflowId, innermostFailure(error));
      }
    },
  };
}

export type BackfillCommand = 'pause' | 'resume' | 'cancel';

/**
 * Pauses, resumes or cancels a backfill that runs. One that was planned and not started is cancelled at once, and one whose workflow
 * is gone is taken up once more to come to its end.
 * @param now whether what is under way is broken off, too; of `cancel`
 * @returns its state afterwards
 * @throws BackfillRefusedError, BackfillNotAnsweringError, UnknownBackfillError
 */
export async function commandBackfill(
  client: Client,
  database: Database,
  { id, command, now = false }: { readonly id: string; readonly command: BackfillCommand; now?: boolean },
): Promise<BackfillState> {
  const record = await backfillOf(database, id);
  const { status, workflowId } = record;
  if (backfillStates[status].terminal)
    throw new BackfillRefusedError(id, `has ended: it is ${status}`, 'There is nothing to do.');
  const handle = client.workflow.getHandle(workflowId);
  try {
    return await update(client, handle, id, command, command === 'cancel' ? { now } : {});
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    return commandWithoutWorkflow(client, database, record, command);
  }
}

/** It was never started, or its workflow was terminated, or is gone with its Temporal. */
async function commandWithoutWorkflow(
  client: Client,
  database: Database,
  { id, request, status }: BackfillRecord,
  command: BackfillCommand,
): Promise<BackfillState> {
  if (command !== 'cancel')
    throw new BackfillRefusedError(
      id,
      status === 'planned' ? 'was not started' : 'is run by no workflow any more',
      `To have it run: \`npx hourglass backfill start --plan ${id}\`.`,
    );
  const state = await recordBackfill(database, id, 'cancelAsked');
  if (!backfillStates[state].terminal) await startBackfill(client, { id, request, input: { plan: id } });
  return state;
}

async function update(
  client: Client,
  handle: WorkflowHandle,
  id: string,
  command: BackfillCommand,
  input: object,
): Promise<BackfillState> {
  const deadline = Date.now() + ANSWER_DEADLINE_MS;
  for (;;) {
    try {
      return await client.withDeadline(deadline, () =>
        handle.executeUpdate<BackfillState, [object]>(command, { args: [input] }),
      );
    } catch (error) {
      if (isUnanswered(error)) throw new BackfillNotAnsweringError(handle.workflowId);
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      if (!NOT_BEGUN.test(refusal.message)) throw refusedBy(id, refusal);
      if (Date.now() > deadline) throw new BackfillNotAnsweringError(handle.workflowId);
      await delay(BEGINNING_PAUSE_MS);
    }
  }
}

/** The message is the workflow's. */
const refusedBy = (id: string, { message }: ApplicationFailure): BackfillRefusedError =>
  new BackfillRefusedError(
    id,
    `has refused it: ${message.replace(/\.$/, '')}`,
    `See \`npx hourglass backfill show ${id}\`.`,
  );

/**
 * Has what failed or was cancelled, or was never begun, tried once more.
 * @throws BackfillRefusedError when it has not ended, or nothing is left to try; UnknownBackfillError
 */
export async function retryBackfill(client: Client, database: Database, id: string): Promise<BackfillRun> {
  const { status, request, chunks, chunksByStatus } = await backfillOf(database, id);
  if (!backfillStates[status].terminal)
    throw new BackfillRefusedError(
      id,
      `has not ended: it is ${status}`,
      'Only what has failed or was cancelled is retried, once it has ended.',
    );
  if (status === 'completed' || chunksByStatus.done === chunks)
    throw new BackfillRefusedError(
      id,
      `is ${status}: no chunk of it has failed or was cancelled`,
      'To load complete hours anew, plan a backfill with `--reprocess all`.',
    );
  // Its last run may still be closing: attached to, it would not hear of the retry.
  await eventuallyClosed(client, backfillWorkflowId(id));
  return startBackfill(client, { id, request, input: { plan: id, retry: true } });
}

async function eventuallyClosed(client: Client, workflowId: string): Promise<void> {
  const run = runOf(client, client.workflow.getHandle(workflowId));
  const deadline = Date.now() + ANSWER_DEADLINE_MS;
  while (await run.isOpen()) {
    if (Date.now() > deadline) throw new BackfillNotAnsweringError(workflowId);
    await delay(BEGINNING_PAUSE_MS);
  }
}
