import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readFlinkSql } from '../../clients/sql-files.ts';
import { selectItems } from '../../tests/support/sql-text.ts';
import { coordinates, type Measurement, measurements } from './measurements.ts';

const ranged = [...coordinates, ...measurements];
const byColumn = <T extends { readonly column: string }>(rows: readonly T[]): T[] =>
  [...rows].sort((a, b) => a.column.localeCompare(b.column));

describe('the ranges of views/plausible-observations.sql', () => {
  const view = readFlinkSql('views/plausible-observations.sql');
  const bounds = byColumn(
    ranged.map(({ column, range: [lowest, highest] }) => ({ column, lowest, highest })),
  );
  const found = (pattern: RegExp) =>
    byColumn(
      [...view.matchAll(pattern)].map(({ groups = {} }) => ({
        column: groups['column'] ?? '',
        lowest: Number(groups['lowest']),
        highest: Number(groups['highest']),
      })),
    );
  const within = String.raw`BETWEEN (?<lowest>-?\d+) AND (?<highest>-?\d+)`;
  const absentOrWithin = String.raw`(?<column>\w+) IS NULL OR \k<column> ${within}`;
  const told = String.raw`'"\k<column>": \{"value": ' \|\| JSON_STRING\(\k<column>\) \|\| ', "range": \[\k<lowest>, \k<highest>\]\}'`;

  test.each([
    ['select a value', `^  CASE WHEN (?<column>\\w+) ${within} THEN \\k<column> END AS \\k<column>,$`],
    ['tell whether any was rejected', `(?:WHEN|AND) \\(${absentOrWithin}\\)$`],
    ['tell which was rejected', `CASE WHEN ${absentOrWithin} THEN CAST\\(NULL AS STRING\\) ELSE ${told} END`],
  ])('that %s are those of measurements.ts', (_, pattern) => {
    expect(found(new RegExp(pattern, 'gm'))).toEqual(bounds);
  });

  test('no other range stands there', () => {
    // Those of rain and snow stand there once more: whether the rate is known.
    expect(view.match(/\bBETWEEN\b/g)).toHaveLength(ranged.length * 3 + 2);
  });
});

test('each column comes from its path of the JSON', () => {
  const selected = selectItems(readFlinkSql('views/flattened-weather.sql'), /\bSELECT\b/);
  for (const { column, path } of ranged) {
    const expression = selected.find(({ name }) => name === column)?.expression ?? '';
    expect([column, expression.split(/[^\w.]+/)]).toEqual([column, expect.arrayContaining([path.join('.')])]);
  }
});

describe('the table of docs/producers.md', () => {
  const text = readFileSync(new URL('../../docs/producers.md', import.meta.url), 'utf8');
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '));
  const numeral = (value: number): string => String(value).replace('-', '−');
  const rowOf = ({ path, column, unit, range: [lowest, highest], record }: Measurement): string[] => [
    `\`${path.join('.')}\``,
    `\`${column}\``,
    unit,
    `${numeral(lowest)} to ${numeral(highest)}`,
    record,
  ];

  test('names every measurement and coordinate as measurements.ts does', () => {
    const documented = rows.filter((cells) => cells.length === 5);
    expect(documented).toEqual([...measurements, ...coordinates].map(rowOf));
  });
});
