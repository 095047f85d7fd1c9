import { describe, expect, test } from 'vitest';
import { readFlinkSql, readMigrations } from '../../clients/sql-files.ts';
import { insideParentheses, listItems, readTable, selectItems } from '../../tests/support/sql-text.ts';

const migration = (number: string): string =>
  readMigrations().find(({ name }) => name.startsWith(number))?.sql ?? '';

const hourlyView = readFlinkSql('views/hourly-weather.sql');
const acceptedView = readFlinkSql('views/accepted-observations.sql');
const flattenedView = readFlinkSql('views/flattened-weather.sql');
const plausibleView = readFlinkSql('views/plausible-observations.sql');
const job = readFlinkSql('jobs/weather-stream.sql');

const hourly = {
  sink: readTable(readFlinkSql('tables/weather-hourly.sql'), 'weather_hourly'),
  table: readTable(migration('0003'), 'weather_hourly'),
};
const observations = {
  sink: readTable(readFlinkSql('tables/observations.sql'), 'observations'),
  table: withAddedColumns(readTable(migration('0002'), 'observations'), migration('0006')),
};

/** The columns that a later migration adds. */
function withAddedColumns<T extends { columns: readonly { name: string; definition: string }[] }>(
  table: T,
  later: string,
): T {
  const added = [...later.matchAll(/add column (\w+) ([^;,]+)/g)].map(([, name = '', definition = '']) => ({
    name,
    definition,
  }));
  return { ...table, columns: [...table.columns, ...added] };
}

const namesOf = (columns: readonly { name: string }[]): string[] => columns.map(({ name }) => name);
const SELECT = /\bSELECT\b/;

describe('key = key = key', () => {
  test('the hourly view groups by the columns that are the key of Flink’s sink and of PostgreSQL’s table', () => {
    const selected = selectItems(hourlyView, SELECT);
    const groupBy = listItems(hourlyView.slice(hourlyView.search(/^GROUP BY/m) + 'GROUP BY'.length));
    const grouped = groupBy.map((key) => selected.find(({ expression }) => expression === key)?.name);
    expect(grouped).toEqual(['city_id', 'window_start']);
    expect(hourly.sink.primaryKey).toEqual(grouped);
    expect(hourly.table.primaryKey).toEqual(grouped);
  });

  test('the view deduplicates by the columns that are the key of Flink’s sink and of PostgreSQL’s table', () => {
    const [over = ''] = insideParentheses(acceptedView, /\bOVER\b/).split(/\bORDER BY\b/);
    const partitioned = listItems(over.replace(/PARTITION BY/, ''));
    expect(partitioned).toEqual(['city_id', 'observed_at']);
    expect(observations.sink.primaryKey).toEqual(partitioned);
    expect(observations.table.primaryKey).toEqual(partitioned);
  });

  test('no key of a sink is enforced: Flink cannot', () => {
    for (const file of ['tables/weather-hourly.sql', 'tables/observations.sql'])
      expect(readFlinkSql(file)).toMatch(/PRIMARY KEY \([^)]+\) NOT ENFORCED/);
  });
});

const given = {
  weather_hourly: namesOf(selectItems(hourlyView, SELECT)),
  observations: namesOf(selectItems(plausibleView, SELECT)),
};

describe.each([
  ['weather_hourly', hourly, 'hourly_weather'],
  ['observations', observations, 'plausible_observations'],
] as const)('what is inserted into %s', (name, { sink, table }, view) => {
  const insert = new RegExp(`INSERT INTO ${name}\\s+SELECT\\b`);
  const inserted = selectItems(job, insert);

  test('comes in the order of the sink’s columns, by which Flink assigns it', () => {
    expect(namesOf(inserted)).toEqual(namesOf(sink.columns));
  });

  test('is what its view gives, besides the origin', () => {
    expect(job).toMatch(new RegExp(`${insert.source}[^;]*\\bFROM ${view};`));
    const missing = inserted.filter(({ expression }) => !given[name].includes(expression));
    expect(missing).toEqual(name === 'weather_hourly' ? [{ expression: "'stream'", name: 'origin' }] : []);
  });

  test('has a column in PostgreSQL, of a type that holds it', () => {
    const types: Readonly<Record<string, readonly string[]>> = {
      bigint: ['bigint'],
      int: ['integer'],
      double: ['double precision'],
      string: ['text', 'jsonb'],
      'timestamp(3)': ['timestamptz'],
    };
    for (const { name: column, definition } of sink.columns) {
      const stored = table.columns.find((each) => each.name === column)?.definition ?? 'missing';
      const fits =
        types[definition]?.some((type) => stored === type || stored.startsWith(`${type} `)) ?? false;
      expect([column, definition, stored, fits]).toEqual([column, definition, stored, true]);
    }
  });

  test('holds every column that PostgreSQL cannot fill by itself', () => {
    const needed = table.columns.filter(
      ({ definition }) => /\bnot null\b/.test(definition) && !/\bdefault\b/.test(definition),
    );
    expect(namesOf(sink.columns)).toEqual(expect.arrayContaining(namesOf(needed)));
    expect(needed.length).toBeGreaterThan(0);
  });
});

test('the trigger that keeps an hour from going backwards looks at every figure that can shrink', () => {
  const guard =
    /create trigger hour_never_goes_backwards[\s\S]*?execute function/.exec(migration('0003'))?.[0] ?? '';
  const shrinking = namesOf(hourly.table.columns).filter((column) =>
    /_(min|max|mm|count)$|observed_at$/.test(column),
  );
  expect(shrinking.filter((column) => !guard.includes(`old.${column}`))).toEqual([]);
  expect(shrinking.length).toBeGreaterThan(10);
});

test('the plausible view takes every column of the flattened view but what only deduplication and loads need', () => {
  const taken = namesOf(selectItems(plausibleView, SELECT));
  const flattened = namesOf(selectItems(flattenedView, SELECT)).filter(
    (name) => name !== 'arrived_at' && name !== 'backfill',
  );
  expect(taken).toEqual([...flattened, 'rejected_values', 'rain_is_known', 'snow_is_known']);
});
