import { describe, expect, test } from 'vitest';
import { readFlinkSql, readMigrations } from '../../clients/sql-files.ts';
import { readTable, selectItems } from '../../tests/support/sql-text.ts';
import { weather } from './definition.ts';

const definition = weather.batchJobs.find(({ name }) => name === 'load-history');
const job = readFlinkSql('jobs/load-history.sql');
const stream = readFlinkSql('jobs/weather-stream.sql');

describe('a load', () => {
  test('reads, flattens and bounds records by the definitions of the stream', () => {
    const shared = [
      'tables/weather-records.sql',
      'tables/observations.sql',
      'views/flattened-weather.sql',
      'views/plausible-observations.sql',
    ];
    expect(weather.job.files).toEqual(expect.arrayContaining(shared));
    expect(definition?.files).toEqual(expect.arrayContaining(shared));
  });

  test('writes the columns of the stream in its order, by which Flink assigns them, and the revision behind them', () => {
    const made = selectItems(job, /INSERT INTO loaded_observations\s+SELECT\b/);
    const expected = selectItems(stream, /INSERT INTO observations\s+SELECT\b/);
    expect(expected.length).toBeGreaterThan(20);
    expect(made.slice(0, -1)).toEqual(expected);
    expect(made.at(-1)?.name).toBe('revision');
    const { columns } = readTable(readFlinkSql('tables/loaded-observations.sql'), 'loaded_observations');
    expect(columns.map(({ name }) => name)).toEqual(['revision']);
  });

  test('counts what it has read into a table of PostgreSQL with the same columns and key', () => {
    const sink = readTable(readFlinkSql('tables/batch-reads.sql'), 'batch_reads');
    const migration = readMigrations().find(({ name }) => name.startsWith('0013'))?.sql ?? '';
    const stored = readTable(migration, 'batch_reads');
    const names = (columns: readonly { name: string }[]): string[] => columns.map(({ name }) => name);
    expect(names(sink.columns)).toEqual(names(stored.columns).filter((name) => name !== 'read_at'));
    expect(sink.primaryKey).toEqual(stored.primaryKey);
    const made = selectItems(job, /INSERT INTO batch_reads\s+SELECT\b/);
    expect(names(made)).toEqual(names(sink.columns));
  });

  test('names its offsets alike where it loads and where it counts', () => {
    const offsetsOf = (file: string): readonly string[] =>
      readFlinkSql(file).match(/'(scan\.|topic|properties\.group)[^\n]*/g) ?? [];
    const loaded = offsetsOf('tables/bounded-records.sql').map((line) => line.replace(/,$/, ''));
    expect(loaded).toHaveLength(6);
    const counted = offsetsOf('tables/records-read.sql').map((line) => line.replace(/,$/, ''));
    expect(counted).toEqual(expect.arrayContaining(loaded));
  });
});
