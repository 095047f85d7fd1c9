/** Writes an answer as a table, as CSV or as JSON; the last two row by row, as it may be larger than the memory. */
import type { Answer, Cells, Column, OnRow } from '../../clients/reader.ts';
import { renderFacts } from '../job/format.ts';
import { renderTable } from '../table.ts';

export type OutputFormat = 'table' | 'csv' | 'json';

export interface Output {
  readonly row: OnRow;
  end(answer: Answer): void;
}

/** So many rows a table shows; more are only counted. CSV and JSON hold them all. */
const MOST_ROWS = 1_000;

/** @param columns the width of the terminal; undefined when there is none: then a table is as wide as it is */
export function createOutput(format: OutputFormat, write: (text: string) => void, columns?: number): Output {
  if (format === 'csv') return csvOutput(write);
  return format === 'json' ? jsonOutput(write) : tableOutput(write, columns);
}

function csvOutput(write: (text: string) => void): Output {
  let begun = false;
  const begin = (columns: readonly Column[]): void => {
    if (!begun) write(csvLine(columns.map(({ name }) => name)));
    begun = true;
  };
  return {
    row(row, columns) {
      begin(columns);
      write(csvLine(row));
    },
    end: ({ columns }) => begin(columns),
  };
}

/** As RFC 4180 says, with the line ends of the system's own tools. Null is nothing, an empty text is `""`. */
const csvLine = (cells: Cells): string =>
  `${cells.map((cell) => (cell === null ? '' : cell === '' || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`;

function jsonOutput(write: (text: string) => void): Output {
  let begun = false;
  return {
    row(row, columns) {
      write(begun ? ',\n  ' : '[\n  ');
      begun = true;
      write(JSON.stringify(jsonRow(row, columns)));
    },
    end: () => write(begun ? '\n]\n' : '[]\n'),
  };
}

const jsonRow = (row: Cells, columns: readonly Column[]): Record<string, unknown> =>
  Object.fromEntries(columns.map((column, index) => [column.name, jsonValue(row[index] ?? null, column)]));

/** Numbers are numbers, JSON is itself, times are ISO 8601 in UTC; what has no counterpart stays PostgreSQL's text. */
function jsonValue(text: string | null, { kind }: Column): unknown {
  if (text === null) return null;
  if (kind === 'boolean') return text === 't';
  if (kind === 'json') return JSON.parse(text);
  if (kind === 'number') return Number.isFinite(Number(text)) ? Number(text) : text;
  return kind === 'time' ? isoTime(text) : text;
}

/** `2026-01-31 17:00:00.5+00` as PostgreSQL writes it; `infinity` and years before Christ are left as they are. */
const isoTime = (text: string): string =>
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/.test(text)
    ? text.replace(' ', 'T').replace('+00', 'Z')
    : text;

function tableOutput(write: (text: string) => void, width: number | undefined): Output {
  const rows: string[][] = [];
  return {
    row(row) {
      if (rows.length < MOST_ROWS) rows.push(row.map(cellText));
    },
    end({ columns, rowCount }) {
      const names = columns.map(({ name }) => name);
      if (columns.length > 0)
        write(`${fits(names, rows, width) ? wide(names, rows) : tall(names, rows)}\n\n`);
      const more = rowCount > rows.length ? `, the first ${rows.length} of them shown; --csv has all` : '';
      write(`${rowCount} ${rowCount === 1 ? 'row' : 'rows'}${more}\n`);
    },
  };
}

/** One line a cell. */
const cellText = (cell: string | null): string => (cell ?? '–').replace(/\s+/g, ' ');

const wide = (names: readonly string[], rows: readonly string[][]): string =>
  renderTable(names, rows, Number.POSITIVE_INFINITY);

/** Nothing is left out of an answer: where the columns do not stand side by side, they stand below one another. */
const tall = (names: readonly string[], rows: readonly string[][]): string =>
  rows.map((row) => renderFacts(names.map((name, index) => [name, row[index]]))).join('\n\n');

function fits(names: readonly string[], rows: readonly string[][], width: number | undefined): boolean {
  if (width === undefined || rows.length === 0) return true;
  const needed = names.map((name, index) =>
    rows.reduce((most, row) => Math.max(most, row[index]?.length ?? 0), name.length),
  );
  return needed.reduce((sum, each) => sum + each + 2, -2) <= width;
}
