import { describe, expect, test } from 'vitest';
import { readFlinkSql } from '../../clients/sql-files.ts';
import { selectItems } from '../../tests/support/sql-text.ts';
import { measurements } from './measurements.ts';

const coordinates = [
  { column: 'lon', range: [-180, 180] },
  { column: 'lat', range: [-90, 90] },
] as const;
const byColumn = <T extends { readonly column: string }>(rows: readonly T[]): T[] =>
  [...rows].sort((a, b) => a.column.localeCompare(b.column));
const bounds = byColumn(
  [...coordinates, ...measurements].map(({ column, range: [lowest, highest] }) => ({
    column,
    lowest,
    highest,
  })),
);

describe('the ranges of views/plausible-air.sql', () => {
  // NO is a word of SQL: as a name it stands in backquotes.
  const view = readFlinkSql('views/plausible-air.sql').replaceAll('`', '');
  const within = String.raw`BETWEEN (?<lowest>-?\d+) AND (?<highest>-?\d+)`;
  const absentOrWithin = String.raw`(?<column>\w+) IS NULL OR \k<column> ${within}`;
  const told = String.raw`'"\k<column>": \{"value": ' \|\| JSON_STRING\(\k<column>\) \|\| ', "range": \[\k<lowest>, \k<highest>\]\}'`;

  test.each([
    ['select a value', `^  CASE WHEN (?<column>\\w+) ${within} THEN \\k<column> END AS \\k<column>,$`],
    ['tell whether any was rejected', `(?:WHEN|AND) \\(${absentOrWithin}\\)$`],
    ['tell which was rejected', `CASE WHEN ${absentOrWithin} THEN CAST\\(NULL AS STRING\\) ELSE ${told} END`],
  ])('that %s are those of measurements.ts', (_, pattern) => {
    const found = [...view.matchAll(new RegExp(pattern, 'gm'))].map(({ groups = {} }) => ({
      column: groups['column'] ?? '',
      lowest: Number(groups['lowest']),
      highest: Number(groups['highest']),
    }));
    expect(byColumn(found)).toEqual(bounds);
  });
});

test('each column comes from its path of the JSON', () => {
  const selected = selectItems(readFlinkSql('views/flattened-air.sql'), /\bSELECT\b/);
  for (const { column, path } of measurements)
    expect([column, selected.find(({ name }) => name === column)?.expression]).toEqual([
      column,
      path.join('.'),
    ]);
});
