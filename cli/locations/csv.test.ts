import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seedFile } from '../../clients/sql-files.ts';
import { locationColumns, readLocation } from '../../domain/locations.ts';
import { readLocationsCsv } from './csv.ts';

const header = 'city_id,name,country,lat,lon,timezone';
const oslo = '3143244,Oslo,NO,59.9127,10.7461,Europe/Oslo';

/** As any spreadsheet writes it: quoted where it must be. */
const csvOf = (rows: readonly (readonly string[])[], newline: string): string =>
  rows
    .map((row) =>
      row.map((text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(','),
    )
    .join(newline);

const mistakesIn = (text: string): string => {
  try {
    readLocationsCsv(text);
  } catch (error) {
    return (error as Error).message;
  }
  return expect.unreachable('the file was taken');
};

describe('a CSV file of locations', () => {
  test('what is written is read, whatever characters it holds and however its lines end', () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'ø', '"', ',', ' ', '\n', ';', "'") }), {
      minLength: locationColumns.length,
      maxLength: locationColumns.length,
    });
    const newlines = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(
        fc.array(texts, { minLength: 1, maxLength: 20 }),
        newlines,
        fc.boolean(),
        (rows, newline, bom) => {
          const file = `${bom ? '\uFEFF' : ''}${csvOf([locationColumns, ...rows], newline)}${newline}`;
          const read = readLocationsCsv(file);
          expect(read.mistakes).toEqual([]);
          expect(read.rows.map((row) => locationColumns.map((column) => row.texts[column]))).toEqual(rows);
        },
      ),
    );
  });

  test('the seed of the registry is one', () => {
    const { rows, mistakes } = readLocationsCsv(readFileSync(seedFile('locations.csv'), 'utf8'));
    expect(mistakes).toEqual([]);
    expect(rows.length).toBe(60);
    for (const { texts } of rows) expect(readLocation(texts)).toHaveProperty('given');
  });

  test('each row knows its line, beyond empty ones and in columns of any order', () => {
    const { rows } = readLocationsCsv(`lat,${header.replace(',lat', '')}\n\n59.9,1,Oslo,NO,10.7,UTC\n`);
    expect(rows).toEqual([
      {
        line: 3,
        texts: { lat: '59.9', city_id: '1', name: 'Oslo', country: 'NO', lon: '10.7', timezone: 'UTC' },
      },
    ]);
  });

  test('rows that are too long or too short are told with their lines, and the others are read', () => {
    const { rows, mistakes } = readLocationsCsv(`${header}\n${oslo},10\n${oslo}\n1,Oslo\n`);
    expect(rows.map(({ line }) => line)).toEqual([3]);
    expect(mistakes).toEqual([
      'line 2 has 7 fields: expected 6, as the header has',
      'line 4 has 2 fields: expected 6, as the header has',
    ]);
  });

  test('every mistake of the header is told', () => {
    const message = mistakesIn('city_id,city_id,nmae,country,lat,lon\n1,2,3,4,5,6\n');
    expect(message).toContain('4 mistakes');
    expect(message).toContain('line 1, the column "nmae" is none: expected a first line with city_id,name,');
    expect(message).toContain('the column city_id stands there twice');
    expect(message).toContain('the column name is missing');
    expect(message).toContain('the column timezone is missing');
  });

  test.each([
    ['', 'the file is empty'],
    [`${header}\n`, 'holds a header and no location'],
    [`${header}\n1,"Oslo,NO`, 'the file is no CSV'],
  ])('%j is refused', (text, words) => {
    expect(mistakesIn(text)).toContain(words);
  });
});
