/** What a pipeline is: data, validated here. The control plane knows this shape and no word of any one pipeline. */
import { z } from 'zod';

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
});

export const pipelineDefinitionSchema = z.object({
  name,
  topics: z.object({
    live: topic,
    /** Recent records that were missing; the stream reads it beside the live topic. */
    repairs: topic,
    /** What ingestion refused, kept before it becomes a dead letter. */
    deadLetters: topic,
  }),
  consumerGroup: z.string().min(1),
  job: jobDefinitionSchema,
});

export type JobDefinition = z.infer<typeof jobDefinitionSchema>;
export type PipelineDefinition = z.infer<typeof pipelineDefinitionSchema>;

/** A row of the registry, as far as a source needs it. */
export interface Location {
  readonly entityId: number;
  readonly name: string;
}

/** What the source said of one location. An observation's body is published unchanged, keyed by the location. */
export type PollAnswer =
  | { readonly kind: 'observation'; readonly body: string; readonly observedAt: Date }
  /** It answered with something that is no observation. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly body: string }
  /** It did not answer for this location; asking again later is right. */
  | { readonly kind: 'failed'; readonly reason: string };

/** How one pipeline's source is asked; the only code a pipeline brings. */
export interface PipelineSource {
  /** @throws typed errors with `code` and `retryable` for what concerns every location, such as a refused key */
  poll(location: Location, signal: AbortSignal): Promise<PollAnswer>;
}
