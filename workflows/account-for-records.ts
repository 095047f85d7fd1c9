/** Accounts for every record the stream has read: what is neither stored nor a duplicate becomes a dead letter. Started each minute. */
import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { RecordsActivities, RecordsSummary } from '../activities/records.ts';
import { taskQueues } from '../domain/task-queues.ts';
import { pipelineInputSchema } from '../schemas/workflow-inputs.ts';
import { showWindow } from './scheduled-window.ts';

const { accountForRecords: account } = proxyActivities<RecordsActivities>({
  taskQueue: taskQueues.control,
  startToCloseTimeout: '50 minutes',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '5 seconds', maximumInterval: '1 minute' },
  summary: 'Find the records that no row came from',
});

export async function accountForRecords(input: unknown): Promise<RecordsSummary> {
  const parsed = pipelineInputSchema.safeParse(input);
  if (!parsed.success)
    throw ApplicationFailure.nonRetryable(`the input is not valid: ${parsed.error.message}`, 'INVALID_INPUT');
  showWindow();
  return account(parsed.data);
}
