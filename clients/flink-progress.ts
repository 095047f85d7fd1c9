/** The door to how far a job that ends has come: its parts, and the records that reached those that write them. */
import { z } from 'zod';
import type { BatchProgress } from '../domain/batch-job.ts';
import { askJobManager } from './job-manager.ts';

const jobSchema = z.object({
  state: z.string(),
  vertices: z.array(
    z.object({ id: z.string(), status: z.string(), metrics: z.object({ 'read-records': z.number() }) }),
  ),
  plan: z.object({
    nodes: z.array(z.object({ id: z.string(), inputs: z.array(z.object({ id: z.string() })).default([]) })),
  }),
  /** Operators that are in no part yet: Flink plans a batch job while it runs. */
  'pending-operators': z.number().default(0),
});

/** @returns undefined when the JobManager answers that it knows no such job */
export type AskJobProgress = (jobId: string, signal?: AbortSignal) => Promise<BatchProgress | undefined>;

/**
 * What is returned throws FlinkUnreachableError when nothing answers and FlinkRequestError when the answer is an error.
 * @param url for example http://127.0.0.1:8081
 */
export function createJobProgress(url: string): AskJobProgress {
  const ask = askJobManager(url);
  return async (jobId, signal) => {
    const body = await ask('GET', `/jobs/${jobId}`, `describe job ${jobId}`, undefined, signal);
    return body === undefined ? undefined : progressOf(jobSchema.parse(body));
  };
}

function progressOf({ state, vertices, plan, ...rest }: z.infer<typeof jobSchema>): BatchProgress {
  const finishedParts = vertices.filter(({ status }) => status === 'FINISHED').length;
  if (rest['pending-operators'] > 0) return { state, finishedParts };
  // Flink counts what a part hands on, and a writer hands on nothing: what it was handed is what it wrote.
  const handing = new Set(plan.nodes.flatMap(({ inputs }) => inputs.map(({ id }) => id)));
  const writers = vertices.filter(({ id }) => !handing.has(id));
  const recordsWritten = writers.reduce((sum, { metrics }) => sum + metrics['read-records'], 0);
  return { state, finishedParts, parts: vertices.length, recordsWritten };
}
