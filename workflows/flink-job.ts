/**
 * The actor of one Flink job: keeps it running, submits it exactly once for each target, and stops it with its state.
 * What to do next is decided in `domain/job-machine.ts`; this workflow does it.
 */
import {
  ActivityCancellationType,
  ActivityFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  makeContinueAsNewFunc,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { FlinkActivities } from '../activities/flink.ts';
import { backoffMs, type JobEvent, nextAction, remember, transition } from '../domain/job-machine.ts';
import { taskQueues } from '../domain/task-queues.ts';
import {
  type JobCommand,
  type JobState,
  jobCommandSchema,
  jobMessages,
  jobStateSchema,
} from '../schemas/workflow-inputs.ts';

/** The job is wanted running; returns once that is recorded. */
export const startUpdate = defineUpdate<JobState, [JobCommand]>(jobMessages.start);
/** The job is to stop with a savepoint and go on from it at the next start; returns once that is recorded. */
export const parkUpdate = defineUpdate<JobState, [JobCommand]>(jobMessages.park);
export const statusQuery = defineQuery<JobState>(jobMessages.status);
/** A deploy sends it: the flag that tells of a new worker version is refreshed only by a workflow task. */
export const versionChangedSignal = defineSignal(jobMessages.versionChanged);

const retry = { initialInterval: '1 second', maximumInterval: '10 seconds' } as const;
const quick = { startToCloseTimeout: '30 seconds', retry } as const;
const { recordJobTarget, recordJobState, readJobRecord, findCheckpoint } = proxyActivities<FlinkActivities>({
  taskQueue: taskQueues.flink,
  ...quick,
});
const { submitJob } = proxyActivities<FlinkActivities>({
  taskQueue: taskQueues.flink,
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '15 minutes',
  heartbeatTimeout: '30 seconds',
  retry,
  summary: 'Submit the job unless Flink has it, wait until it runs',
});
const { stopJobWithSavepoint } = proxyActivities<FlinkActivities>({
  taskQueue: taskQueues.flink,
  startToCloseTimeout: '60 seconds',
  scheduleToCloseTimeout: '90 seconds',
  heartbeatTimeout: '15 seconds',
  retry: { ...retry, maximumAttempts: 3 },
  summary: 'Stop the job with a savepoint',
});
const { watchJob } = proxyActivities<FlinkActivities>({
  taskQueue: taskQueues.flink,
  startToCloseTimeout: '35 minutes',
  heartbeatTimeout: '30 seconds',
  retry,
  // It only looks, so a command need not wait until it has noticed.
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  summary: 'Watch the job',
});

const WATCH_MS = 30 * 60_000;

export async function flinkJob(carried: { name: string } & Partial<JobState>): Promise<void> {
  let state = jobStateSchema.parse(carried);
  let attention = new CancellationScope();
  let changes = 0;

  const enter = (event: JobEvent, change: Partial<JobState> = {}): void => {
    state = { ...state, ...change, phase: transition(state.phase, event) };
    setCurrentDetails(describe(state));
  };
  const command = (wanted: JobState['wanted']) => (input: JobCommand) => {
    const { commandId } = jobCommandSchema.parse(input);
    if (!state.commandIds.includes(commandId)) {
      // Whoever commands wants it tried now, not after the pause that earlier failures earned.
      state = { ...state, wanted, failures: 0, commandIds: remember(state.commandIds, commandId) };
      interrupt();
    }
    return state;
  };
  const interrupt = (): void => {
    changes += 1;
    attention.cancel();
  };
  const validator = (input: JobCommand): void => void jobCommandSchema.parse(input);
  setHandler(startUpdate, command('running'), { validator });
  setHandler(parkUpdate, command('parked'), { validator });
  setHandler(statusQuery, () => state);
  setHandler(versionChangedSignal, interrupt);

  const actions = {
    async submit() {
      const before = changes;
      const waits = state.phase !== 'submitting' && state.failures > 0;
      if (waits && (await condition(() => changes !== before, backoffMs(state.failures)))) return;
      try {
        if (state.phase !== 'submitting') {
          const { name, attempt, restorePath } = state;
          enter('targetRecorded', await recordJobTarget({ name, attempt: attempt + 1, restorePath }));
        }
        const { name, version, attempt, jobId, restorePath } = state;
        await submitJob({ name, version, attempt, jobId, restorePath });
        enter('submitted', { reason: '' });
      } catch (error) {
        // It may have run and made checkpoints before it was given up.
        const checkpoint = await findCheckpoint({ jobId: state.jobId });
        enter('refused', {
          failures: state.failures + 1,
          reason: reasonOfFailure(error),
          restorePath: checkpoint || state.restorePath,
        });
      }
      await recordJobState(state);
    },
    async watch() {
      attention = new CancellationScope();
      try {
        const reason = await attention.run(() => watchJob({ jobId: state.jobId, untilMs: WATCH_MS }));
        if (reason === undefined) state = { ...state, failures: 0 };
        else await lose(reason);
      } catch (error) {
        // The watch is cancelled by a command; the actor itself only by somebody who ends it.
        if (CancellationScope.current().consideredCancelled) throw error;
        if (!isCancellation(error)) await lose(reasonOfFailure(error));
      }
    },
    async park() {
      if (state.phase === 'running') enter('parkBegun');
      try {
        const restorePath = await stopJobWithSavepoint({
          name: state.name,
          version: state.version,
          jobId: state.jobId,
        });
        enter('parked', { restorePath, failures: 0, reason: '' });
      } catch (error) {
        const checkpoint = await findCheckpoint({ jobId: state.jobId });
        const reason = `no savepoint could be taken (${reasonOfFailure(error)}); the next start goes on from the newest checkpoint`;
        enter('parked', { restorePath: checkpoint || state.restorePath, reason });
      }
      await recordJobState(state);
    },
    async settle() {
      enter('parked');
      await recordJobState(state);
    },
    async rest() {
      const before = changes;
      await condition(() => changes !== before);
    },
  };

  const lose = async (reason: string): Promise<void> => {
    const checkpoint = await findCheckpoint({ jobId: state.jobId });
    enter('lost', { failures: state.failures + 1, reason, restorePath: checkpoint || state.restorePath });
    await recordJobState(state);
  };

  if (state.phase === 'new') {
    // An actor that was ended by hand, or whose history is gone: its job may still run, and its state is on record.
    const record = await readJobRecord({ name: state.name });
    if (record !== undefined) state = { ...state, ...record, phase: 'running' };
  }
  setCurrentDetails(describe(state));
  while (!isTimeToMoveOn()) await actions[nextAction(state)]();
  await condition(allHandlersFinished);
  await makeContinueAsNewFunc<typeof flinkJob>({ initialVersioningBehavior: 'AUTO_UPGRADE' })(state);
}

/** A long history, or a newer worker version: both are answered by continuing as a new run, on the newest version. */
function isTimeToMoveOn(): boolean {
  const { continueAsNewSuggested, targetWorkerDeploymentVersionChanged } = workflowInfo();
  return continueAsNewSuggested || targetWorkerDeploymentVersionChanged;
}

function describe({ name, phase, version, attempt, jobId, restorePath, reason }: JobState): string {
  const lines = [
    `**${name}** is **${phase}**`,
    version === '' ? undefined : `version \`${version}\`, submission ${attempt}, Flink job \`${jobId}\``,
    restorePath === '' ? undefined : `started from \`${restorePath}\``,
    reason === '' ? undefined : reason,
  ];
  return lines.filter((line) => line !== undefined).join('  \n');
}

function reasonOfFailure(error: unknown): string {
  if (isCancellation(error)) throw error;
  return error instanceof ActivityFailure ? (error.cause?.message ?? error.message) : String(error);
}
