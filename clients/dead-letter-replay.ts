/** The door to replays of dead letters: starts one, or attaches to the one that replays the same, and follows it. */
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { type ReplayCounts, type ReplayProgress, replayStatusName } from '../domain/dead-letter-replay.ts';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { deadLetterReplayId } from '../domain/identities.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { priorities, taskQueues } from '../domain/task-queues.ts';
import type { ReplaySelection } from '../schemas/workflow-inputs.ts';
import { isUnanswered } from './job-actor.ts';
import { innermostFailure } from './workflow-failure.ts';

const REPLAY = 'replayDeadLetters';
type ReplayFunction = (input: ReplaySelection) => Promise<ReplayCounts>;

/** How long a worker may take to tell of a replay. */
const STATUS_DEADLINE_MS = 15_000;

/** Thrown when no worker answers for a replay. The replay is on record and begins, or goes on, when one does. */
export class ReplayNotAnsweringError extends HourglassError {
  constructor(workflowId: string, cause: unknown) {
    super(
      'REPLAY_NOT_ANSWERING',
      `No worker answers for the workflow ${workflowId}. Is a worker running (\`npx hourglass status\`)? The replay begins when one does.`,
      { retryable: true, cause },
    );
  }
}

/** Thrown when a replay ended without its result. Letters it had published are not lost: a replay of the same finds them. */
export class ReplayFailedError extends HourglassError {
  constructor(workflowId: string, cause: unknown) {
    super(
      'REPLAY_FAILED',
      `The workflow ${workflowId} ended without a result: ${reasonOf(cause).replace(/\.$/, '')}. When that is mended, give the command again.`,
      { cause },
    );
  }
}

export interface ReplayRun {
  readonly workflowId: string;
  /** @throws ReplayNotAnsweringError */
  progress(): Promise<ReplayProgress>;
  /** Waits for the end. @throws ReplayFailedError */
  result(): Promise<ReplayCounts>;
}

/**
 * Two calls that select the same are one run while it is open; it takes what was seen before it began. Later letters are for a run
 * after it.
 */
export async function startReplay(client: Client, selection: ReplaySelection): Promise<ReplayRun> {
  const { pipeline } = selection;
  const narrowing = narrowingOf(selection);
  const values = Object.entries(narrowing).map(([name, value]) =>
    value === true ? name : `${name} ${value}`,
  );
  const handle = await client.workflow.start<ReplayFunction>(REPLAY, {
    workflowId: deadLetterReplayId(pipeline, narrowing),
    taskQueue: taskQueues.control,
    args: [selection],
    workflowIdConflictPolicy: 'USE_EXISTING',
    // What was replayed once may be replayed again: what is stored stays stored once.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `Replay dead letters of ${pipeline}: ${values.join(', ')}`,
    staticDetails:
      'Publishes letters that are acceptable now to the repairs topic and tells what the stream made of them. Safe to repeat.',
    typedSearchAttributes: [{ key: searchAttributes.pipeline, value: pipeline }],
    priority: { priorityKey: priorities.repair },
  });
  const { workflowId } = handle;
  return {
    workflowId,
    async progress() {
      try {
        return await client.withDeadline(Date.now() + STATUS_DEADLINE_MS, () =>
          handle.query<ReplayProgress, []>(replayStatusName),
        );
      } catch (error) {
        throw isUnanswered(error) ? new ReplayNotAnsweringError(workflowId, error) : error;
      }
    },
    async result() {
      try {
        return await handle.result();
      } catch (error) {
        if (!(error instanceof WorkflowFailedError)) throw error;
        throw new ReplayFailedError(workflowId, innermostFailure(error));
      }
    },
  };
}

/** What a selection says beyond its pipeline. */
function narrowingOf({ pipeline: _, ...rest }: ReplaySelection): Record<string, string | number | true> {
  return Object.fromEntries(
    Object.entries(rest).flatMap(([name, value]) =>
      value === undefined || value === false ? [] : [[name, value]],
    ),
  );
}
