/** The tables that a candidate writes, in a schema of its own: made like the real ones, compared with them, and dropped. */
import type { TableColumns } from '../domain/candidates.ts';
import {
  type DifferenceExample,
  rangesOf,
  type ShadowComparison,
  withFewExamples,
} from '../domain/shadow-comparison.ts';
import type { Queries } from './postgres.ts';

/** Made anew, whatever was there. @param writer the role that Flink writes with */
export async function makeShadowTables(
  database: Queries,
  { schema, tables, writer }: { schema: string; tables: readonly string[]; writer: string },
): Promise<void> {
  await database.query('make-shadow-tables', [schema, tables, writer]);
}

/** What is not there is dropped already. No candidate may write any more: a writer that fails takes its TaskManager along. */
export async function dropShadowTables(database: Queries, schema: string): Promise<void> {
  await database.query('drop-shadow-tables', [schema]);
}

/** The columns of each of these tables that is there. */
export async function columnsOfTables(
  database: Queries,
  tables: readonly string[],
): Promise<ReadonlyMap<string, TableColumns>> {
  const rows = await database.query<TableColumns & { table_name: string }>('table-columns', [tables]);
  return new Map(rows.map(({ table_name: name, columns, required }) => [name, { columns, required }]));
}

/** What the tables take on disk, bytes. */
export async function sizeOfTables(database: Queries, tables: readonly string[]): Promise<number> {
  const [row] = await database.query<{ bytes: number }>('table-sizes', [tables]);
  return row?.bytes ?? 0;
}

export interface CompareQuestion {
  readonly schema: string;
  readonly table: string;
  readonly from: Date;
  readonly to: Date;
  /** Windows that were written since are left out: see {@link databaseTime}. */
  readonly writtenBefore: Date;
}

/** By the clock that stamps rows. Whatever was published before then, and read by both since, is in the windows that carry an earlier stamp. */
export async function databaseTime(database: Queries): Promise<Date> {
  const [row] = await database.query<{ now: Date }>('database-time');
  return row?.now ?? new Date(0);
}

interface DifferenceRow {
  readonly column_name: string;
  readonly windows: number;
  readonly hours: readonly string[];
  readonly examples: readonly DifferenceExample[];
}

/** The windows that the stream has made beside those of a candidate. */
export async function compareWithShadow(
  database: Queries,
  { schema, table, from, to, writtenBefore }: CompareQuestion,
): Promise<Pick<ShadowComparison, 'compared' | 'differences' | 'ranges'>> {
  const [count] = await database.query<{ windows: number }>('windows-compared', [
    schema,
    table,
    from,
    to,
    writtenBefore,
  ]);
  const rows = await database.query<DifferenceRow>('shadow-differences', [
    schema,
    table,
    from,
    to,
    writtenBefore,
  ]);
  const differences = rows.map(({ column_name: column, windows, examples }) => ({
    ...{ column, windows, examples },
  }));
  return {
    compared: count?.windows ?? 0,
    differences: withFewExamples(differences),
    ranges: rangesOf(rows.flatMap(({ hours }) => hours)),
  };
}
