import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../config/load.ts';
import { pipelines } from '../pipelines/index.ts';
import { exampleNames, readExample, readFlinkSql, readMigrations, readQuery, seedFile } from './sql-files.ts';

const SOURCE_FOLDERS = ['activities', 'cli', 'clients', 'pipelines', 'stack', 'workers'];

const sources = SOURCE_FOLDERS.flatMap((folder) =>
  readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(projectRoot, folder, name), 'utf8')),
);

/** The names in `query('name'` of our own doors; `client` is the driver's own, which takes SQL. */
const asked = new Set(
  sources.flatMap((source) =>
    [...source.matchAll(/(?<!client\.)\bquery(?:<[^()]*?>)?\(\s*'([^']+)'/g)].map(([, name]) => name ?? ''),
  ),
);

const stored = readdirSync(join(projectRoot, 'sql/queries'))
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.replace(/\.sql$/, ''));

describe('the queries', () => {
  test('every file is asked for somewhere, and every one that is asked for is a file', () => {
    expect([...asked].sort()).toEqual([...stored].sort());
  });

  test.each(stored)('%s is one statement', (name) => {
    const statement = readQuery(name).replace(/--.*$/gm, '').trim();
    expect(statement).toMatch(/^(select|insert|update|delete|with)\b/);
    expect(statement).not.toContain(';');
  });

  test.each(stored)('%s numbers its parameters without a gap', (name) => {
    const numbers = [
      ...new Set([...readQuery(name).matchAll(/\$(\d+)/g)].map(([, number]) => Number(number))),
    ];
    expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1));
  });

  test('one that does not exist is an error with its name', () => {
    expect(() => readQuery('no-such-query')).toThrow('no-such-query.sql');
  });
});

describe('the saved queries', () => {
  test.each(exampleNames())('%s says what it shows, and is one statement without parameters', (name) => {
    const [first = '', ...rest] = readExample(name).split('\n');
    expect(first).toMatch(/^-- .+\.$/);
    const statement = rest.join('\n').replace(/--.*$/gm, '').trim();
    expect(statement).toMatch(/^(select|with)\b/);
    expect(statement).not.toMatch(/;|\$\d/);
  });

  test('among them are the two of the original demo', () => {
    expect(exampleNames()).toEqual(expect.arrayContaining(['hourly-weather', 'unnested-conditions']));
  });
});

describe('the migrations', () => {
  test('come in the order of their numbers, of which none stands twice', () => {
    const names = readMigrations().map(({ name }) => name);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name).toMatch(/^\d{4}_[a-z0-9_]+\.sql$/);
    const numbers = names.map((name) => name.slice(0, 4));
    expect(numbers).toEqual([...new Set(numbers)].sort());
  });

  test('carry their text', () => {
    for (const { name, sql } of readMigrations())
      expect(sql).toBe(readFileSync(join(projectRoot, 'sql/migrations', name), 'utf8'));
  });
});

describe('the Flink SQL', () => {
  test('every file is part of a pipeline’s job, and every file of a job is there', () => {
    const directory = join(projectRoot, 'sql/flink');
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.sql'),
    );
    const used = Object.values(pipelines).flatMap(({ job, batchJobs }) =>
      [job, ...batchJobs].flatMap((each) => each.files),
    );
    expect([...files].sort()).toEqual([...new Set(used)].sort());
  });

  test('ends without an empty line, which a statement need not have', () => {
    expect(readFlinkSql('views/hourly-weather.sql')).toMatch(/^-- The hour[\s\S]*\S$/);
  });
});

test('the seed is the list of the first locations', () => {
  expect(readFileSync(seedFile('locations.csv'), 'utf8')).toMatch(/^city_id,name,country,lat,lon,timezone,/);
});
