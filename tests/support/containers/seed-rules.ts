/** The queries that SQLPad is seeded with: valid, on the seeded connection, and of tables and columns that the migrations make. */
import { readMigrations } from '../../../clients/sql-files.ts';
import { COMPOSE, fileOf, type Texts } from './files.ts';

interface Seed {
  readonly id: string;
  readonly name: string;
  readonly connectionId: string;
  readonly queryText: string;
}

export function problemsOfSeeds(texts: Texts): string[] {
  const schema = readMigrations()
    .map(({ sql }) => sql)
    .join('\n');
  const seeds = Object.entries(texts).filter(([path]) => path.startsWith('docker/sqlpad/seed/queries/'));
  if (seeds.length < 2) return ['the two sinks of the original have no query'];
  return seeds.flatMap(([path, text]) => {
    const { connectionId, queryText } = JSON.parse(text) as Seed;
    const connection = `SQLPAD_CONNECTIONS__${connectionId}__name`;
    const tables = [...queryText.matchAll(/\b(?:from|join) (\w+)/g)].map((match) => match[1] ?? '');
    const columns = [...queryText.matchAll(/\b[a-z]\.(\w+)/g)].map((match) => match[1] ?? '');
    return [
      ...(fileOf(texts, COMPOSE).includes(connection)
        ? []
        : ['there is no connection '.concat(connectionId)]),
      ...tables
        .filter((table) => !new RegExp(`create (table|view) ${table}\\b`).test(schema))
        .map((table) => `${path}: ${table} is no table`),
      ...columns
        .filter((column) => !new RegExp(`\\b${column}\\b`).test(schema))
        .map((column) => `${path}: ${column} is no column`),
    ];
  });
}
