/** One run of ingestion: polls what is due in one shard of the registry. Started by a schedule, each minute. */
import { ActivityFailure, ApplicationFailure, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { PollSummary } from '../activities/ingest-run.ts';
import type { IngestionTroubleActivities, JudgedRun } from '../activities/ingestion-trouble.ts';
import type { NotifyActivities } from '../activities/notify.ts';
import type { SourceActivities } from '../activities/source.ts';
import { priorities, taskQueues } from '../domain/task-queues.ts';
import { ingestInputSchema } from '../schemas/workflow-inputs.ts';
import { showWindow } from './scheduled-window.ts';

const { pollShard } = proxyActivities<SourceActivities>({
  taskQueue: taskQueues.sourceApi,
  startToCloseTimeout: '4 minutes',
  // Retries and all: of the run's five minutes enough is left to tell that it failed.
  scheduleToCloseTimeout: '255 seconds',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '2 seconds', maximumAttempts: 3 },
  priority: { priorityKey: priorities.live },
  summary: 'Poll what is due, publish what is new',
});
const { judgeRun, pauseIngestion, notify } = proxyActivities<IngestionTroubleActivities & NotifyActivities>({
  taskQueue: taskQueues.control,
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumAttempts: 4 },
  summary: 'Tell that ingestion fails, or is well again',
});

export async function ingestWeather(input: unknown): Promise<PollSummary> {
  const parsed = ingestInputSchema.safeParse(input);
  if (!parsed.success)
    throw ApplicationFailure.nonRetryable(`the input is not valid: ${parsed.error.message}`, 'INVALID_INPUT');
  const { shards, ...shard } = parsed.data;
  const run = { ...shard, scheduledAt: showWindow() };
  try {
    const summary = await pollShard({ ...run, shards });
    if (summary.error !== null) throw ApplicationFailure.nonRetryable(summary.error, 'INGEST_RUN_FAILED');
    // A run that had nothing to call, or had no answer, does not tell that the trouble is over.
    const hasAnswers = summary.published + summary.unchanged > 0;
    if (summary.failuresBefore > 0 && hasAnswers) await follow({ ...run, error: null });
    return summary;
  } catch (failure) {
    if (isCancellation(failure)) throw failure;
    await follow({ ...run, error: reasonOf(failure) });
    throw failure;
  }
}

async function follow(run: JudgedRun): Promise<void> {
  const { alert, pause } = (await tried(judgeRun(run))) ?? {};
  if (pause !== undefined) await tried(pauseIngestion(pause));
  if (alert !== undefined) await tried(notify(alert));
}

/** What cannot be done now stands in the history as a failed activity; the run's own end is not changed by it. */
async function tried<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    return undefined;
  }
}

/** An activity's failure says only that one failed; why stands in its cause. */
function reasonOf(failure: unknown): string {
  const cause = failure instanceof ActivityFailure ? (failure.cause ?? failure) : failure;
  return cause instanceof Error ? cause.message : String(cause);
}
