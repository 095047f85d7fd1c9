import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../config/load.ts';
import { pipelines } from '../pipelines/index.ts';
import { pipelineTablesSchema } from '../schemas/pipeline.ts';
import { fillTables } from './pipeline-tables.ts';
import { readQuery } from './sql-files.ts';

const tables = pipelineTablesSchema.parse({
  registry: 'places',
  key: 'place_id',
  facts: 'readings',
  windows: 'reading_hours',
  figures: ['level_avg', 'level_max'],
});

describe('a query of the control plane', () => {
  test('names the tables of the pipeline it is asked for', () => {
    expect(
      fillTables('some', 'select o.${key}\nfrom ${facts} o\njoin ${registry} l using (${key})', tables),
    ).toBe('select o.place_id\nfrom readings o\njoin places l using (place_id)');
  });

  test('has a line for each figure where one names it', () => {
    expect(fillTables('some', 'select\n  ${key},\n  max(${figure}) as ${figure},\n  1', tables)).toBe(
      'select\n  place_id,\n  max(level_avg) as level_avg,\n  max(level_max) as level_max,\n  1',
    );
  });

  test('is not asked when nobody said of which pipeline, or when it names what no pipeline has', () => {
    expect(() => fillTables('some', 'from ${facts}', undefined)).toThrow(/query some asks for \${facts}/);
    expect(() => fillTables('some', 'max(${figure})', undefined)).toThrow(/\${figure}/);
    expect(() => fillTables('some', 'from ${constructor}', tables)).toThrow(/\${constructor}/);
  });

  test('is left as it is when it asks no table of a pipeline', () => {
    expect(fillTables('some', 'select $1::text', undefined)).toBe('select $1::text');
  });

  const queries = readdirSync(join(projectRoot, 'sql/queries')).flatMap((file) =>
    file.endsWith('.sql') ? [file.slice(0, -'.sql'.length)] : [],
  );

  test.each(Object.values(pipelines))('can be asked of $name, whichever it is', ({ tables: own }) => {
    const open = queries.filter((name) => fillTables(name, readQuery(name), own).includes('${'));
    expect(open).toEqual([]);
  });

  test('asks no table of one pipeline where it is asked of any', () => {
    const own = /\b(?:from|join|into|update) (?:observations|weather_hourly|locations|air_\w+)\b|\bcity_id\b/;
    const mixed = queries.filter((name) => {
      const sql = readQuery(name).replace(/--.*$/gm, '');
      // In the words of the command line a location has the id of a city.
      return sql.includes('${') && own.test(sql.replace(' as city_id', ''));
    });
    expect(mixed).toEqual([]);
  });
});

describe('the names of a pipeline’s tables', () => {
  test.each(['Weather', 'a-b', 'a; drop table b', '"a"', '', 'a'.repeat(41)])('are refused: %j', (name) => {
    expect(pipelineTablesSchema.safeParse({ ...tables, facts: name }).success).toBe(false);
  });
});
