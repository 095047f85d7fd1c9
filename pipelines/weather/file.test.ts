import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LineReaderOptions } from '../../clients/observation-file.ts';
import { readObservationFile } from '../../clients/observation-file.ts';
import { unitSystemOf } from '../../mock/units.ts';
import { unitSystems } from '../../schemas/backfill.ts';
import { jsonOf, mockCities, mockNowMs } from '../../tests/support/mock-routes.ts';
import { temporaryDirectories } from '../../tests/support/temporary-directories.ts';
import { createWeatherLineReader } from './file.ts';

const temporaryDirectory = temporaryDirectories();
const now = new Date(mockNowMs);
const dt = Math.floor(mockNowMs / 1_000) - 86_400;
const registry = new Map(
  mockCities.map(({ id, name, country, lat, lon }) => [id, { entityId: id, name, country, lat, lon }]),
);
const london = 2643743;

const readerOf = (options: Partial<LineReaderOptions> = {}) =>
  createWeatherLineReader({
    units: 'metric',
    locationOf: (id) => registry.get(id),
    now: () => now,
    ...options,
  });

const read = (line: unknown, options: Partial<LineReaderOptions> = {}) =>
  readerOf(options)(typeof line === 'string' ? line : JSON.stringify(line));

function recordOf(line: unknown, options: Partial<LineReaderOptions> = {}) {
  const reading = read(line, options);
  if (reading.kind === 'malformed') throw new Error(reading.reason);
  return { ...reading, body: JSON.parse(reading.body) };
}

const good = { id: london, dt, main: { temp: 11 } };

describe('a line of current weather', () => {
  test('is a record of its city and time', () => {
    expect(read(good)).toEqual({
      kind: 'record',
      entityId: london,
      observedAt: new Date(dt * 1_000),
      body: expect.stringContaining('"main":{"temp":11}'),
    });
  });

  test('keeps what it says of its city, and takes the rest from the registry', () => {
    expect(recordOf(good).body).toMatchObject({
      ...{ name: 'London', coord: { lon: -0.1257, lat: 51.5085 }, sys: { country: 'GB' } },
    });
    const own = { name: 'Londres', coord: { lon: 0, lat: 51 }, sys: { country: 'FR' } };
    expect(recordOf({ ...good, ...own }).body).toMatchObject(own);
    expect(recordOf({ ...good, sys: { sunrise: 1 } }).body.sys).toEqual({ country: 'GB' });
  });
});

describe('a line of the history', () => {
  test('is told by its city_id, whose place is that of the registry', () => {
    const { id, ...row } = good;
    expect(recordOf({ city_id: id, ...row })).toEqual(recordOf(good));
  });

  test('that names its city twice must mean the same', () => {
    expect(recordOf({ ...good, city_id: london }).entityId).toBe(london);
    expect(read({ ...good, city_id: 17 })).toEqual({
      kind: 'malformed',
      reason: 'The field "city_id" is 17 and the field "id" is 2643743, expected one city.',
    });
  });
});

describe('a file in any units, of either kind of line', () => {
  test('gives the records of the metric one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...mockCities),
        fc.constantFrom(...unitSystems),
        fc.nat(500),
        ({ id }, units, hoursAgo) => {
          const end = dt - hoursAgo * 3_600;
          const query = `id=${id}&start=${end - 86_400}&end=${end}&units=`;
          const rows = (name: string) => jsonOf('/data/2.5/history/city', query + name).list as object[];
          expect(unitSystemOf(units).name).toBe(units);
          const given = rows(units).map((row) => recordOf({ city_id: id, ...row }, { units }));
          expect(given).toEqual(rows('metric').map((row) => recordOf({ id, ...row })));
          expect(given.length).toBeGreaterThan(20);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a malformed line', () => {
  const future = dt + 2 * 86_400;

  test.each([
    ['not JSON', '{"id":', /^The line is not JSON: /],
    ['two documents', `${JSON.stringify(good)} {}`, /^The line is not JSON: /],
    ['no object', '[1]', 'The document is [1], expected object.'],
    ['nothing but null', 'null', 'The document is missing, expected object.'],
    ['no city', { dt, main: { temp: 1 } }, /^The field "id" is missing/],
    ['no time', { city_id: london }, /^The field "dt" is missing/],
    ['milliseconds', { ...good, dt: dt * 1_000 }, /^The field "dt" is \d+, expected Unix seconds/],
    [
      'a wrong field',
      { ...good, main: { temp: 'warm' } },
      'The field "main.temp" is "warm", expected number.',
    ],
    ['a wrong field of the history', { city_id: london, dt, wind: 5 }, /^The field "wind" is 5, expected/],
    ['no measurement', { id: london, dt }, /^There is no measurement/],
    ['a time to come', { ...good, dt: future }, /which lies after \d+: the time of publishing/],
    ['a name that is too long', { ...good, name: 'x'.repeat(201) }, /^The field "name" has 201 characters/],
    ['a NUL', { ...good, name: 'a\u0000' }, /^The field "name" holds the NUL character/],
    ['an empty condition', { ...good, weather: [null] }, /^The field "weather\[0\]" is missing, expected/],
    ['a stranger', { ...good, id: 17 }, 'City 17 is not registered: `hourglass locations add` registers it.'],
  ])('with %s says why', (_, line, reason) => {
    const reading = read(line);
    expect(reading).toMatchObject({ kind: 'malformed' });
    expect(reading.kind === 'malformed' && reading.reason).toEqual(
      reason instanceof RegExp ? expect.stringMatching(reason) : reason,
    );
  });

  test('nested deeper than any reason could quote says that', () => {
    const nested = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
    for (const line of [nested, `{"id":${nested}}`, `{"id":null,"x":${nested}}`])
      expect(read(line)).toEqual({
        kind: 'malformed',
        reason: 'The line opens more than 1000 objects and arrays, which no record does.',
      });
  });

  test('is what any text is that is no observation: it never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(read(text)).toMatchObject({ kind: 'malformed', reason: expect.stringMatching(/\.$/) });
      }),
    );
  });
});

describe('what a line writes as null', () => {
  test('counts as absent', () => {
    const nulls = { rain: null, main: { temp: 11, humidity: null }, name: null, wind: { gust: null } };
    expect(recordOf({ ...good, ...nulls })).toEqual(recordOf(good));
    expect(recordOf({ ...good, name: 'null island' }).body.name).toBe('null island');
  });
});

test('a gzipped file of both kinds of line gives its records, and its malformed lines by their numbers', async () => {
  const path = join(temporaryDirectory(), 'observations');
  const { id, ...row } = good;
  const lines = [good, { city_id: id, ...row, dt: dt + 3_600 }, { id: 17 }].map((line) =>
    JSON.stringify(line),
  );
  writeFileSync(path, gzipSync(`\uFEFF${lines.join('\r\n')}\r\n\r\nnonsense`));
  const found = [];
  for await (const line of readObservationFile(path, readerOf(), new AbortController().signal))
    found.push(line.kind === 'record' ? [line.line, line.observedAt] : [line.line, line.raw.toString()]);
  expect(found).toEqual([
    [1, new Date(dt * 1_000)],
    [2, new Date((dt + 3_600) * 1_000)],
    [3, '{"id":17}'],
    [5, 'nonsense'],
  ]);
});
