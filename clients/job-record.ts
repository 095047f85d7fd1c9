/** What is on record of a Flink job, in the words of its actor. */
import { type JobRecord, upgradesSchema } from '../schemas/job.ts';
import type { Queries } from './postgres.ts';

interface JobRow {
  readonly desired: JobRecord['desired'];
  readonly is_parked: boolean;
  readonly state: JobRecord['phase'];
  readonly desired_version: string | null;
  readonly version: string | null;
  readonly attempt: number;
  readonly flink_job_id: string | null;
  readonly restore_path: string | null;
  readonly reason: string | null;
  readonly sequence: number;
  readonly upgrades: unknown;
}

/** @returns undefined for a job that was never commanded */
export async function readRecordOfJob(database: Queries, name: string): Promise<JobRecord | undefined> {
  const [row] = await database.query<JobRow>('job-record', [name]);
  if (row === undefined) return undefined;
  return {
    desired: row.desired,
    isParked: row.is_parked,
    phase: row.state,
    desiredVersion: row.desired_version ?? '',
    version: row.version ?? '',
    attempt: row.attempt,
    jobId: row.flink_job_id ?? '',
    restorePath: row.restore_path ?? '',
    reason: row.reason ?? '',
    sequence: row.sequence,
    upgrades: upgradesSchema.parse(row.upgrades),
  };
}
