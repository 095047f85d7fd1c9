import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cells, Column } from '../../clients/reader.ts';
import { createOutput, type OutputFormat } from './output.ts';

const columns: readonly Column[] = [
  { name: 'city', kind: 'text' },
  { name: 'temp', kind: 'number' },
];

function written(format: OutputFormat, rows: readonly Cells[], width?: number, of = columns): string {
  let text = '';
  const output = createOutput(
    format,
    (piece) => {
      text += piece;
    },
    width,
  );
  for (const row of rows) output.row(row, of);
  output.end({ columns: of, rowCount: rows.length });
  return text;
}

describe('a table', () => {
  test('stands side by side where it fits, and below one another where it does not', () => {
    const rows = [
      ['Oslo', '-3.1'],
      ['Praia', null],
    ];
    expect(written('table', rows, 20)).toBe('city   temp\nOslo   -3.1\nPraia     –\n\n2 rows\n');
    expect(written('table', rows, 10)).toBe('city  Oslo\ntemp  -3.1\n\ncity  Praia\ntemp  –\n\n2 rows\n');
  });

  test('keeps each cell on one line, and has its head when there is no row', () => {
    expect(written('table', [['a\nb\tc', '1']])).toContain('a b c  ');
    expect(written('table', [])).toBe('city  temp\n\n0 rows\n');
  });

  test('shows the first thousand rows and counts them all', () => {
    const text = written(
      'table',
      Array.from({ length: 1_500 }, (_, index) => ['x', String(index)]),
    );
    expect(text).toMatch(/1500 rows, the first 1000 of them shown; --csv has all\n$/);
    expect(text.split('\n').filter((line) => line.startsWith('x'))).toHaveLength(1_000);
  });
});

describe('CSV', () => {
  test('tells nothing from an empty text, and has its head when there is no row', () => {
    expect(written('csv', [['', null]])).toBe('city,temp\n"",\n');
    expect(written('csv', [])).toBe('city,temp\n');
  });

  test('is read back as it was written, whatever is in a cell', () => {
    const cell = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
        expect(parse(written('csv', rows), { from_line: 2, relax_column_count: false })).toEqual(rows);
      }),
    );
  });
});

describe('JSON', () => {
  test('has numbers, truths, times and JSON as what they are', () => {
    const of: readonly Column[] = [
      { name: 'n', kind: 'number' },
      { name: 'b', kind: 'boolean' },
      { name: 'j', kind: 'json' },
      { name: 't', kind: 'time' },
      { name: 'x', kind: 'text' },
    ];
    const rows = [
      ['1.5', 't', '{"a":[1]}', '2026-01-31 17:00:00.25+00', 'x'],
      ['NaN', 'f', null, 'infinity', null],
    ];
    expect(JSON.parse(written('json', rows, undefined, of))).toEqual([
      { n: 1.5, b: true, j: { a: [1] }, t: '2026-01-31T17:00:00.25Z', x: 'x' },
      { n: 'NaN', b: false, j: null, t: 'infinity', x: null },
    ]);
    expect(JSON.parse(written('json', []))).toEqual([]);
  });
});
