/** A run of a batch job: what a caller gives and gets, and how hard it is tried. What follows is decided in `domain/batch-job.ts`. */
import { z } from 'zod';

const SECOND_MS = 1_000;

/** As it stands in the SQL: `${from}`. */
export const batchParameterName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,40}$/, 'expected lower-case letters, digits and underscores');

/** What the value of a parameter must be, by its kind. */
export const batchParameterKinds = {
  hour: { description: 'an instant on the hour in UTC, written like 2026-01-31T17:00:00Z' },
  topic: { description: 'the name of a topic: letters, digits and . _ -' },
  name: { description: 'a name: up to 200 letters, digits and hyphens' },
  offsets: {
    description: 'a range of offsets for each partition, the end not included, written like 0:17-42;1:5-5',
  },
} as const;
export type BatchParameterKind = keyof typeof batchParameterKinds;

export const batchPolicySchema = z.object({
  /** How many Flink jobs may fail before the run fails. */
  attempts: z.int().min(1).default(5),
  /** The pause after the first failure, doubling up to the most: four pauses outlast a database that is away for two minutes. */
  backoffFirstMs: z
    .int()
    .min(0)
    .default(10 * SECOND_MS),
  backoffMostMs: z
    .int()
    .min(0)
    .default(120 * SECOND_MS),
});
export type BatchPolicy = z.infer<typeof batchPolicySchema>;

export const batchJobInputSchema = z.object({
  /** The name of a batch job that a pipeline defines. */
  job: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected lower-case letters, digits and hyphens'),
  /** A value for each of the job's parameters. They name what is loaded, so they are part of the workflow's id. */
  parameters: z
    .record(
      batchParameterName,
      z.string().regex(/^[\w.:;+-]{1,4000}$/, 'expected up to 4,000 letters, digits and . : ; + - _'),
    )
    .default({}),
  /** From 1, which is served first, to 5; what the workflow was started with unless told. */
  priority: z.int().min(1).max(5).optional(),
});
export type BatchJobInput = z.input<typeof batchJobInputSchema>;

export interface BatchJobResult {
  /** The Flink job that finished. */
  readonly jobId: string;
  /** How many Flink jobs it took. */
  readonly attempts: number;
  /** How many records reached the tables; left out when Flink no longer knew. */
  readonly recordsWritten?: number;
}
