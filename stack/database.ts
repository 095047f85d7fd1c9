/** Brings the database up: roles and database of the native server, migrations, the owner source, the first locations. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import pg from 'pg';
import { migrate } from '../clients/migrations.ts';
import {
  connectDatabase,
  connectionOptions,
  PostgresError,
  type PostgresOptions,
} from '../clients/postgres.ts';
import { seedFile } from '../clients/sql-files.ts';
import type { Config } from '../config/load.ts';
import { startOfFirstHistory } from '../domain/locations.ts';
import type { StackContext } from './context.ts';
import { SourceMismatchError } from './errors.ts';
import { type OwnServer, superuserAddress } from './postgres.ts';

/** How long a question of a reader may take, unless it asks for more: one that was forgotten must not hold back what cleans up. */
const READER_TIMEOUT = '60s';

/** Makes the three roles and the database on a server of our own, and sets the passwords in force. */
export async function ensureRolesAndDatabase(
  server: OwnServer & Pick<StackContext, 'config'>,
): Promise<void> {
  const { config, secrets } = server;
  const { POSTGRES_DATABASE, POSTGRES_USER, POSTGRES_PIPELINE_USER, POSTGRES_READER_USER } = config.values;
  const client = new pg.Client(connectionOptions(superuserAddress(server)));
  // Names and passwords cannot be parameters of these statements: PostgreSQL itself quotes them.
  const execute = async (template: string, ...values: string[]): Promise<void> => {
    const { rows } = await client.query<{ statement: string }>(
      `select format($1, variadic $2::text[]) as statement`,
      [template, values],
    );
    await client.query(rows[0]?.statement ?? '');
  };
  // A connection that breaks says so beside the query that fails with it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (const [role, password] of [
      [POSTGRES_USER, secrets.POSTGRES_PASSWORD],
      [POSTGRES_PIPELINE_USER, secrets.POSTGRES_PIPELINE_PASSWORD],
      [POSTGRES_READER_USER, secrets.POSTGRES_READER_PASSWORD],
    ] as const) {
      const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
      await execute(
        rowCount === 0 ? 'create role %I login password %L' : 'alter role %I login password %L',
        role,
        password,
      );
    }
    const { rowCount } = await client.query('select from pg_database where datname = $1', [
      POSTGRES_DATABASE,
    ]);
    if (rowCount === 0) await execute('create database %I owner %I', POSTGRES_DATABASE, POSTGRES_USER);
    // A temporary table is disk space that no right on a table guards.
    await execute('revoke temporary on database %I from public', POSTGRES_DATABASE);
    await execute('alter role %I set default_transaction_read_only = on', POSTGRES_READER_USER);
    await execute('alter role %I set statement_timeout = %L', POSTGRES_READER_USER, READER_TIMEOUT);
  } catch (error) {
    throw new PostgresError('making the roles and the database', error);
  } finally {
    await client.end();
  }
}

/** @throws SourceMismatchError when the database holds another source's hours */
export async function prepareDatabase(options: PostgresOptions, { values }: Config): Promise<string> {
  const applied = await migrate(options, values.POSTGRES_PIPELINE_USER);
  const database = connectDatabase({ ...options, connections: 1 });
  try {
    await database.query('grant-reading', [values.POSTGRES_READER_USER]);
    const [claim] = await database.query<{ source: string }>('claim-data-source', [values.WEATHER_SOURCE]);
    if (claim !== undefined && claim.source !== values.WEATHER_SOURCE) {
      throw new SourceMismatchError(`The database ${options.database}`, claim.source, values.WEATHER_SOURCE);
    }
    const seeded = await database.query('seed-locations', [
      JSON.stringify(await firstLocations()),
      startOfFirstHistory(new Date(), values.FIRST_START_HISTORY_HOURS),
    ]);
    return [
      applied.length === 0 ? 'schema is up to date' : `${applied.length} migrations`,
      ...(seeded.length === 0 ? [] : [`${seeded.length} locations`]),
    ].join(', ');
  } finally {
    await database.close();
  }
}

async function firstLocations(): Promise<unknown[]> {
  return parse(await readFile(seedFile('locations.csv')), { columns: true, skip_empty_lines: true });
}
