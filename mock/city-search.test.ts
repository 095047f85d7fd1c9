import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadCities } from './cities.ts';
import { createCitySearch } from './city-search.ts';

const cities = loadCities(fileURLToPath(new URL('../sql/seed/locations.csv', import.meta.url)));
const search = createCitySearch(cities);

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
  ])('%s is %s', (query, name) => {
    expect(answerTo(query)).toBe(name);
  });

  test.each([
    ['id=1', '404 {"cod":"404","message":"city not found"}'],
    ['q=Atlantis', '404 {"cod":"404","message":"city not found"}'],
    ['q=London,US', '404 {"cod":"404","message":"city not found"}'],
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

  test('without cities nothing is found', () => {
    expect(createCitySearch([])(new URLSearchParams('lat=0&lon=0'))).toHaveProperty('refusal.status', 404);
  });
});
