/** What both a job's actor and its record know, as the commands print it in JSON. */
import type { JobRecord } from '../../schemas/job.ts';

export type RecordedFacts = Omit<JobRecord, 'sequence'>;

/** What there is not is null. */
export const factsOf = (job: RecordedFacts) => ({
  state: job.phase,
  desired: job.desired,
  isParked: job.isParked,
  version: orNull(job.version),
  desiredVersion: orNull(job.desiredVersion),
  attempt: job.attempt,
  flinkJobId: orNull(job.jobId),
  restorePath: orNull(job.restorePath),
  reason: orNull(job.reason),
});

const orNull = (text: string): string | null => (text === '' ? null : text);
