/** Puts a changed version of a stack's job on record, as a checkout with other SQL would: `deploy` takes it by its name. */
import { type JobVersion, readVersion, recordVersion } from '../../clients/job-versions.ts';
import { connectDatabase } from '../../clients/postgres.ts';
import { postgresAddress } from '../../config/addresses.ts';
import type { Config } from '../../config/load.ts';

export interface VersionChange {
  readonly sql?: (statement: string) => string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** With checkpoints so often that a version is confirmed within seconds. */
export const fastCheckpoints: Readonly<Record<string, string>> = {
  'execution.checkpointing.interval': '2 s',
  'execution.checkpointing.min-pause': '1 s',
};

/** The smallest change with which the state of the hours does not fit. */
export const withOtherState = (sql: string): string =>
  sql.replace('MAX(temp) AS temp_max', 'CAST(MAX(CAST(temp AS DECIMAL(10, 2))) AS DOUBLE) AS temp_max');

/** @returns the name of the changed version */
export async function recordChangedVersion(
  { config }: { readonly config: Config },
  job: string,
  version: string,
  { sql = (statement) => statement, settings = {} }: VersionChange,
): Promise<string> {
  const database = connectDatabase({ ...postgresAddress(config), connections: 1 });
  try {
    const own = await readVersion(database, job, version);
    if (own === undefined) throw new Error(`version ${version} of ${job} is not on record`);
    const changed: JobVersion = {
      statements: own.statements.map(sql),
      settings: { ...own.settings, ...settings },
    };
    return await recordVersion(database, job, changed);
  } finally {
    await database.close();
  }
}
