/** The door to dry runs and shadow upgrades: starts one, or attaches to the one of the same version that runs, and follows it. */
import { type Client, TerminatedFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { DryRunAnswer } from '../domain/dry-run.ts';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { shadowUpgradeId, tryVersionId } from '../domain/identities.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { type ShadowProgress, type ShadowUpgradeResult, shadowStatusName } from '../domain/shadow-upgrade.ts';
import { taskQueues } from '../domain/task-queues.ts';
import type { ShadowUpgradeInput, TryVersionInput } from '../schemas/candidate.ts';
import { isUnanswered } from './job-actor.ts';
import { innermostFailure } from './workflow-failure.ts';

/** How long a worker may take to answer. */
const ANSWER_DEADLINE_MS = 15_000;
/** Every worker of Temporal's answers it. */
const METADATA_QUERY = '__temporal_workflow_metadata';

/** Thrown when no worker answers for a run. It is on record and begins, or goes on, when one does. */
export class CandidateNotAnsweringError extends HourglassError {
  constructor(workflowId: string, cause: unknown) {
    super(
      'CANDIDATE_NOT_ANSWERING',
      `No worker answers for the workflow ${workflowId}. Is a worker running (\`npx hourglass status\`)? It begins when one does.`,
      { retryable: true, cause },
    );
  }
}

/** Thrown when a run ended without its result; the message is what the workflow, or an activity of it, said. */
export class CandidateRunFailedError extends HourglassError {
  constructor(workflowId: string, cause: unknown) {
    super(
      'CANDIDATE_RUN_FAILED',
      `${reasonOf(cause).replace(/\.$/, '')}. (The workflow ${workflowId} has ended so; nothing of the candidate is left.)`,
      { cause },
    );
  }
}

/** Thrown when somebody terminated a run: nothing of a workflow runs after that, so it ended nothing. */
class CandidateTerminatedError extends HourglassError {
  constructor(workflowId: string) {
    super(
      'CANDIDATE_TERMINATED',
      `The workflow ${workflowId} was terminated: the candidate's job may run on in Flink, and its tables stay. Cancel the job in Flink's Web UI; the next try of the same version ends what is left. (To cancel the workflow instead ends everything.)`,
    );
  }
}

export interface CandidateRun<Result> {
  readonly workflowId: string;
  /** Says nothing when a worker is there. @throws CandidateNotAnsweringError */
  answers(): Promise<void>;
  /** Waits for the end. @throws CandidateRunFailedError, CandidateTerminatedError */
  result(): Promise<Result>;
}

export interface ShadowUpgradeRun extends CandidateRun<ShadowUpgradeResult> {
  /** @throws CandidateNotAnsweringError */
  progress(): Promise<ShadowProgress>;
}

/** A dry run of the version that is open is attached to: it took its savepoint when it began. */
export async function startDryRun(
  client: Client,
  input: TryVersionInput,
): Promise<CandidateRun<DryRunAnswer>> {
  const handle = await start<TryVersionInput, DryRunAnswer>(client, 'tryVersion', {
    workflowId: tryVersionId(input.job, input.version),
    input,
    summary: `Dry run of ${input.job}, version ${input.version}`,
    details:
      'Starts the version from a fresh savepoint into tables of its own, sees whether its state fits, and ends it. The job is not touched. Cancelling it leaves nothing behind.',
  });
  return runOf(client, handle);
}

/** A shadow upgrade to the version that is open is attached to; it accepts what it was told at first, as its progress says. */
export async function startShadowUpgrade(
  client: Client,
  input: ShadowUpgradeInput,
): Promise<ShadowUpgradeRun> {
  const handle = await start<ShadowUpgradeInput, ShadowUpgradeResult>(client, 'shadowUpgrade', {
    workflowId: shadowUpgradeId(input.job, input.version),
    input,
    summary: `Shadow upgrade of ${input.job} to version ${input.version}`,
    details:
      'Runs the version beside the job, from the retained log into tables of its own, compares its windows, and only then goes on with it. Cancelled before the cut-over it leaves nothing behind.',
  });
  return {
    ...runOf(client, handle),
    async progress() {
      try {
        return await client.withDeadline(Date.now() + ANSWER_DEADLINE_MS, () =>
          handle.query<ShadowProgress, []>(shadowStatusName),
        );
      } catch (error) {
        throw isUnanswered(error) ? new CandidateNotAnsweringError(handle.workflowId, error) : error;
      }
    },
  };
}

interface Start<Input> {
  readonly workflowId: string;
  readonly input: Input;
  readonly summary: string;
  readonly details: string;
}

type RunFunction<Input, Result> = (input: Input) => Promise<Result>;

const start = <Input extends { readonly job: string }, Result>(
  client: Client,
  type: string,
  { workflowId, input, summary, details }: Start<Input>,
): Promise<WorkflowHandle<RunFunction<Input, Result>>> =>
  client.workflow.start<RunFunction<Input, Result>>(type, {
    workflowId,
    taskQueue: taskQueues.control,
    args: [input] as never,
    workflowIdConflictPolicy: 'USE_EXISTING',
    // What was tried once may be tried again: the state, or the log, is another by then.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: summary,
    staticDetails: details,
    typedSearchAttributes: [{ key: searchAttributes.job, value: input.job }],
  });

function runOf<Input, Result>(
  client: Client,
  handle: WorkflowHandle<RunFunction<Input, Result>>,
): CandidateRun<Result> {
  const { workflowId } = handle;
  return {
    workflowId,
    async answers() {
      try {
        await client.withDeadline(Date.now() + ANSWER_DEADLINE_MS, () => handle.query(METADATA_QUERY));
      } catch (error) {
        throw isUnanswered(error) ? new CandidateNotAnsweringError(workflowId, error) : error;
      }
    },
    async result() {
      try {
        return (await handle.result()) as Result;
      } catch (error) {
        if (!(error instanceof WorkflowFailedError)) throw error;
        if (error.cause instanceof TerminatedFailure) throw new CandidateTerminatedError(workflowId);
        throw new CandidateRunFailedError(workflowId, innermostFailure(error));
      }
    },
  };
}
