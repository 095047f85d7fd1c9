/** Finds and reads the `.sql` files: queries for PostgreSQL by name, Flink SQL by path, with parameters put in as literals. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// A built worker is one file in a directory beside its own copy of sql/, as every source file is: the path holds in both.
const SQL_DIRECTORY = fileURLToPath(new URL('../sql', import.meta.url));

export interface MigrationFile {
  readonly name: string;
  readonly sql: string;
}

/** In the order of their numbers. */
export function readMigrations(): readonly MigrationFile[] {
  const directory = join(SQL_DIRECTORY, 'migrations');
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return names.map((name) => ({ name, sql: readFileSync(join(directory, name), 'utf8') }));
}

const queries = new Map<string, string>();

/** The text of `sql/queries/<name>.sql`, read once. */
export function readQuery(name: string): string {
  const known = queries.get(name);
  if (known !== undefined) return known;
  const sql = readFileSync(join(SQL_DIRECTORY, 'queries', `${name}.sql`), 'utf8');
  queries.set(name, sql);
  return sql;
}

const EXAMPLES = join(SQL_DIRECTORY, 'queries', 'examples');

/** The saved queries of people, `sql/queries/examples/<name>.sql`; no code asks them. */
export function exampleNames(): readonly string[] {
  return readdirSync(EXAMPLES)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(0, -'.sql'.length))
    .sort();
}

/** @param name one of `exampleNames` */
export const readExample = (name: string): string => readFileSync(join(EXAMPLES, `${name}.sql`), 'utf8');

/** @param path relative to `sql/flink`, for example `views/hourly-weather.sql` */
export function readFlinkSql(path: string): string {
  return readFileSync(join(SQL_DIRECTORY, 'flink', path), 'utf8').trimEnd();
}

/** The seed of the registry, a CSV. */
export const seedFile = (name: string): string => join(SQL_DIRECTORY, 'seed', name);
