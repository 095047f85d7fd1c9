import { describe, expect, test } from 'vitest';
import { readFlinkSql, readMigrations } from '../clients/sql-files.ts';
import { candidateSinks } from '../domain/candidates.ts';
import { insideParentheses, listItems, readTable, selectItems } from '../tests/support/sql-text.ts';
import { pipelines } from './index.ts';

const migrations = readMigrations()
  .map(({ sql }) => sql)
  .join('\n');
const all = Object.values(pipelines);
const namesOf = (columns: readonly { name: string }[]): string[] => columns.map(({ name }) => name);

describe('no two pipelines share', () => {
  test.each([
    ['a job', all.flatMap(({ job, batchJobs }) => [job, ...batchJobs].map(({ name }) => name))],
    ['a topic', all.flatMap(({ topics }) => Object.values(topics).map(({ name }) => name))],
    ['a consumer group', all.map(({ consumerGroup }) => consumerGroup)],
    ['a table that they write', all.flatMap(({ tables: { facts, windows } }) => [facts, windows])],
  ])('%s', (_, names) => {
    expect(names).toEqual([...new Set(names)]);
  });
});

describe.each(all)('the pipeline $name', ({ tables, job, batchJobs, backfill }) => {
  const { key, facts, windows, figures } = tables;
  const stored = { facts: readTable(migrations, facts), windows: readTable(migrations, windows) };
  const files = job.files.map(readFlinkSql);
  const sinkOf = (table: string) => {
    const sql = files.find((file) => file.includes(`CREATE TABLE ${table} (`)) ?? '';
    return readTable(sql, table);
  };

  test('has observations with its key, its time, and the place of the record', () => {
    expect(stored.facts.primaryKey).toEqual([key, 'observed_at']);
    expect(namesOf(stored.facts.columns)).toEqual(
      expect.arrayContaining([
        ...[key, 'observed_at', 'topic', 'partition_id', 'record_offset'],
        ...['published_at', 'revision', 'stored_at'],
      ]),
    );
  });

  test('has hours with its key, their count and times, and nothing else but the figures that are compared', () => {
    expect(stored.windows.primaryKey).toEqual([key, 'window_start']);
    const doubles = stored.windows.columns.filter(({ definition }) => definition === 'double precision');
    expect(namesOf(doubles)).toEqual(figures);
    expect(namesOf(stored.windows.columns).filter((name) => !figures.includes(name))).toEqual([
      ...[key, 'window_start', 'window_end', 'observation_count'],
      ...['first_observed_at', 'last_observed_at', 'updated_at', 'origin'],
    ]);
  });

  test('says what its hours must be', () => {
    const from = migrations.indexOf(`create function ${windows}_truth(`);
    const columns = listItems(insideParentheses(migrations.slice(from), /returns table\s*\(/));
    expect(columns.map((column) => column.split(' ')[0])).toEqual([
      ...[key, 'window_start', 'observation_count', ...figures, 'first_observed_at', 'last_observed_at'],
    ]);
  });

  test('runs its last statement alone, which writes both, and can be tried beside its job', () => {
    expect(candidateSinks(files).map(({ table }) => table)).toEqual([facts, windows]);
  });

  test('writes both by their keys, in the order of the sinks’ columns, by which Flink assigns them', () => {
    const stream = readFlinkSql(job.files.at(-1) ?? '');
    for (const [table, { primaryKey }] of [
      [facts, stored.facts],
      [windows, stored.windows],
    ] as const) {
      const sink = sinkOf(table);
      expect(sink.primaryKey).toEqual(primaryKey);
      const inserted = selectItems(stream, new RegExp(`INSERT INTO ${table}\\s+SELECT\\b`));
      expect(namesOf(inserted)).toEqual(namesOf(sink.columns));
    }
  });

  test('groups its hours by the key that they have', () => {
    const view = files.find((sql) => /FLOOR\(observed_at TO HOUR\) AS window_start/.test(sql)) ?? '';
    const selected = selectItems(view, /\bSELECT\b/);
    const grouped = listItems(view.slice(view.search(/^GROUP BY/m) + 'GROUP BY'.length));
    expect(grouped.map((item) => selected.find(({ expression }) => expression === item)?.name)).toEqual([
      key,
      'window_start',
    ]);
  });

  test('makes hours anew by the view of its stream, figure by figure, with another origin', () => {
    const recompute = batchJobs.find(({ name }) => name === backfill.recomputeJob);
    const view = job.files.filter((file) => recompute?.files.includes(file) && file.startsWith('views/'));
    expect(view).toHaveLength(1);
    const insert = new RegExp(`INSERT INTO ${windows}\\b[^(]*?SELECT\\b`);
    const selected = (file: string) => selectItems(readFlinkSql(file).replace(/\/\*.*?\*\//gs, ''), insert);
    const made = selected(recompute?.files.at(-1) ?? '');
    expect(made.slice(0, -1)).toEqual(selected(job.files.at(-1) ?? '').slice(0, -1));
    expect(made.at(-1)).toEqual({ expression: "'batch'", name: 'origin' });
  });

  test('loads by the flattened view of its stream, and writes the stream’s columns and the revision', () => {
    const load = batchJobs.find(({ name }) => name === backfill.loadJob);
    const flattened = job.files.find((file) => readFlinkSql(file).includes('VIEW flattened_records')) ?? '';
    expect(load?.files).toContain(flattened);
    const made = selectItems(
      readFlinkSql(load?.files.at(-1) ?? ''),
      /INSERT INTO loaded_observations\s+SELECT\b/,
    );
    expect(namesOf(made)).toEqual([...namesOf(sinkOf(facts).columns), 'revision']);
    expect(Object.keys(load?.parameters ?? {}).sort()).toEqual([
      ...['backfill', 'from', 'load', 'offsets', 'to', 'topic'],
    ]);
  });
});
