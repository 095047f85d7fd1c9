/**
 * The door to completeness checks that somebody asks for: starts one, or attaches to the one that judges the same, and waits for its end.
 * What was judged stands in the ledger (`clients/completeness-ledger.ts`); those of the schedule start by themselves.
 */
import { type Client, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { flinkId } from '../domain/identities.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { priorities, taskQueues } from '../domain/task-queues.ts';
import type { CompletenessInput } from '../schemas/completeness.ts';
import { isUnanswered } from './job-actor.ts';
import { innermostFailure } from './workflow-failure.ts';

const CHECK = 'checkCompleteness';
type CheckFunction = (input: CompletenessInput) => Promise<unknown>;

/** How long a worker may take to answer; it is asked for no work. */
const ANSWER_DEADLINE_MS = 15_000;
/** Every worker of Temporal's answers it. */
const METADATA_QUERY = '__temporal_workflow_metadata';

/** What somebody asks for: hours are whole and in UTC; without a range the ledger says from where on. */
export type CheckRequest = Pick<
  CompletenessInput,
  'pipeline' | 'source' | 'shards' | 'from' | 'to' | 'entities' | 'repair'
>;

/** Thrown when no worker answers for a check. It is on record and begins, or goes on, when one does. */
export class CheckNotAnsweringError extends HourglassError {
  constructor(workflowId: string) {
    super(
      'CHECK_NOT_ANSWERING',
      `No worker answers for the workflow ${workflowId}. Is a worker running (\`npx hourglass status\`)? The check begins when one does.`,
      { retryable: true },
    );
  }
}

/** Thrown when a check ended without its result. What it had judged before stands in the ledger, and a check judges it again. */
export class CheckFailedError extends HourglassError {
  constructor(workflowId: string, cause: unknown) {
    super(
      'CHECK_FAILED',
      `The workflow ${workflowId} ended without a result: ${reasonOf(cause).replace(/\.$/, '')}. When that is mended, give the command again.`,
      { cause },
    );
  }
}

export interface CheckRun {
  readonly workflowId: string;
  /** Says nothing when a worker is there. @throws CheckNotAnsweringError */
  answers(): Promise<void>;
  /** Waits for the end, and that of what it mends itself; backfills that it started go on beside it. @throws CheckFailedError */
  ended(): Promise<void>;
}

/** `completeness/weather-by-hand-20260130T00-20260131T00`: two that ask for the same are one run while it is open. */
export function checkByHandId({ pipeline, from, to, entities, repair = true }: CheckRequest): string {
  const range = [from, to].flatMap((time) => (time === undefined ? [] : [compact(time)]));
  const narrowing = entities === undefined ? [] : [flinkId(entities.join(',')).slice(0, DIGITS)];
  return [
    `completeness/${pipeline}-by-hand`,
    ...(range.length === 0 ? ['latest'] : range),
    ...narrowing,
    ...(repair ? [] : ['without-repair']),
  ].join('-');
}

const DIGITS = 12;
const compact = (time: string): string => time.replaceAll(/[-:]/g, '').slice(0, 11);

export async function startCheck(client: Client, request: CheckRequest): Promise<CheckRun> {
  const { pipeline, from, to, repair = true } = request;
  const range = from === undefined ? '' : `, ${from} to ${to}`;
  const handle = await client.workflow.start<CheckFunction>(CHECK, {
    workflowId: checkByHandId(request),
    taskQueue: taskQueues.control,
    args: [request],
    workflowIdConflictPolicy: 'USE_EXISTING',
    // What was judged once may be judged again: more may be there now.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `Check completeness of ${pipeline}${range}${repair ? '' : ', without repairs'}`,
    staticDetails:
      'Judges the hours of each location, explains those that are not complete and has them repaired. Safe to repeat.',
    typedSearchAttributes: [{ key: searchAttributes.pipeline, value: pipeline }],
    priority: { priorityKey: priorities.repair },
  });
  return runOf(client, handle);
}

function runOf(client: Client, handle: WorkflowHandle): CheckRun {
  const { workflowId } = handle;
  return {
    workflowId,
    async answers() {
      try {
        await client.withDeadline(Date.now() + ANSWER_DEADLINE_MS, () => handle.query(METADATA_QUERY));
      } catch (error) {
        throw isUnanswered(error) ? new CheckNotAnsweringError(workflowId) : error;
      }
    },
    async ended() {
      try {
        await handle.result();
      } catch (error) {
        if (!(error instanceof WorkflowFailedError)) throw error;
        throw new CheckFailedError(workflowId, innermostFailure(error));
      }
    },
  };
}
