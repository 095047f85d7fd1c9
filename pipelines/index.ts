/** The pipelines there are, by name, and what the contract of each says of a record. */
import type { InspectRecord } from '../clients/record-accounts.ts';
import type { BatchJobDefinition, PipelineDefinition } from '../schemas/pipeline.ts';
import { inspectWeatherRecord } from './weather/contract.ts';
import { weather } from './weather/definition.ts';

export const pipelines: Readonly<Record<string, PipelineDefinition>> = { [weather.name]: weather };

export const contracts: Readonly<Record<string, InspectRecord>> = { [weather.name]: inspectWeatherRecord };

/** By name, of all pipelines. */
export const batchJobs: Readonly<Record<string, BatchJobDefinition>> = Object.fromEntries(
  Object.values(pipelines).flatMap((pipeline) => pipeline.batchJobs.map((job) => [job.name, job])),
);

/** @param job the name of a stream's job or of a batch job @throws when no pipeline has such a job */
export function pipelineOfJob(job: string): PipelineDefinition {
  const pipeline = Object.values(pipelines).find((candidate) =>
    [candidate.job, ...candidate.batchJobs].some(({ name }) => name === job),
  );
  if (pipeline === undefined) throw new Error(`no pipeline has a job "${job}"`);
  return pipeline;
}
