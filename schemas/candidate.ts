/** Candidates: versions of a Flink job that are tried before they run. What a try is given and what it answers; what follows is decided in `domain/`. */
import { z } from 'zod';
import { MOST_PARALLEL } from './job.ts';

const MINUTE_MS = 60_000;

const job = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected lower-case letters, digits and hyphens');
/** The name of a version on record: a hash. */
export const versionName = z.string().regex(/^[0-9a-f]{12}$/, 'expected 12 hexadecimal digits');
const milliseconds = z.int().min(1_000);

/** Why a candidate is run: to see whether the saved state fits, or beside the job until its windows can be compared. */
export const CANDIDATE_PURPOSES = ['dry_run', 'shadow'] as const;
export type CandidatePurpose = (typeof CANDIDATE_PURPOSES)[number];

export const tryVersionInputSchema = z.object({
  job,
  version: versionName,
  /** How long the candidate is watched before its fate is called untold. */
  watchMs: milliseconds.default(5 * MINUTE_MS),
});
export type TryVersionInput = z.input<typeof tryVersionInputSchema>;

/** What may be accepted besides the name of a column. */
export const ACCEPTABLE = {
  missing: 'windows that the candidate has not',
  extra: 'windows that only the candidate has',
  uncompared: 'a cut-over although no window could be compared',
  all: 'whatever differs',
} as const;

export const shadowUpgradeInputSchema = z.object({
  job,
  version: versionName,
  /** The columns whose differences are accepted, or the names of {@link ACCEPTABLE}. */
  acceptDifferences: z.array(z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/)).default([]),
  /** How long the candidate may take to read the log; as its length allows unless given. */
  catchUpMs: milliseconds.optional(),
  /** The parallelism that was asked for, when one was: the version has it already, and later deploys are to have it too. */
  parallelism: z.int().min(1).max(MOST_PARALLEL).optional(),
});
export type ShadowUpgradeInput = z.input<typeof shadowUpgradeInputSchema>;
