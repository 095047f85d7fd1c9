/** `hourglass job deploy --dry-run`: whether the job's state fits another version, without touching the job. */
import { startDryRun } from '../../clients/candidate-runs.ts';
import { withTemporal } from '../with-temporal.ts';
import { candidateVersion, type VersionOptions } from './candidate-version.ts';
import { requireJob } from './known-jobs.ts';

export interface DryRunOptions extends VersionOptions {
  readonly json?: boolean;
}

/** @throws CandidateNotAnsweringError, CandidateRunFailedError */
export async function dryRun(job: string, options: DryRunOptions): Promise<void> {
  requireJob(job);
  await withTemporal(async (client, database) => {
    const { name: version } = await candidateVersion(database, job, options);
    const run = await startDryRun(client, { job, version });
    // A workflow is started whether or not a worker is there; its answer shows that one is.
    await run.answers();
    if (!options.json)
      console.error(
        `Version ${version} of ${job} is tried from a fresh savepoint, into tables of its own; ${job} runs on.`,
      );
    const answer = await run.result();
    console.log(
      options.json
        ? JSON.stringify({ name: job, version, ...answer }, undefined, 2)
        : sentence(answer.sentence),
    );
  });
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
