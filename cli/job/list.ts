/** `hourglass job list`: every Flink job there is, how it is, and what is desired of it. */
import { createFlinkRestClient } from '../../clients/flink-rest.ts';
import type { Queries } from '../../clients/postgres.ts';
import { flinkRestUrl } from '../../config/addresses.ts';
import { loadConfig } from '../../config/load.ts';
import { renderTable } from '../table.ts';
import { withDatabase } from '../with-database.ts';
import { enteredAt, stretch } from './format.ts';
import { stateInFlink } from './in-flink.ts';
import { jobNames } from './known-jobs.ts';

/** A row of `flink_jobs`. */
interface RecordedJob {
  readonly name: string;
  readonly state: string;
  readonly desired: string;
  readonly is_parked: boolean;
  readonly desired_version: string | null;
  readonly version: string | null;
  readonly attempt: number;
  readonly flink_job_id: string | null;
  readonly changed_at: Date;
}

interface ListedJob {
  readonly name: string;
  readonly state: string;
  readonly desired: string;
  readonly isParked: boolean;
  readonly version: string | null;
  readonly desiredVersion: string | null;
  readonly attempt: number;
  readonly flinkJobId: string | null;
  /** Flink's name of the state, or in words why there is none. */
  readonly flink: string;
  readonly since: Date | null;
}

/** Commands leave the state as it is; further back than so many events is not looked. */
const MOST_EVENTS = 200;

export async function listJobs({ json }: { json?: boolean }): Promise<void> {
  const jobs = await withDatabase(collect);
  console.log(json ? JSON.stringify(jobs, undefined, 2) : describe(jobs, Date.now()));
}

async function collect(database: Queries): Promise<readonly ListedJob[]> {
  const flink = createFlinkRestClient(flinkRestUrl(loadConfig()));
  const recorded = await database.query<RecordedJob>('flink-jobs');
  const known = await Promise.all(
    recorded.map(async (job): Promise<ListedJob> => {
      const events = await database.query<{ state: string; happened_at: Date }>('job-events', [
        job.name,
        MOST_EVENTS,
      ]);
      return {
        name: job.name,
        state: job.state,
        desired: job.desired,
        isParked: job.is_parked,
        version: job.version,
        desiredVersion: job.desired_version,
        attempt: job.attempt,
        flinkJobId: job.flink_job_id,
        flink: await stateInFlink(flink, job.flink_job_id),
        since: enteredAt(job.state, events) ?? job.changed_at,
      };
    }),
  );
  const unseen = jobNames().filter((name) => !recorded.some((job) => job.name === name));
  return [...known, ...unseen.map(neverSubmitted)];
}

const neverSubmitted = (name: string): ListedJob => ({
  name,
  state: 'new',
  desired: 'running',
  isParked: false,
  version: null,
  desiredVersion: null,
  attempt: 0,
  flinkJobId: null,
  flink: 'not submitted',
  since: null,
});

function describe(jobs: readonly ListedJob[], nowMs: number): string {
  return renderTable(
    ['Flink job', 'State', 'Desired', 'In Flink', 'Version', 'Submission', 'Since'],
    jobs.map((job) => [
      job.name,
      job.state,
      job.isParked ? `${job.desired}, parked` : job.desired,
      job.flink,
      job.version ?? '–',
      String(job.attempt),
      job.since === null ? '–' : `${stretch(nowMs - job.since.getTime())} ago`,
    ]),
    process.stdout.columns,
  );
}
