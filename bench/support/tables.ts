/** The tables of a run in a schema of its own, the truth in another, and the comparison of two such schemas figure by figure. */
import pg from 'pg';
import { migrate } from '../../clients/migrations.ts';
import { postgresAddress } from '../../config/addresses.ts';
import { WrongResultError } from './errors.ts';
import { readBenchSql } from './sql.ts';
import type { BenchStack } from './stack.ts';

/** Made by the project's own migrations, guards and rights included. */
export async function createTables({ config, sql }: BenchStack, schema: string): Promise<void> {
  await sql.query(`create schema ${pg.escapeIdentifier(schema)}`);
  await migrate({ ...postgresAddress(config), schema }, config.values.POSTGRES_PIPELINE_USER);
}

export async function dropTables({ sql }: BenchStack, schema: string): Promise<void> {
  await sql.query(`drop schema if exists ${pg.escapeIdentifier(schema)} cascade`);
}

export interface Truth {
  readonly schema: string;
  readonly observations: number;
  readonly hours: number;
}

const TRUTH = 'truth';

/** Begins a new truth; `add` takes the documents whose observations must be stored, `finish` derives the hours from them. */
export async function createTruth(stack: BenchStack) {
  await dropTables(stack, TRUTH);
  await createTables(stack, TRUTH);
  const load = readBenchSql('truth-observations');
  return {
    add: async (documents: readonly object[]): Promise<void> => {
      await stack.sql.query(load, [JSON.stringify(documents)]);
    },
    finish: async (): Promise<Truth> => {
      await stack.sql.query(readBenchSql('truth-weather-hourly'));
      const { rows } = await stack.sql.query<{ observations: number; hours: number }>(
        `select (select count(*)::integer from ${TRUTH}.observations) as observations,
          (select count(*)::integer from ${TRUTH}.weather_hourly) as hours`,
      );
      return { schema: TRUTH, ...(rows[0] ?? { observations: 0, hours: 0 }) };
    },
  };
}

const KEYS = { observations: 'observed_at', weather_hourly: 'window_start' } as const;
type Table = keyof typeof KEYS;

/** Where a record was and when it was stored: the truth does not know it. */
const CIRCUMSTANCES = ['topic', 'partition_id', 'record_offset', 'published_at'] as const;
/** When each contestant stored it. */
const TIMES_OF_STORING = ['stored_at', 'updated_at'] as const;

/** @throws WrongResultError naming each column that differs, and in how many rows */
export async function checkAgainstTruth(stack: BenchStack, schema: string, truth: Truth): Promise<void> {
  await expectEqual(stack, schema, truth.schema, [...CIRCUMSTANCES, ...TIMES_OF_STORING]);
}

/** Also which record each row came from. @throws WrongResultError */
export async function checkAgainstEachOther(stack: BenchStack, schema: string, other: string): Promise<void> {
  await expectEqual(stack, schema, other, TIMES_OF_STORING);
}

async function expectEqual(
  stack: BenchStack,
  schema: string,
  other: string,
  leftOut: readonly string[],
): Promise<void> {
  for (const table of Object.keys(KEYS) as Table[]) {
    const differences = await differencesOf(stack, table, schema, other, leftOut);
    if (differences.length > 0)
      throw new WrongResultError(`${schema}.${table}, against ${other},`, differences);
  }
}

async function differencesOf(
  { sql }: BenchStack,
  table: Table,
  schema: string,
  other: string,
  leftOut: readonly string[],
): Promise<string[]> {
  const { rows: columns } = await sql.query<{ name: string; type: string }>(
    'select column_name as name, data_type as type from information_schema.columns where table_schema = $1 and table_name = $2',
    [schema, table],
  );
  const key = ['city_id', KEYS[table]];
  const compared = columns.filter(({ name }) => !key.includes(name) && !leftOut.includes(name));
  const counts = compared.map(
    ({ name, type }) =>
      `count(*) filter (where ${differs(name, type)})::integer as ${pg.escapeIdentifier(name)}`,
  );
  const { rows } = await sql.query<Record<string, number>>(`
    select
      count(*) filter (where a.city_id is null)::integer as "missing rows",
      count(*) filter (where b.city_id is null)::integer as "surplus rows",
      ${counts.join(', ')}
    from ${schema}.${table} as a
    full join ${other}.${table} as b using (${key.join(', ')})`);
  return Object.entries(rows[0] ?? {})
    .filter(([, count]) => count > 0)
    .map(([what, count]) =>
      what.endsWith('rows') ? `${count} ${what}` : `${what} differs in ${count} rows`,
    );
}

/** A mean is added up in another order by each; everything else must be the same to the last digit. */
function differs(name: string, type: string): string {
  const [a, b] = [`a.${pg.escapeIdentifier(name)}`, `b.${pg.escapeIdentifier(name)}`];
  const both = 'a.city_id is not null and b.city_id is not null';
  return /_(avg|mm)$/.test(name) && type === 'double precision'
    ? `${both} and (num_nulls(${a}, ${b}) = 1 or abs(${a} - ${b}) > 1e-9 * greatest(1, abs(${b})))`
    : `${both} and ${a} is distinct from ${b}`;
}
