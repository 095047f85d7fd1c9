import { describe, expect, test } from 'vitest';
import { definedVersion } from '../clients/job-versions.ts';
import { weather } from '../pipelines/weather/definition.ts';
import {
  candidateNames,
  candidateSinks,
  columnMistakes,
  NotShadowableError,
  streamOf,
} from './candidates.ts';

const sink = (options: string, name = 'hours'): string => `-- A comment about 'connector' = 'kafka'.
CREATE TABLE ${name} (
  place BIGINT,
  PRIMARY KEY (place) NOT ENFORCED
) WITH (
${options}
)`;
const jdbc = (table = 'hours'): string =>
  `  'connector' = 'jdbc',\n  'url' = \${jdbc_url},\n  'table-name' = '${table}'`;
const insert = (name = 'hours'): string => `INSERT INTO ${name} SELECT 1 AS place`;

const mistakesOf = (statements: readonly string[]): string => {
  try {
    candidateSinks(statements);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(NotShadowableError);
    return (error as Error).message;
  }
};

describe('the tables that a version writes', () => {
  test('of the real pipeline are its two tables', () => {
    expect(candidateSinks(definedVersion(weather.job).statements)).toEqual([
      { name: 'observations', table: 'observations' },
      { name: 'weather_hourly', table: 'weather_hourly' },
    ]);
  });

  test('are named as PostgreSQL names them, once each', () => {
    const statements = [sink(jdbc('real_hours')), `BEGIN ${insert('`hours`')}; ${insert()}; END`];
    expect(candidateSinks(statements)).toEqual([{ name: 'hours', table: 'real_hours' }]);
  });

  test('what is thrown away, or printed, needs no table', () => {
    expect(candidateSinks([sink("  'connector' = 'blackhole'"), insert()])).toEqual([]);
  });

  test.each([
    [
      'a sink of another kind',
      [sink("  'connector' = 'kafka'"), insert()],
      'written by the connector kafka, not jdbc',
    ],
    [
      'an address of its own',
      [sink(jdbc().replace(`\${jdbc_url}`, "'jdbc:postgresql://elsewhere'")), insert()],
      `the url of hours is not \${jdbc_url}`,
    ],
    ['a table in a schema', [sink(jdbc('public.hours')), insert()], 'is no name without a schema'],
    ['a table of nobody', [insert('nowhere')], 'it writes nowhere, which no statement of it creates'],
    [
      'a table of the database that is read',
      [sink(jdbc('places'), 'places'), sink(jdbc()), `${insert()} FROM x JOIN places ON true`],
      'it reads places from the database',
    ],
    ['nothing written', [sink(jdbc())], 'it writes no table'],
    [
      'a statement after the one that writes',
      [sink(jdbc()), insert(), 'CREATE VIEW x AS SELECT 1 AS place'],
      'only its last statement may run anything, and "INSERT INTO hours SELECT 1 AS place" stands before it',
    ],
    ['a second statement that writes', [sink(jdbc()), insert(), insert()], 'may run anything'],
    [
      'a statement set before the last statement',
      [sink(jdbc()), `EXECUTE STATEMENT SET BEGIN ${insert()}; END`, insert()],
      'and "EXECUTE STATEMENT SET BEGIN INSERT INTO',
    ],
    [
      'a table that is created from a query',
      [sink(jdbc()), sink("  'connector' = 'jdbc'", 'x').concat(' AS SELECT 1 AS place'), insert()],
      'and "CREATE TABLE x',
    ],
    [
      'a consumer group of its own',
      [sink("  'connector' = 'kafka',\n  'properties.group.id' = 'mine'", 'records'), sink(jdbc()), insert()],
      `the properties.group.id of records is not \${consumer_group}`,
    ],
  ])('%s cannot be shadowed', (_, statements, mistake) => {
    expect(mistakesOf(statements)).toContain(mistake);
  });

  test('all mistakes are told at once', () => {
    const message = mistakesOf([sink("  'connector' = 'kafka'"), `${insert()}; ${insert('nowhere')}`]);
    expect(message).toContain('connector kafka');
    expect(message).toContain('nowhere');
  });
});

describe('what a sink writes', () => {
  const written = { name: 'hours', table: 'real_hours' };

  test('has to be in the table', () => {
    const table = { columns: ['place', 'more'], required: ['place'] };
    expect(columnMistakes(written, ['place', 'feels_like'], table)).toEqual([
      'hours writes feels_like, which the table real_hours has not',
    ]);
    expect(columnMistakes(written, ['place'], table)).toEqual([]);
  });

  test('has to be all that the table needs', () => {
    const table = { columns: ['place', 'kind'], required: ['place', 'kind'] };
    expect(columnMistakes(written, ['place'], table)).toEqual([
      'hours does not write kind, which the table real_hours needs',
    ]);
  });

  test('has to have a table', () => {
    expect(columnMistakes(written, ['place'], undefined)).toEqual([
      'hours writes the table real_hours, which is not in PostgreSQL',
    ]);
  });
});

describe('the names of a candidate', () => {
  const of = { job: 'a-stream', version: '0123456789ab', group: 'readers', run: 'abcdef01' };

  test('are its own, and differ by purpose', () => {
    expect(candidateNames('dry_run', of)).toEqual({
      flinkName: 'dry run of a-stream 0123456789ab',
      schema: 'dry_run_a_stream_0123456789ab',
      consumerGroup: 'readers-dry-run-0123456789ab-abcdef01',
    });
    expect(candidateNames('shadow', of)).toEqual({
      flinkName: 'shadow of a-stream 0123456789ab',
      schema: 'shadow_a_stream_0123456789ab',
      consumerGroup: 'readers-shadow-0123456789ab-abcdef01',
    });
  });

  test('fit PostgreSQL for the longest name of a job', () => {
    const { schema } = candidateNames('dry_run', { ...of, job: 'a'.repeat(41) });
    expect(schema.length).toBeLessThanOrEqual(63);
  });
});

test('a job that is no stream is refused by name', () => {
  expect(streamOf({ one: 1 }, 'one')).toBe(1);
  expect(() => streamOf({ one: 1 }, 'toString')).toThrow('There is no stream "toString"; there are: one.');
});
