/** Which version a dry run or a shadow upgrade tries: the SQL of this checkout, or one on record, with another parallelism where that is asked. */
import { readRecordOfJob } from '../../clients/job-record.ts';
import {
  definedVersion,
  type JobVersion,
  PARALLELISM,
  readVersion,
  recordVersion,
} from '../../clients/job-versions.ts';
import type { Database } from '../../clients/postgres.ts';
import { HourglassError } from '../../domain/errors.ts';
import { pipelineOfJob } from '../../pipelines/index.ts';

export interface VersionOptions {
  readonly version?: string;
  readonly parallelism?: number;
}

/** Thrown for a version that was never put on record. */
class UnknownVersionError extends HourglassError {
  constructor(job: string, version: string) {
    super(
      'UNKNOWN_VERSION',
      `Version ${version} of ${job} is not on record; \`npx hourglass job history ${job}\` names those that ran.`,
    );
  }
}

export interface NamedVersion {
  readonly name: string;
  readonly content: JobVersion;
}

/** Puts on record what is tried: the workflow, and whoever deploys it later, find it by its name. @throws UnknownVersionError */
export async function candidateVersion(
  database: Database,
  job: string,
  { version, parallelism }: VersionOptions,
): Promise<NamedVersion> {
  const content =
    version === undefined
      ? await ofCheckout(database, job, parallelism)
      : await onRecord(database, job, version, parallelism);
  return { name: await recordVersion(database, job, content), content };
}

/** With the parallelism that the job was rescaled to, as a deploy would have it. */
async function ofCheckout(
  database: Database,
  job: string,
  parallelism: number | undefined,
): Promise<JobVersion> {
  const rescaled = (await readRecordOfJob(database, job))?.upgrades.parallelism || undefined;
  return definedVersion(pipelineOfJob(job).job, parallelism ?? rescaled);
}

async function onRecord(
  database: Database,
  job: string,
  version: string,
  parallelism: number | undefined,
): Promise<JobVersion> {
  const found = await readVersion(database, job, version);
  if (found === undefined) throw new UnknownVersionError(job, version);
  if (parallelism === undefined) return found;
  return { ...found, settings: { ...found.settings, [PARALLELISM]: String(parallelism) } };
}
