/** The door to the actors of Flink jobs: gives them commands, starting the actor when there is none. */
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { HourglassError } from '../domain/errors.ts';
import { jobActorId } from '../domain/identities.ts';
import { taskQueues } from '../domain/task-queues.ts';
import { type JobState, jobMessages } from '../schemas/workflow-inputs.ts';

const ACTOR = 'flinkJob';
type ActorFunction = (input: { name: string }) => Promise<void>;

/** How long a worker may take to answer a command: it only records what is wanted. */
const COMMAND_DEADLINE_MS = 60_000;

/** Thrown when no worker answers for the actor. It does not mean that the Flink job does not run. */
export class ActorNotAnsweringError extends HourglassError {
  constructor(job: string) {
    super(
      'ACTOR_NOT_ANSWERING',
      `No worker answers for the actor of ${job} (workflow ${jobActorId(job)}): a run stays on the build it began on, and that build's worker does not run. Terminate that workflow in Temporal's Web UI and start again; the next actor takes the job over from its record.`,
      { retryable: true },
    );
  }
}

export interface JobActor {
  /** Wants the job running. Returns the actor's state once that is recorded. */
  start(commandId: string): Promise<JobState>;
  /** Wants the job stopped with its state kept until the next start. */
  park(commandId: string): Promise<JobState>;
  /** @returns undefined when the job has no actor */
  status(): Promise<JobState | undefined>;
  /** Tells the actor to look whether there is a newer worker version to move to. */
  versionChanged(): Promise<void>;
}

export function jobActor(client: Client, job: string): JobActor {
  const workflowId = jobActorId(job);
  const handle = client.workflow.getHandle(workflowId);
  const command = (name: string) => async (commandId: string) => {
    try {
      return await client.withDeadline(Date.now() + COMMAND_DEADLINE_MS, () => send(name, commandId));
    } catch (error) {
      throw error instanceof WorkflowUpdateRPCTimeoutOrCancelledError
        ? new ActorNotAnsweringError(job)
        : error;
    }
  };
  const send = (name: string, commandId: string) =>
    client.workflow.executeUpdateWithStart<ActorFunction, JobState, [{ commandId: string }]>(name, {
      args: [{ commandId }],
      startWorkflowOperation: new WithStartWorkflowOperation<ActorFunction>(ACTOR, {
        workflowId,
        taskQueue: taskQueues.control,
        args: [{ name: job }],
        // One actor for a job: a second start attaches to it, and one that ended may be followed by another.
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: `Flink job ${job}`,
      }),
    });
  return {
    start: command(jobMessages.start),
    park: command(jobMessages.park),
    status: () => whenFound(() => handle.query<JobState, []>(jobMessages.status)),
    async versionChanged() {
      await whenFound(() => handle.signal(jobMessages.versionChanged));
    },
  };
}

async function whenFound<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
