/** The versions of a Flink job: what one is made of, its name, and its row in `flink_job_versions`. Which one is to run is its actor's. */
import { createHash } from 'node:crypto';
import type { JobDefinition } from '../schemas/pipeline.ts';
import type { Queries } from './postgres.ts';
import { readFlinkSql } from './sql-files.ts';

/** What is run: the SQL as it is written, before addresses are put in, and Flink's settings. */
export interface JobVersion {
  readonly statements: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

/** Where a version says how many subtasks each of its operators has. */
export const PARALLELISM = 'parallelism.default';

/** What a definition and the SQL files of this build stand for now. @param parallelism instead of the definition's */
export function definedVersion(
  { files, settings, parallelism: own }: Pick<JobDefinition, 'files' | 'settings' | 'parallelism'>,
  parallelism: number = own,
): JobVersion {
  return {
    statements: files.map(readFlinkSql),
    settings: { ...settings, [PARALLELISM]: String(parallelism) },
  };
}

/** The same statements and settings have the same name, in whichever order the settings are written: the database has its own. */
export const nameOfVersion = ({ statements, settings }: JobVersion): string =>
  createHash('sha256')
    .update(JSON.stringify([statements, Object.entries(settings).sort()]))
    .digest('hex')
    .slice(0, 12);

/** Whether two versions are the same statements with the same settings, whatever the parallelism of each. */
export const differOnlyInParallelism = (one: JobVersion, other: JobVersion): boolean =>
  nameOfVersion(withParallelism(one, 0)) === nameOfVersion(withParallelism(other, 0));

export const withParallelism = (version: JobVersion, parallelism: number): JobVersion => ({
  ...version,
  settings: { ...version.settings, [PARALLELISM]: String(parallelism) },
});

/** Puts a version on record; one that is there stays as it is. @returns its name */
export async function recordVersion(database: Queries, job: string, version: JobVersion): Promise<string> {
  const name = nameOfVersion(version);
  const { statements, settings } = version;
  await database.query('record-job-version', [
    job,
    name,
    JSON.stringify(statements),
    JSON.stringify(settings),
  ]);
  return name;
}

/** @returns undefined when it is not on record */
export async function readVersion(
  database: Queries,
  job: string,
  name: string,
): Promise<JobVersion | undefined> {
  const [row] = await database.query<{ statements: string[]; settings: Record<string, string> }>(
    'job-version',
    [job, name],
  );
  return row === undefined ? undefined : { statements: row.statements, settings: row.settings };
}
