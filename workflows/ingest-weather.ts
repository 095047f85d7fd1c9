/** One run of ingestion: polls what is due in one shard of the registry. Started by a schedule, each minute. */
import { ApplicationFailure, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { PollSummary, SourceActivities } from '../activities/source.ts';
import { priorities, taskQueues } from '../domain/task-queues.ts';
import { ingestInputSchema } from '../schemas/workflow-inputs.ts';

const { pollShard } = proxyActivities<SourceActivities>({
  taskQueue: taskQueues.sourceApi,
  startToCloseTimeout: '4 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '2 seconds', maximumAttempts: 3 },
  priority: { priorityKey: priorities.live },
  summary: 'Poll what is due, publish what is new',
});

export async function ingestWeather(input: unknown): Promise<PollSummary> {
  const parsed = ingestInputSchema.safeParse(input);
  if (!parsed.success)
    throw ApplicationFailure.nonRetryable(`the input is not valid: ${parsed.error.message}`, 'INVALID_INPUT');
  return pollShard({ ...parsed.data, scheduledAt: nominalTime().toISOString() });
}

/** The time the schedule meant, which stays the same when the run begins late; of a run started by hand, its start. */
function nominalTime(): Date {
  const { searchAttributes, startTime } = workflowInfo();
  const scheduled = searchAttributes['TemporalScheduledStartTime']?.[0];
  return scheduled instanceof Date ? scheduled : startTime;
}
