/** `hourglass job exceptions`: why the present submission of a job failed, as Flink tells it. */
import { innermostCause } from '../../clients/flink-errors.ts';
import { createFlinkRestClient, type FlinkRestClient } from '../../clients/flink-rest.ts';
import { flinkRestUrl } from '../../config/addresses.ts';
import { loadConfig } from '../../config/load.ts';
import { HourglassError } from '../../domain/errors.ts';
import { withDatabase } from '../with-database.ts';
import { instant } from './format.ts';
import { requireJob } from './known-jobs.ts';

/** Thrown when Flink does not know a job's present submission, so that it cannot tell why it failed. */
class ForgottenByFlinkError extends HourglassError {
  constructor({ name, attempt, jobId }: Submission) {
    super(
      'FORGOTTEN_BY_FLINK',
      `Flink does not know submission ${attempt} of ${name} (job ${jobId}): it was not accepted yet, or the JobManager was started again since. \`npx hourglass job history ${name}\` has what was recorded.`,
    );
  }
}

export interface Submission {
  readonly name: string;
  readonly attempt: number;
  readonly jobId: string;
}

interface JobException {
  /** Null for a job that failed as a whole: Flink keeps no time with it. */
  readonly at: Date | null;
  readonly cause: string;
}

/** The submission is the one on record, so that neither a worker nor Temporal is needed. */
export async function showExceptions(name: string, { json }: { json?: boolean }): Promise<void> {
  requireJob(name);
  const flink = createFlinkRestClient(flinkRestUrl(loadConfig()));
  const [row] = await withDatabase((database) =>
    database.query<{ attempt: number; flink_job_id: string | null }>('job-record', [name]),
  );
  const { attempt = 0, flink_job_id: jobId = null } = row ?? {};
  const exceptions = jobId === null ? [] : await exceptionsOf(flink, { name, attempt, jobId });
  if (json) console.log(JSON.stringify({ name, attempt, flinkJobId: jobId, exceptions }, undefined, 2));
  else if (jobId === null) console.log(`${name} was never submitted.`);
  else if (exceptions.length === 0)
    console.log(`Flink has no exceptions of submission ${attempt} of ${name}.`);
  else
    console.log(
      exceptions.map(({ at, cause }) => `${at === null ? 'as a whole' : instant(at)}  ${cause}`).join('\n'),
    );
}

/** The newest first. @throws ForgottenByFlinkError, and what the door to Flink throws */
export async function exceptionsOf(
  flink: Pick<FlinkRestClient, 'job' | 'exceptions' | 'executionFailure'>,
  submission: Submission,
): Promise<readonly JobException[]> {
  const { jobId } = submission;
  if ((await flink.job(jobId)) === undefined) throw new ForgottenByFlinkError(submission);
  const exceptions = await flink.exceptions(jobId);
  if (exceptions.length > 0)
    return exceptions.map(({ atMs, trace }) => ({ at: new Date(atMs), cause: innermostCause(trace) }));
  // After a failed restore the list is empty, and only the result of the job tells why.
  const failure = await flink.executionFailure(jobId);
  return failure === undefined ? [] : [{ at: null, cause: innermostCause(failure) }];
}
