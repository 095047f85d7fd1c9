/** The inputs of all workflows and commands: validated where they enter, small enough to be read in the Temporal UI. */
import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/);

export const pipelineInputSchema = z.object({ pipeline: name });
export type PipelineInput = z.infer<typeof pipelineInputSchema>;

export const ingestInputSchema = z.object({
  pipeline: name,
  source: name,
  /** The part of the registry this run polls: locations whose id modulo `shards` is `shard`. */
  shard: z.int().min(0),
  shards: z.int().min(1),
});
export type IngestInput = z.infer<typeof ingestInputSchema>;

export const jobCommandSchema = z.object({
  /** Two commands with one id are one command: it is remembered across continue-as-new. */
  commandId: z.string().min(1).max(100),
});
export type JobCommand = z.infer<typeof jobCommandSchema>;

/** The names by which an actor's messages are sent. */
export const jobMessages = {
  start: 'start',
  park: 'park',
  status: 'status',
  versionChanged: 'versionChanged',
} as const;

export const JOB_PHASES = ['new', 'submitting', 'running', 'parking', 'parked', 'recovering'] as const;

/** What a job's actor carries from run to run. A version N and N−1 both read it: fields are only added, with a default. */
export const jobStateSchema = z.object({
  name,
  phase: z.enum(JOB_PHASES).default('new'),
  wanted: z.enum(['running', 'parked']).default('running'),
  version: z.string().default(''),
  attempt: z.int().min(0).default(0),
  jobId: z.string().default(''),
  /** The snapshot the next submission starts from; empty only before the first. */
  restorePath: z.string().default(''),
  failures: z.int().min(0).default(0),
  reason: z.string().default(''),
  commandIds: z.array(z.string()).default([]),
});
export type JobState = z.infer<typeof jobStateSchema>;
export type JobPhase = JobState['phase'];
