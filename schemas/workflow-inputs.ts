/** The inputs of all workflows and commands: validated where they enter, small enough to be read in the Temporal UI. */
import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/);

export const pipelineInputSchema = z.object({ pipeline: name });
export type PipelineInput = z.infer<typeof pipelineInputSchema>;

export const ingestInputSchema = z
  .object({
    pipeline: name,
    source: name,
    /** The part of the registry this run polls: locations whose id modulo `shards` is `shard`. */
    shard: z.int().min(0),
    shards: z.int().min(1),
  })
  .refine(
    ({ shard, shards }) => shard < shards,
    'there are only as many shards as `shards` says, counted from 0',
  );
export type IngestInput = z.infer<typeof ingestInputSchema>;

const instant = z.iso.datetime({ offset: true, error: 'expected a time, for example 2026-01-31T00:00:00Z' });

/** Which dead letters of a pipeline are replayed; what is not given does not narrow it, and all of them must be asked for. */
export const replayInputSchema = z
  .strictObject({
    pipeline: name,
    topic: z
      .string()
      .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'expected the name of a topic')
      .optional(),
    partition: z.int().min(0).optional(),
    offset: z.int().min(0).optional(),
    /** Letters that were seen from this instant on, and before the other. */
    since: instant.optional(),
    until: instant.optional(),
    /** Also those that were replayed before and did not come to a row. */
    again: z.boolean().default(false),
    all: z.boolean().default(false),
  })
  .superRefine(({ topic, partition, offset, since, until, all }, context) => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
    const isNarrowed = topic !== undefined || since !== undefined || until !== undefined;
    if (partition !== undefined && topic === undefined) refuse('a partition needs its topic');
    else if (offset !== undefined && partition === undefined) refuse('an offset needs its partition');
    else if (!isNarrowed && !all)
      refuse('nothing is selected: give a topic, since or until, or all to replay every dead letter');
    if (isNarrowed && all) refuse('all and a narrower selection exclude each other: leave one out');
    if (since !== undefined && until !== undefined && Date.parse(since) >= Date.parse(until))
      refuse(`since (${since}) must lie before until (${until})`);
  });
export type ReplayInput = z.input<typeof replayInputSchema>;
export type ReplaySelection = z.output<typeof replayInputSchema>;
