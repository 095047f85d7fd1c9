import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../config/load.ts';
import { pipelines } from '../../pipelines/index.ts';
import { withGenerated } from '../support/reference.ts';
import { connectSql } from '../support/shared-stack.ts';
import { tablesReference } from '../support/tables-reference.ts';

const page = readFileSync(join(projectRoot, 'docs/tables.md'), 'utf8');

/** The rows of the table below a heading, cell by cell. */
function tableBelow(heading: string): readonly (readonly string[])[] {
  const [, below = ''] = page.split(`\n## ${heading}\n`);
  const [section = ''] = below.split(/\n## /);
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(1).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const code = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

test('docs/tables.md holds every column of every table, as the migrations have made them', async () => {
  const sql = await connectSql();
  const { text, keys } = await tablesReference(sql);
  await sql.end();
  expect(page, '`npm run docs:tables` writes the columns').toBe(withGenerated(page, text, 'docs:tables'));
  const told = tableBelow('Tables').map(([table = '', key = '']) => ({
    table: code(table)[0],
    key: code(key),
  }));
  expect(told).toEqual(keys);
});

test('docs/tables.md holds every topic, as the pipelines declare them', () => {
  const declared = Object.values(pipelines).flatMap(({ topics }) =>
    Object.values(topics).map(({ name, partitions, retentionMs }) => [
      `\`${name}\``,
      String(partitions),
      `${retentionMs / 86_400_000} days`,
    ]),
  );
  expect(tableBelow('Topics').map((cells) => cells.slice(0, 3))).toEqual(declared);
});
