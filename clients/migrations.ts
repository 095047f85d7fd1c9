/** Brings the database to the newest schema: numbered files, each applied once, in a transaction of its own. */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { HourglassError } from '../domain/errors.ts';
import { connectionOptions, PostgresError, type PostgresOptions, type Queries } from './postgres.ts';
import { readMigrations } from './sql-files.ts';

/** Thrown when an applied migration's file has changed since: the database is not what the files say. */
export class ChangedMigrationError extends HourglassError {
  constructor(name: string) {
    super(
      'CHANGED_MIGRATION',
      `The migration ${name} was applied with another content: put the file back as it was and write what is new into a new migration.`,
    );
  }
}

/** Thrown when the database lacks what the code asks it for. */
export class UnappliedMigrationsError extends HourglassError {
  constructor(names: readonly string[]) {
    super(
      'UNAPPLIED_MIGRATIONS',
      `the database lacks ${names.join(', ')}: \`npx hourglass migrate\`, in the checkout of this build, brings it to the newest schema.`,
    );
  }
}

/**
 * What the database has besides does no harm.
 * @throws UnappliedMigrationsError when it has not every migration that this code, or this build, has; PostgresError
 */
export async function expectMigrated(database: Queries): Promise<void> {
  const applied = (await database.query<{ name: string }>('applied-migrations')).map(({ name }) => name);
  const missing = readMigrations().flatMap(({ name }) => (applied.includes(name) ? [] : [name]));
  if (missing.length > 0) throw new UnappliedMigrationsError(missing);
}

/**
 * Safe to run twice at once: the second waits for the first and finds nothing to do.
 * @param pipelineRole the role that Flink writes with; it exists already and is granted what it needs here
 * @returns the names of the migrations that were applied now
 */
export async function migrate(options: PostgresOptions, pipelineRole: string): Promise<readonly string[]> {
  const client = new pg.Client(connectionOptions(options));
  // A connection that breaks says so beside the query that fails with it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query("select pg_advisory_lock(hashtext('hourglass migrations'))");
    await client.query(
      'create table if not exists schema_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ name: string; checksum: string }>(
      'select name, checksum from schema_migrations',
    );
    const applied = new Map(rows.map(({ name, checksum }) => [name, checksum]));
    const made: string[] = [];
    for (const { name, sql } of readMigrations()) {
      const checksum = createHash('sha256').update(sql).digest('hex');
      const before = applied.get(name);
      if (before !== undefined && before !== checksum) throw new ChangedMigrationError(name);
      if (before !== undefined) continue;
      await client.query('begin');
      await client.query("select set_config('hourglass.pipeline_role', $1, true)", [pipelineRole]);
      await client.query(sql);
      await client.query('insert into schema_migrations (name, checksum) values ($1, $2)', [name, checksum]);
      await client.query('commit');
      made.push(name);
    }
    return made;
  } catch (error) {
    throw error instanceof HourglassError ? error : new PostgresError('the migrations', error);
  } finally {
    await client.end();
  }
}
