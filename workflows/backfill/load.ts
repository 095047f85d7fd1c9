/** Loads records that are published by batch jobs, and makes the hours of what was loaded anew. */
import type { PlannedLoad } from '../../activities/backfill-loads.ts';
import type { HourRange } from '../../domain/backfill-recompute.ts';
import { batchJobId } from '../../domain/identities.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import { priorities } from '../../domain/task-queues.ts';
import type { BackfillJobs } from '../../schemas/backfill.ts';
import type { BatchJobInput, BatchJobResult } from '../../schemas/batch-job.ts';
import { checkLoad, childWhenFree, type Purpose, priorityOf } from './calls.ts';

export interface LoadFor {
  readonly id: string;
  readonly purpose: Purpose;
  readonly jobs: BackfillJobs;
}

/** The records become rows; then it is made sure that the job has read all of them. */
export async function load(run: LoadFor, { job }: PlannedLoad): Promise<void> {
  if (job === undefined) return;
  await batchJob(run, run.jobs.loadJob, job.parameters, { load: job.load });
  await checkLoad({ id: run.id, job });
}

export async function recompute(run: LoadFor, hours: readonly HourRange[]): Promise<void> {
  for (const { from, to } of hours)
    await batchJob(run, run.jobs.recomputeJob, { from, to }, { from, to, for: run.id });
}

/** @param named what the run is known by */
async function batchJob(
  { id, purpose }: LoadFor,
  job: string,
  parameters: Readonly<Record<string, string>>,
  named: Readonly<Record<string, string>>,
): Promise<void> {
  const input: BatchJobInput = { job, parameters, priority: priorities[purpose] };
  await childWhenFree<BatchJobResult>('runBatchJob', {
    workflowId: batchJobId(job, named),
    args: [input],
    staticSummary: `${job} for ${id}`,
    priority: priorityOf(purpose, id),
    typedSearchAttributes: [{ key: searchAttributes.backfill, value: id }],
  });
}
