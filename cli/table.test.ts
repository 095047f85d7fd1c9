import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderTable } from './table.ts';

const head = ['City', 'Obs', 'Temp °C'];
const rows = [
  ['Oslo, NO', '4', '-3.5'],
  ['Rio, BR', '12', '–'],
];

describe('a table', () => {
  test('has its texts on the left and its numbers on the right, each column as wide as it must be', () => {
    expect(renderTable(head, rows)).toBe(
      ['City      Obs  Temp °C', 'Oslo, NO    4     -3.5', 'Rio, BR    12        –'].join('\n'),
    );
  });

  test('without rows is its head', () => {
    expect(renderTable(head, [])).toBe('City  Obs  Temp °C');
  });

  test('leaves out whole columns from the right where the terminal is narrow', () => {
    expect(renderTable(head, rows, 22)).toBe(renderTable(head, rows, 80));
    expect(renderTable(head, rows, 21)).toBe('City      Obs\nOslo, NO    4\nRio, BR    12');
    expect(renderTable(head, rows, 12)).toBe('City\nOslo, NO\nRio, BR');
  });

  test('keeps its first column however narrow the terminal is', () => {
    expect(renderTable(head, rows, 1)).toBe('City\nOslo, NO\nRio, BR');
  });

  test('a number with its unit stands right, a column with one text in it left', () => {
    expect(renderTable(['Ago'], [['5 s ago'], ['10 min ago']])).toBe('       Ago\n   5 s ago\n10 min ago');
    expect(renderTable(['Process'], [['1234'], ['none']])).toBe('Process\n1234\nnone');
  });

  test('never is wider than the terminal, but for its first column, and has no spaces at a line’s end', () => {
    const cells = fc.stringMatching(/^[a-z0-9]{0,12}$/);
    const tables = fc
      .integer({ min: 1, max: 6 })
      .chain((width) =>
        fc.array(fc.array(cells, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      );
    fc.assert(
      fc.property(tables, fc.integer({ min: 1, max: 100 }), ([titles = [], ...body], columns) => {
        const lines = renderTable(titles, body, columns).split('\n');
        expect(lines).toHaveLength(1 + body.length);
        const first = Math.max(...[titles, ...body].map((row) => row[0]?.length ?? 0));
        for (const line of lines) {
          expect(line.length).toBeLessThanOrEqual(Math.max(columns, first));
          expect(line).toBe(line.trimEnd());
        }
      }),
    );
  });

  test('a terminal that tells no width is taken for one of eighty columns', () => {
    const [head, rows] = [['one', 'two'], [['x'.repeat(30), 'y']]];
    expect(renderTable(head, rows, 0)).toBe(renderTable(head, rows, 80));
    expect(renderTable(head, rows, 0)).toContain('two');
  });
});
