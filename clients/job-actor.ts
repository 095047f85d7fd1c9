/** The door to the actors of Flink jobs: gives them commands, starting the actor when there is none. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Client,
  WithStartWorkflowOperation,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { HourglassError } from '../domain/errors.ts';
import { jobActorId } from '../domain/identities.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { taskQueues } from '../domain/task-queues.ts';
import {
  ACTOR_ENDING,
  type JobCommandInput,
  type JobCommandName,
  type JobState,
  jobMessages,
} from '../schemas/job.ts';
import { describeWorkerDeployment } from './worker-deployments.ts';
import { refusalOf } from './workflow-failure.ts';

const ACTOR = 'flinkJob';
type ActorFunction = (input: { name: string }) => Promise<void>;

/** How long a worker may take to answer a command: it only records what is wanted. */
const COMMAND_DEADLINE_MS = 15_000;
const STATUS_DEADLINE_MS = 5_000;

/** Thrown when no worker answers for the actor. It does not mean that the Flink job does not run. */
export class ActorNotAnsweringError extends HourglassError {
  constructor(job: string) {
    super(
      'ACTOR_NOT_ANSWERING',
      `No worker answers for the actor of ${job} (workflow ${jobActorId(job)}). Is a worker running (\`npx hourglass status\`)? A run stays on the build it began on: when that build's worker is gone, terminate the workflow in Temporal's Web UI and repeat the command; the next actor takes the job over from its record.`,
      { retryable: true },
    );
  }
}

/** Thrown when the actor refuses a command; the message is the actor's. Nothing has changed. */
export class CommandRefusedError extends HourglassError {
  constructor(job: string, command: string, reason: string) {
    super('COMMAND_REFUSED', `The ${command} of ${job} was refused: ${reason}`);
  }
}

/** Thrown when the actor does not move to the build that is current, so that it would deploy what an older build knows. */
export class ActorOnOlderBuildError extends HourglassError {
  constructor(job: string, buildId: string, current: string) {
    super(
      'ACTOR_ON_OLDER_BUILD',
      `The actor of ${job} is still on build ${buildId} and has not moved to ${current}, which is current: what it is doing has to end first (\`npx hourglass job show ${job}\`). Repeat the command then.`,
      { retryable: true },
    );
  }
}

export interface JobActor {
  /**
   * Returns the actor's state once the command's target is recorded there.
   * @throws ActorNotAnsweringError, ActorOnOlderBuildError, CommandRefusedError
   */
  command<Name extends JobCommandName>(name: Name, input: JobCommandInput<Name>): Promise<JobState>;
  /** @returns undefined when the job never had an actor @throws ActorNotAnsweringError */
  status(): Promise<JobState | undefined>;
  /** Whether there is no open actor: it ended, somebody ended it, or there never was one. No worker is asked. */
  hasEnded(): Promise<boolean>;
  /** Tells the actor to look whether there is a newer worker version to move to. */
  versionChanged(): Promise<void>;
}

export function jobActor(client: Client, job: string): JobActor {
  const workflowId = jobActorId(job);
  const handle = client.workflow.getHandle(workflowId);
  const send = <Name extends JobCommandName>(name: Name, input: JobCommandInput<Name>): Promise<JobState> =>
    client.workflow.executeUpdateWithStart<ActorFunction, JobState, [JobCommandInput<Name>]>(name, {
      args: [input],
      startWorkflowOperation: new WithStartWorkflowOperation<ActorFunction>(ACTOR, {
        workflowId,
        taskQueue: taskQueues.control,
        args: [{ name: job }],
        // One actor for a job: a second start attaches to it, and one that ended may be followed by another.
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: `Flink job ${job}`,
        staticDetails:
          'Keeps one Flink job as it is desired. Commands are updates: deploy, suspend, resume, savepoint, restart, stop; `{}` is enough as their input.',
        typedSearchAttributes: [{ key: searchAttributes.job, value: job }],
      }),
    });
  const versionChanged = (): Promise<void> =>
    handle.signal(jobMessages.versionChanged).catch((error) => {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    });
  /** It is an actor's own build that says what the present version of a job is. */
  const moveToCurrentBuild = async (): Promise<void> => {
    const { currentBuild: current } = await describeWorkerDeployment(client);
    const deadline = Date.now() + COMMAND_DEADLINE_MS;
    for (;;) {
      const buildId = await openBuild(handle);
      if (current === undefined || buildId === undefined || buildId === current) return;
      if (Date.now() > deadline) throw new ActorOnOlderBuildError(job, buildId, current);
      // The flag that tells it is refreshed only by a workflow task.
      await versionChanged();
      await delay(MOVE_PAUSE_MS);
    }
  };
  return {
    async command(name, input) {
      if (name === 'deploy') await moveToCurrentBuild();
      const deadline = Date.now() + COMMAND_DEADLINE_MS;
      for (let lost = 0; ; ) {
        try {
          return await client.withDeadline(deadline, () => send(name, input));
        } catch (error) {
          if (isUnanswered(error) || Date.now() > deadline) throw new ActorNotAnsweringError(job);
          const refusal = refusalOf(error);
          if (refusal === undefined) throw error;
          // The next try starts another actor, and the same command is not carried out twice. One that fails twice always will.
          const mayGoOn =
            refusal.type === ACTOR_ENDING || (refusal.type === ENDED_BEFORE_ANSWER && lost === 0);
          if (!mayGoOn) throw new CommandRefusedError(job, name, refusal.message);
          if (refusal.type === ENDED_BEFORE_ANSWER) lost += 1;
          await delay(ENDED_PAUSE_MS);
        }
      }
    },
    async status() {
      try {
        return await client.withDeadline(Date.now() + STATUS_DEADLINE_MS, () =>
          handle.query<JobState, []>(jobMessages.status),
        );
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw isUnanswered(error) ? new ActorNotAnsweringError(job) : error;
      }
    },
    async hasEnded() {
      try {
        return (await handle.describe()).status.name !== 'RUNNING';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return true;
        throw error;
      }
    },
    versionChanged,
  };
}

/** The actor ended after it took the command and before it had carried it out. */
const ENDED_BEFORE_ANSWER = 'AcceptedUpdateCompletedWorkflow';
const ENDED_PAUSE_MS = 200;

const MOVE_PAUSE_MS = 300;

/** The build that an open run is pinned to; undefined when none is open, or its worker is not versioned. */
async function openBuild(handle: WorkflowHandle): Promise<string | undefined> {
  try {
    const { status, raw } = await handle.describe();
    if (status.name !== 'RUNNING') return undefined;
    return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** How a call ends that passed its deadline: CANCELLED or DEADLINE_EXCEEDED, whichever side notices first. Nobody else cancels one. */
const UNANSWERED: readonly unknown[] = [1, 4];

export function isUnanswered(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const { cause, code } = error as { cause?: { code?: number }; code?: number };
  return UNANSWERED.includes(code ?? cause?.code);
}
