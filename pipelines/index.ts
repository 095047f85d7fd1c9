/** The pipelines there are, by name: what each is, what its contract says of a record, and how its source is asked. */
import type { LineReaderOptions, ReadLine } from '../clients/observation-file.ts';
import type { TablesOf } from '../clients/pipeline-tables.ts';
import type { InspectRecord } from '../clients/record-accounts.ts';
import { ofPipeline } from '../domain/errors.ts';
import type { BatchJobDefinition, PipelineDefinition } from '../schemas/pipeline.ts';
import type { Pipeline } from './pipeline.ts';
import { registered } from './registered.ts';

/** What is made of each pipeline, by its name. */
export const byPipeline = <T>(make: (pipeline: Pipeline) => T): Readonly<Record<string, T>> =>
  Object.fromEntries(registered.map((pipeline) => [pipeline.definition.name, make(pipeline)]));

export const pipelines: Readonly<Record<string, PipelineDefinition>> = byPipeline(
  ({ definition }) => definition,
);

export const contracts: Readonly<Record<string, InspectRecord>> = byPipeline(({ inspect }) => inspect);

/** Of those that can be loaded from a file. */
export const lineReaders: Readonly<Record<string, (options: LineReaderOptions) => ReadLine>> =
  Object.fromEntries(
    registered.flatMap(({ definition, createLineReader: create }) =>
      create === undefined ? [] : [[definition.name, create]],
    ),
  );

export const tablesOf: TablesOf = (name) => ofPipeline(pipelines, name).tables;

/** In the order of their names; each once. @throws UnknownPipelineError */
export const pipelinesNamed = (names: readonly string[]): readonly PipelineDefinition[] =>
  [...new Set(names)].map((name) => ofPipeline(pipelines, name));

/** Those among them that are polled with the key of OpenWeatherMap. */
export const sharingTheKey = (names: readonly string[]): readonly string[] =>
  registered
    .filter(({ definition, limits }) => limits === undefined && names.includes(definition.name))
    .map(({ definition }) => definition.name);

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
