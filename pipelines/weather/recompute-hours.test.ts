import { describe, expect, test } from 'vitest';
import { readFlinkSql, readMigrations } from '../../clients/sql-files.ts';
import { readTable, selectItems } from '../../tests/support/sql-text.ts';
import { weather } from './definition.ts';

const definition = weather.batchJobs.find(({ name }) => name === 'recompute-hours');
const job = readFlinkSql('jobs/recompute-hours.sql');
const stream = readFlinkSql('jobs/weather-stream.sql');
const hourlyView = readFlinkSql('views/hourly-weather.sql');
const storedView = readFlinkSql('views/plausible-stored-observations.sql');
const INSERT = /INSERT INTO weather_hourly\b[^(]*?SELECT\b/;
const namesOf = (columns: readonly { name: string }[]): string[] => columns.map(({ name }) => name);
const withoutHints = (sql: string): string => sql.replace(/\/\*.*?\*\//gs, '');

describe('hours that are made anew', () => {
  test('come of the view of the stream, into the table of the stream', () => {
    const shared = ['tables/weather-hourly.sql', 'views/hourly-weather.sql'];
    expect(definition?.files).toEqual(expect.arrayContaining(shared));
    expect(weather.job.files).toEqual(expect.arrayContaining(shared));
    expect(job.trimEnd()).toMatch(/\bFROM hourly_weather$/);
  });

  test('have the figures of the stream in its order, by which Flink assigns them, and another origin', () => {
    const made = selectItems(withoutHints(job), INSERT);
    const expected = selectItems(withoutHints(stream), INSERT);
    expect(made.length).toBeGreaterThan(20);
    expect(made.slice(0, -1)).toEqual(expected.slice(0, -1));
    expect(made.at(-1)).toEqual({ expression: "'batch'", name: 'origin' });
  });

  test('are aggregated from all that the view asks for', () => {
    const given = namesOf(selectItems(storedView, /\bSELECT\b/));
    const asked = [
      ...hourlyView.replace(/--.*$/gm, '').matchAll(/\b(?:AVG|MIN|MAX|SUM)\((\w+)\)|WHERE (\w+)\)/g),
    ];
    const columns = new Set(asked.map(([, figure, condition]) => figure ?? condition));
    expect([...columns, 'city_id'].sort()).toEqual([...given].sort());
  });

  test('are read from columns that PostgreSQL has, in a type that holds them', () => {
    const read = readTable(readFlinkSql('tables/stored-observations.sql'), 'stored_observations').columns;
    const migration = readMigrations().find(({ name }) => name.startsWith('0002'))?.sql ?? '';
    const stored = readTable(migration, 'observations').columns;
    const types = { bigint: 'bigint', double: 'double precision', 'timestamp(3)': 'timestamptz' };
    const wrong = read
      // A text that the query in the place of the table makes of the jsonb column.
      .filter(({ name }) => name !== 'rejected_fields')
      .filter(({ name, definition: type }) => {
        const found = stored.find((column) => column.name === name)?.definition ?? 'missing';
        return !found.startsWith(types[type as keyof typeof types] ?? 'none');
      });
    expect(wrong).toEqual([]);
  });

  test('are read by a cursor, in part: a table of years never has to fit into memory', () => {
    const options = readFlinkSql('tables/stored-observations.sql');
    expect(options).toMatch(/'scan\.fetch-size' = '[1-9]\d*'/);
    expect(options).toContain("'scan.auto-commit' = 'false'");
  });
});
