/** Reads a CSV file of locations as texts with their lines; what the texts mean is `domain/locations.ts`'s. */
import { CsvError, type Info, parse } from 'csv-parse/sync';
import {
  type LocationColumn,
  type LocationTexts,
  locationColumns,
  requiredColumns,
} from '../../domain/locations.ts';
import { LocationMistakesError } from './errors.ts';

export interface CsvRow {
  /** The line of the file on which the row ends, from 1. */
  readonly line: number;
  readonly texts: LocationTexts;
}

export interface CsvLocations {
  readonly rows: readonly CsvRow[];
  /** Rows with more or fewer fields than the header; they are not among `rows`. */
  readonly mistakes: readonly string[];
}

/** @throws LocationMistakesError when it is no CSV, or its header does not name the columns */
export function readLocationsCsv(text: string): CsvLocations {
  const [header, ...records] = recordsOf(text);
  if (header === undefined) throw new LocationMistakesError([`the file is empty: ${expectedHeader()}`]);
  const names = header.record.map((name) => name.trim());
  const wrong = mistakesOfHeader(names);
  if (wrong.length > 0)
    throw new LocationMistakesError(wrong.map((mistake) => `line ${header.line}, ${mistake}`));
  if (records.length === 0) throw new LocationMistakesError(['the file holds a header and no location']);
  const rows: CsvRow[] = [];
  const mistakes: string[] = [];
  for (const { record, line } of records) {
    if (record.length === names.length)
      rows.push({ line, texts: Object.fromEntries(names.map((name, index) => [name, record[index] ?? ''])) });
    else
      mistakes.push(`line ${line} has ${record.length} fields: expected ${names.length}, as the header has`);
  }
  return { rows, mistakes };
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly line: number;
}

function recordsOf(text: string): readonly CsvRecord[] {
  try {
    const records = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as readonly { record: string[]; info: Info }[];
    return records.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new LocationMistakesError([`the file is no CSV: ${error.message}`]);
  }
}

function mistakesOfHeader(names: readonly string[]): readonly string[] {
  const known = locationColumns as readonly string[];
  return [
    ...names
      .filter((name) => !known.includes(name))
      .map((name) => `the column "${name}" is none: ${expectedHeader()}`),
    ...names
      .filter((name, index) => known.includes(name) && names.indexOf(name) !== index)
      .map((name) => `the column ${name} stands there twice`),
    ...requiredColumns
      .filter((name) => !names.includes(name))
      .map((name) => `the column ${name} is missing: ${expectedHeader()}`),
  ];
}

const expectedHeader = (): string =>
  `expected a first line with ${requiredColumns.join(',')}, and with any of ${optionalNames().join(',')}`;

const optionalNames = (): readonly LocationColumn[] =>
  locationColumns.filter((column) => !requiredColumns.includes(column));
