/**
 * One run of a batch job: a Flink job that ends, submitted once, watched, submitted again when it is lost, and cancelled with the
 * run. What a sight means and when to give up is decided in `domain/batch-job.ts`; this workflow does it.
 */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { BatchJobActivities, BatchJobCall } from '../activities/batch-jobs.ts';
import {
  advance,
  type BatchEvent,
  type BatchPhase,
  type BatchProgress,
  type BatchRun,
  batchPhases,
  eventOf,
  flinkNameOf,
  newRun,
  pauseMs,
  progressText,
} from '../domain/batch-job.ts';
import { flinkId } from '../domain/identities.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { taskQueues } from '../domain/task-queues.ts';
import {
  type BatchJobInput,
  type BatchJobResult,
  type BatchPolicy,
  batchJobInputSchema,
  batchPolicySchema,
} from '../schemas/batch-job.ts';

/** How long one watch looks before it returns what it saw last: what is shown of the run is never older. */
const WATCH_MS = 10 * 60_000;

export async function runBatchJob(given: BatchJobInput): Promise<BatchJobResult> {
  const { priority, ...call } = parse(given);
  const activities = activitiesFor(priority);
  let policy = batchPolicySchema.parse({});
  let run = newRun;
  let progress: BatchProgress | undefined;
  const enter = (event: BatchEvent, reason?: string): void => {
    run = advance(run, event, reason);
    show(call, run, progress);
  };

  const actions: Readonly<Partial<Record<BatchPhase, () => Promise<void>>>> = {
    async judging() {
      try {
        policy = await activities.describeBatchJob(call);
        enter('accepted');
      } catch (error) {
        enter('gaveUp', refusalIn(error));
      }
    },
    async submitting() {
      progress = undefined;
      enter(...(await submit(activities, call, run)));
    },
    async running() {
      const sight = await watch(activities, call, run, progress);
      // Flink has not answered all the while.
      if (sight === undefined) return;
      const { reason, ...seen } = sight;
      progress = seen;
      const event = eventOf(seen);
      if (event === undefined) show(call, run, progress);
      else enter(event, reason);
    },
    async waiting() {
      enter(await pause(run, policy));
    },
  };
  show(call, run, progress);
  try {
    for (let act = actions[run.phase]; act !== undefined; act = actions[run.phase]) await act();
  } catch (error) {
    if (!isCancellation(error)) throw error;
    enter('cancelAsked');
    if (run.phase === 'cancelling') {
      const jobId = jobIdOf(run);
      await CancellationScope.nonCancellable(() => activities.cancelBatchJob({ jobId }));
      enter('cancelled');
    }
    throw error;
  }
  return resultOf(call, run, progress);
}

type Activities = ReturnType<typeof activitiesFor>;

/** Every activity is retried without end unless it is told no: what does not answer says nothing about the job. */
function activitiesFor(priorityKey: number | undefined) {
  const shared = {
    taskQueue: taskQueues.flink,
    heartbeatTimeout: '30 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
    ...(priorityKey === undefined ? {} : { priority: { priorityKey } }),
  } as const;
  const { describeBatchJob } = proxyActivities<BatchJobActivities>({
    ...shared,
    startToCloseTimeout: '30 seconds',
    summary: 'Judge the parameters',
  });
  const { submitBatchJob } = proxyActivities<BatchJobActivities>({
    ...shared,
    startToCloseTimeout: '3 minutes',
    // A submission that is under way ends first: cancelled beside it, the job could arrive in Flink after its end was awaited.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  const { watchBatchJob } = proxyActivities<BatchJobActivities>({
    ...shared,
    startToCloseTimeout: '15 minutes',
    // It only looks, so nobody need wait until it has noticed.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
  const { cancelBatchJob } = proxyActivities<BatchJobActivities>({
    ...shared,
    startToCloseTimeout: '5 minutes',
    summary: 'Cancel the Flink job and wait for its end',
  });
  return { describeBatchJob, submitBatchJob, watchBatchJob, cancelBatchJob };
}

function parse(given: unknown) {
  const parsed = batchJobInputSchema.safeParse(given);
  if (!parsed.success)
    throw ApplicationFailure.nonRetryable(`the input is not valid: ${parsed.error.message}`, 'INVALID_INPUT');
  return parsed.data;
}

/** Decided before anything is asked of Flink, and another one for each attempt: Flink refuses an id whose job has ended. */
function jobIdOf({ attempt }: BatchRun): string {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  return flinkId(`${attempt}/${workflowId}/${firstExecutionRunId}`);
}

async function submit(
  { submitBatchJob }: Activities,
  call: BatchJobCall,
  run: BatchRun,
): Promise<[event: BatchEvent, reason?: string]> {
  const submission = { ...call, name: flinkNameOf(workflowInfo().workflowId), jobId: jobIdOf(run) };
  try {
    await submitBatchJob.executeWithOptions({ summary: `Submit ${call.job}, attempt ${run.attempt}` }, [
      submission,
    ]);
    return ['submitted'];
  } catch (error) {
    return ['refused', refusalIn(error)];
  }
}

async function watch(
  { watchBatchJob }: Activities,
  { job }: BatchJobCall,
  run: BatchRun,
  seen: BatchProgress | undefined,
) {
  const summary = `Watch ${job}, attempt ${run.attempt}`;
  return watchBatchJob.executeWithOptions({ summary }, [{ jobId: jobIdOf(run), seen, untilMs: WATCH_MS }]);
}

async function pause(run: BatchRun, policy: BatchPolicy): Promise<BatchEvent> {
  const ms = pauseMs(run, policy);
  if (ms === undefined) return 'gaveUp';
  await sleep(ms, { summary: `Pause before attempt ${run.attempt + 1}` });
  return 'retried';
}

function resultOf({ job }: BatchJobCall, run: BatchRun, progress: BatchProgress | undefined): BatchJobResult {
  if (run.phase === 'failed') {
    if (run.attempt === 0) throw ApplicationFailure.nonRetryable(run.reason, 'BATCH_JOB_REFUSED');
    const times = run.attempt === 1 ? 'once' : `${run.attempt} times, the last time`;
    throw ApplicationFailure.nonRetryable(`${job} failed ${times}: ${run.reason}`, 'BATCH_JOB_FAILED');
  }
  const { recordsWritten } = progress ?? {};
  return {
    jobId: jobIdOf(run),
    attempts: run.attempt,
    ...(recordsWritten === undefined ? {} : { recordsWritten }),
  };
}

/** What the Temporal UI shows of the run without opening a payload. */
function show({ job, parameters }: BatchJobCall, run: BatchRun, progress: BatchProgress | undefined): void {
  const values = Object.entries(parameters).map(([name, value]) => `${name} \`${value}\``);
  const lines = [
    `**${job}** is **${run.phase}**`,
    batchPhases[run.phase].description,
    values.length === 0 ? undefined : values.join(', '),
    run.attempt === 0 ? undefined : `attempt ${run.attempt}, Flink job \`${jobIdOf(run)}\``,
    progress === undefined ? undefined : progressText(progress),
    run.reason === '' ? undefined : `failed: ${run.reason}`,
  ];
  setCurrentDetails(lines.filter((line) => line !== undefined).join('  \n'));
  const { state } = searchAttributes;
  // Each upsert is an event of the history, so only what is new is one.
  if (workflowInfo().typedSearchAttributes.get(state) !== run.phase)
    upsertSearchAttributes([
      { key: searchAttributes.job, value: job },
      { key: state, value: run.phase },
    ]);
}

/** What an activity said no with. @throws the error when it is anything else */
function refusalIn(error: unknown): string {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
  return error.cause?.message ?? error.message;
}
