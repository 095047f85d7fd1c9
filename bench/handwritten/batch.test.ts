import { expect, test } from 'vitest';
import { readBenchSql } from '../support/sql.ts';
import { arrayColumns } from './batch.ts';

const sqlTypes = {
  int4: 'integer',
  int8: 'bigint',
  float8: 'double precision',
  text: 'text',
  jsonb: 'jsonb',
  timestamptz: 'timestamptz',
} as const;

test('the statement unnests the arrays that a batch gives, in their order', () => {
  const sql = readBenchSql('store-observations');
  const [, types = ''] = /unnest\(([\s\S]*?)\) as o/.exec(sql) ?? [];
  const [, names = ''] = /\) as o \(([\s\S]*?)\)/.exec(sql) ?? [];
  expect(names.split(',').map((name) => name.trim())).toEqual(arrayColumns.map(({ name }) => name));
  expect(types.split(',').map((type) => type.trim())).toEqual(
    arrayColumns.map(({ type }, index) => `$${index + 3}::${sqlTypes[type]}[]`),
  );
});
