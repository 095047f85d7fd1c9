import { expect, test } from 'vitest';
import { readFlinkSql } from '../clients/sql-files.ts';
import { weather } from '../pipelines/weather/definition.ts';
import { BASELINE, variants, withBaselines } from './variants.ts';

test('every variant has a name of its own', () => {
  const names = [BASELINE, ...variants].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('every variant changes one kind of thing', () => {
  for (const { name, question, ...changes } of variants)
    expect([name, Object.keys(changes).length]).toEqual([name, 1]);
});

test('the options of Flink’s tables that vary are ones the pipeline sets', () => {
  const tables = weather.job.files.filter((file) => file.startsWith('tables/')).map(readFlinkSql);
  for (const { tableOptions = {} } of variants)
    for (const [table, options] of Object.entries(tableOptions)) {
      const sql = tables.find((each) => each.includes(`CREATE TABLE ${table} `)) ?? '';
      for (const option of Object.keys(options)) expect(sql).toContain(`'${option}' =`);
    }
});

test('the baseline is measured first, in the middle and last', () => {
  const order = withBaselines(variants.slice(0, 3)).map(({ name }) => name);
  expect(order).toEqual(['baseline', 'dedup-shared', 'dedup-each', 'baseline', 'state-hashmap', 'baseline']);
});
