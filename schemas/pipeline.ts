/** What a pipeline is: data, validated here. The control plane knows this shape and no word of any one pipeline. */
import { z } from 'zod';
import { backfillJobsSchema } from './backfill.ts';
import {
  type BatchParameterKind,
  batchParameterKinds,
  batchParameterName,
  batchPolicySchema,
} from './batch-job.ts';
import { jobPolicySchema } from './job.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected lower-case letters, digits and hyphens');
const sqlFile = z.string().regex(/^(tables|views|jobs)\/[a-z0-9-]+\.sql$/, 'expected a path below sql/flink');
const topic = z.object({
  name: z.string().regex(/^[a-z0-9.-]+$/),
  partitions: z.int().min(1),
  retentionMs: z.int().min(1),
});

export const jobDefinitionSchema = z.object({
  name,
  /** Run in this order, one statement a file; the last one starts the job. */
  files: z.array(sqlFile).min(1),
  parallelism: z.int().min(1),
  /** Flink settings of the job, for example `table.exec.state.ttl`. */
  settings: z.record(z.string(), z.string()),
  /** How its actor guards it. */
  policy: jobPolicySchema.prefault({}),
});

const parameterKind = z.enum(
  Object.keys(batchParameterKinds) as [BatchParameterKind, ...BatchParameterKind[]],
);

/** A job that ends: it reads what its parameters name, writes it, and is done. Repeating it must give the same rows. */
export const batchJobDefinitionSchema = jobDefinitionSchema.omit({ policy: true }).extend({
  /** The names a caller must give a value for, with what each value must be. */
  parameters: z.record(batchParameterName, parameterKind),
  /** Pairs of parameters of which the first must lie before the second. */
  ascending: z.array(z.tuple([batchParameterName, batchParameterName])).default([]),
  /** How hard a run of it is tried. */
  policy: batchPolicySchema.prefault({}),
});

/** Short enough for the names of indexes and functions that are made of it. */
const identifier = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,39}$/, 'expected a name in lower case, such as air_hourly');

/**
 * What a pipeline's tables are called. The queries of the control plane are written once; where they ask a pipeline's tables they
 * name them by `${registry}`, `${key}`, `${facts}`, `${windows}` and `${figure}`. docs/add-a-pipeline.md says which columns each has.
 */
export const pipelineTablesSchema = z.object({
  /** Whom the pipeline watches, how often and since when: a table or a view. */
  registry: identifier,
  /** The column that tells whom a row is about, the same in all three. */
  key: identifier,
  /** One row for each observation. */
  facts: identifier,
  /** One row for each entity and hour; a function `<windows>_truth` tells what these rows must be. */
  windows: identifier,
  /** The columns of an hour's row that are compared with the truth, beside its count and its first and last time. */
  figures: z.array(identifier).min(1),
});

export const pipelineDefinitionSchema = z.object({
  name,
  tables: pipelineTablesSchema,
  topics: z.object({
    live: topic,
    /** Recent records that were missing; the stream reads it beside the live topic. */
    repairs: topic,
    /** Older history that a backfill has fetched; only batch jobs read it, by offsets. */
    history: topic,
    /** What ingestion refused, kept before it becomes a dead letter. */
    deadLetters: topic,
  }),
  consumerGroup: z.string().min(1),
  job: jobDefinitionSchema,
  batchJobs: z.array(batchJobDefinitionSchema).default([]),
  backfill: backfillJobsSchema,
});

export type PipelineTables = z.infer<typeof pipelineTablesSchema>;
export type JobDefinition = z.infer<typeof jobDefinitionSchema>;
export type BatchJobDefinition = z.infer<typeof batchJobDefinitionSchema>;
export type PipelineDefinition = z.infer<typeof pipelineDefinitionSchema>;

/** Whom an observation is about, as a person knows it. */
interface Location {
  readonly entityId: number;
  readonly name: string;
}

/** What the source said of one location. An observation's body is published unchanged, keyed by the location. */
export type PollAnswer =
  | { readonly kind: 'observation'; readonly body: string; readonly observedAt: Date }
  /** It answered with something that is no observation. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly body: string }
  /** It did not answer for this location. When asking again soon is of no use, it is asked with its next slot. */
  | { readonly kind: 'failed'; readonly reason: string; readonly retryable: boolean }
  /** It answers nobody for a while, as the key's calls are used up; how long, if it said so. */
  | { readonly kind: 'limited'; readonly reason: string; readonly retryAfterMs: number | undefined };

/** A row of the registry, as far as a source needs it. */
export interface RegisteredLocation extends Location {
  /** The country's code of two letters. */
  readonly country: string;
  readonly lat: number;
  readonly lon: number;
}

/** One observation of the past as it is published: in the shape and the units that the live topic has. */
export interface HistoryRecord {
  readonly body: string;
  readonly observedAt: Date;
}

/** What the source said of one location's past. No records is an answer too: it has nothing of that time. */
export type HistoryAnswer =
  | { readonly kind: 'records'; readonly records: readonly HistoryRecord[] }
  | Exclude<PollAnswer, { readonly kind: 'observation' }>;

/** How a source is asked for the past. */
export interface PipelineHistory {
  /** The longest range of one `fetch`. */
  readonly longestSpanMs: number;
  /** How far the past reaches back from now; undefined when the source does not tell: then an empty answer does. */
  readonly horizonMs: number | undefined;
  /** How many calls one `fetch` makes, which its caller has leased before; any other it takes itself. */
  readonly callsPerSpan: number;
  /**
   * The observations in [from, to), whatever else the source sends.
   * @throws typed errors with `code` and `retryable` for what concerns every location; RangeError for a range that is empty or too long
   */
  fetch(location: RegisteredLocation, from: Date, to: Date, call: HistoryCall): Promise<HistoryAnswer>;
}

export interface HistoryCall {
  readonly signal: AbortSignal;
  /** Resolves when one more call may be made. */
  takeCall(): Promise<void>;
}

/** How one pipeline's source is asked; the only code a pipeline brings. */
export interface PipelineSource {
  /** @throws typed errors with `code` and `retryable` for what concerns every location, such as a refused key */
  poll(location: RegisteredLocation, signal: AbortSignal): Promise<PollAnswer>;
  /** Absent when the source knows the present alone. */
  readonly history?: PipelineHistory;
}
