/** The door to runs of batch jobs: starts one, or attaches to the one that loads the same. */
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { batchJobId } from '../domain/identities.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { taskQueues } from '../domain/task-queues.ts';
import type { BatchJobInput, BatchJobResult } from '../schemas/batch-job.ts';

const RUN = 'runBatchJob';
type RunFunction = (input: BatchJobInput) => Promise<BatchJobResult>;

/** `result()` waits for the end, `cancel()` ends the Flink job too. */
export type BatchJobRun = WorkflowHandleWithFirstExecutionRunId<RunFunction>;

/**
 * Two calls that load the same are one run while it is open. It began to read when it was first asked: who needs what was stored
 * since then waits for its end and starts another.
 */
export function startBatchJob(client: Client, input: BatchJobInput): Promise<BatchJobRun> {
  const { job, parameters = {}, priority } = input;
  const values = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  return client.workflow.start<RunFunction>(RUN, {
    workflowId: batchJobId(job, parameters),
    taskQueue: taskQueues.control,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    // What was loaded once may be loaded again: more may be there now, and the same rows come of the same observations.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: [job, ...values].join(', '),
    staticDetails:
      'Runs one Flink job that ends, and submits it again when it is lost. Cancelling it cancels the Flink job.',
    typedSearchAttributes: [{ key: searchAttributes.job, value: job }],
    ...(priority === undefined ? {} : { priority: { priorityKey: priority } }),
  });
}
