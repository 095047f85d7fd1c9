/** What both a job's actor and its record know, as the commands print it in JSON. */
import type { JobRecord, Upgrades } from '../../schemas/job.ts';

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
  upgrade: upgradeOf(job.upgrades),
  previousVersion: job.upgrades.pending?.previous.version ?? job.upgrades.previous?.version ?? null,
  rolledBack: rolledBackOf(job.upgrades),
});

const upgradeOf = ({ pending }: Upgrades) =>
  pending === undefined
    ? null
    : {
        ...{ version: pending.version, mode: pending.mode },
        confirmBy: pending.deadlineMs === 0 ? null : new Date(pending.deadlineMs),
      };

const rolledBackOf = ({ rejected }: Upgrades) =>
  rejected === undefined
    ? null
    : { version: rejected.version, reason: rejected.reason, at: new Date(rejected.atMs) };

const orNull = (text: string): string | null => (text === '' ? null : text);
