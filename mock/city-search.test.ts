import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadCities } from './cities.ts';
import { createCityDirectory } from './city-directory.ts';
import { createCitySearch } from './city-search.ts';

const cities = loadCities(fileURLToPath(new URL('../sql/seed/locations.csv', import.meta.url)));
const search = createCitySearch(createCityDirectory(cities));

function answerTo(query: string): string {
  const answer = search(new URLSearchParams(query));
  return 'city' in answer ? answer.city.name : `${answer.refusal.status} ${answer.refusal.body}`;
}

describe('a city search', () => {
  test.each([
    ['id=2643743', 'London'],
    ['q=London', 'London'],
    ['q=lOnDoN', 'London'],
    ['q=London,gb', 'London'],
    ['q=London, GB', 'London'],
    ['q=sao paulo', 'São Paulo'],
    ['q=TROMSO,no', 'Tromsø'],
    ["q=St. John's", "St. John's"],
    ['lat=48.9&lon=2.2', 'Paris'],
    ['lat=-14&lon=179', 'Apia'],
    ['lat=90&lon=0', 'Longyearbyen'],
    ['id=2643743&q=Paris', 'London'],
    ['q=London,uk', 'London'],
    ['q=St Johns', "St. John's"],
    ['q=Denver,CO,US', 'Denver'],
    ['q=Denver,CO', 'Denver'],
    ['q=Paris,Île-de-France,FR', 'Paris'],
    ['q=London,', 'London'],
    ['zip=94040,us', 'Los Angeles'],
    ['zip=10001', 'New York'],
    ['zip=sw1a,gb', 'London'],
    ['zip=E14, UK', 'London'],
  ])('%s is %s', (query, name) => {
    expect(answerTo(query)).toBe(name);
  });

  test.each([
    ['id=1', '404 {"cod":"404","message":"city not found"}'],
    ['q=Atlantis', '404 {"cod":"404","message":"city not found"}'],
    ['q=London,US', '404 {"cod":"404","message":"city not found"}'],
    ['q=Denver,TX,US', '404 {"cod":"404","message":"city not found"}'],
    ['zip=10001,de', '404 {"cod":"404","message":"city not found"}'],
    ['zip=%2B%2B', '400 {"cod":"400","message":"invalid zip code"}'],
    ['id=99999999999999999999', '400 {"cod":"400","message":"Invalid ID"}'],
    ['id=abc', '400 {"cod":"400","message":"abc is not a city ID"}'],
    ['id=-5', '400 {"cod":"400","message":"-5 is not a city ID"}'],
    ['', '400 {"cod":"400","message":"Nothing to geocode"}'],
    ['id=', '400 {"cod":"400","message":"Nothing to geocode"}'],
    ['lat=5', '400 {"cod":"400","message":"Nothing to geocode"}'],
    ['lat=91&lon=0', '400 {"cod":"400","message":"wrong latitude"}'],
    ['lat=x&lon=0', '400 {"cod":"400","message":"wrong latitude"}'],
    ['lat=0&lon=181', '400 {"cod":"400","message":"wrong longitude"}'],
  ])('"%s" is refused with %s', (query, refusal) => {
    expect(answerTo(query)).toBe(refusal);
  });

  test('every city is found by its id, its name and its place', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cities), ({ id, name, country, lat, lon }) => {
        expect(answerTo(`id=${id}`)).toBe(name);
        expect(answerTo(`q=${encodeURIComponent(`${name},${country}`)}`)).toBe(name);
        expect(answerTo(`lat=${lat}&lon=${lon}`)).toBe(name);
      }),
    );
  });

  test('coordinates come back as they were asked for, to four decimals', () => {
    expect(search(new URLSearchParams('lat=51.12345&lon=-0.00001'))).toMatchObject({
      city: { name: 'London' },
      coord: { lat: 51.1235, lon: 0 },
    });
    expect(search(new URLSearchParams('id=2643743'))).toMatchObject({
      coord: { lat: 51.5085, lon: -0.1257 },
    });
  });

  test('without cities nothing is found', () => {
    expect(createCitySearch(createCityDirectory([]))(new URLSearchParams('lat=0&lon=0'))).toHaveProperty(
      'refusal.status',
      404,
    );
  });
});
