import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadCities } from './cities.ts';

const seedPath = fileURLToPath(new URL('../sql/seed/locations.csv', import.meta.url));

describe('the seed of the registry', () => {
  const cities = loadCities(seedPath);

  test('it holds sixty cities, each once, in the order of their ids', () => {
    const ids = cities.map((city) => city.id);
    expect(new Set(ids).size).toBe(60);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  });

  test('every pair of country and name is its own', () => {
    expect(new Set(cities.map((city) => `${city.name},${city.country}`)).size).toBe(60);
  });

  test('it spreads over latitudes, hemispheres and broken time zones', () => {
    expect(cities.filter((city) => city.lat < 0).length).toBeGreaterThan(10);
    expect(cities.some((city) => city.lat > 75)).toBe(true);
    const timezones = new Set(cities.map((city) => city.timezone));
    for (const timezone of ['Asia/Kathmandu', 'Asia/Kolkata', 'Australia/Adelaide'])
      expect(timezones).toContain(timezone);
  });
});

describe('loadCities', () => {
  function csvOf(text: string): string {
    const path = join(mkdtempSync(join(tmpdir(), 'cities-')), 'cities.csv');
    writeFileSync(path, text);
    return path;
  }
  const header = 'city_id,name,country,lat,lon,timezone,cadence_minutes\n';

  test('it reads a city and leaves further columns to the registry', () => {
    expect(
      loadCities(csvOf(`${header}2643743,"London, City",GB,51.5085,-0.1257,Europe/London,10\n`)),
    ).toEqual([
      {
        id: 2643743,
        name: 'London, City',
        country: 'GB',
        lat: 51.5085,
        lon: -0.1257,
        timezone: 'Europe/London',
      },
    ]);
  });

  test.each([
    ['x,London,GB,1,2,UTC,10', 'The field "city_id" is'],
    ['1,London,GB,,2,UTC,10', 'The field "lat" is "", expected a number.'],
    ['1,London,GB,1,181,UTC,10', 'The field "lon" is 181'],
    ['1,London,gb,1,2,UTC,10', 'The field "country" is "gb", expected two capital letters.'],
    [
      '1,London,GB,1,2,Mars/Olympus,10',
      'The field "timezone" is "Mars/Olympus", expected an IANA time zone.',
    ],
  ])('the row %s is refused by its number and field', (row, sentence) => {
    expect(() => loadCities(csvOf(`${header}7,Oslo,NO,1,2,UTC,10\n${row}\n`))).toThrow(/^Row 2 of /);
    expect(() => loadCities(csvOf(`${header}${row}\n`))).toThrow(sentence);
  });

  test("a file that is not there keeps the file system's error", () => {
    expect(() => loadCities('/nowhere/cities.csv')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
