import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerOf, jsonOf, mockCities } from '../tests/support/mock-routes.ts';
import { placeOf } from './places.ts';

const anyCity = fc.constantFrom(...mockCities);

describe('geocoding', () => {
  test('there and back again: name, place and postal code lead to the same city', () => {
    fc.assert(
      fc.property(anyCity, ({ id, name, country }) => {
        const [place] = jsonOf(
          '/geo/1.0/direct',
          new URLSearchParams({ q: `${name},${country}` }).toString(),
        );
        expect(place).toMatchObject({ name, country });
        expect(jsonOf('/geo/1.0/reverse', `lat=${place.lat}&lon=${place.lon}&limit=1`)).toEqual([place]);
        const [zip] = placeOf(id).zips;
        const { name: zipName, ...zipPlace } = jsonOf('/geo/1.0/zip', `zip=${zip},${country}`);
        expect({ zipName, zipPlace }).toEqual({
          zipName: name,
          zipPlace: { zip, lat: place.lat, lon: place.lon, country },
        });
        expect(jsonOf('/data/2.5/weather', `lat=${place.lat}&lon=${place.lon}`).id).toBe(id);
        expect(jsonOf('/data/2.5/weather', `zip=${zip},${country}`).id).toBe(id);
      }),
    );
  });

  test('a city of the United States has its state, and is found by it', () => {
    const denver = [expect.objectContaining({ name: 'Denver', country: 'US', state: 'Colorado' })];
    for (const q of ['Denver', 'Denver,US', 'Denver,CO', 'Denver,CO,US', 'denver,colorado,us']) {
      expect(jsonOf('/geo/1.0/direct', `q=${q}`)).toEqual(denver);
    }
    expect(jsonOf('/geo/1.0/direct', 'q=Denver,TX,US')).toEqual([]);
    expect(jsonOf('/geo/1.0/direct', 'q=Denver,CO,CO')).toEqual([]);
  });

  test('a name in another language is found, and told', () => {
    expect(jsonOf('/geo/1.0/direct', 'q=Москва')).toMatchObject([
      { name: 'Moscow', local_names: { en: 'Moscow', ru: 'Москва' } },
    ]);
  });

  test('what is nowhere is an empty list: an unknown name, the open sea', () => {
    expect(jsonOf('/geo/1.0/direct', 'q=Atlantis')).toEqual([]);
    expect(jsonOf('/geo/1.0/reverse', 'lat=0&lon=0')).toEqual([]);
  });

  test('limit cuts the list', () => {
    expect(jsonOf('/geo/1.0/reverse', 'lat=50&lon=2')).toMatchObject([{ name: 'Paris' }, { name: 'London' }]);
    expect(jsonOf('/geo/1.0/reverse', 'lat=50&lon=2&limit=1')).toMatchObject([{ name: 'Paris' }]);
  });

  test('a postal code without a country is one of the United States', () => {
    expect(jsonOf('/geo/1.0/zip', 'zip=10001')).toMatchObject({
      zip: '10001',
      name: 'New York',
      country: 'US',
    });
  });

  test.each([
    ['zip=99999,GB', 404, 'not found'],
    ['zip=!,GB', 400, 'invalid zip code'],
    ['zip=94040,usa', 400, 'invalid zip code'],
  ])('the postal code %s is refused with %i', (query, status, message) => {
    const reply = answerOf('/geo/1.0/zip', query);
    expect({ status: reply.status, body: JSON.parse(reply.body) }).toEqual({
      status,
      body: { cod: String(status), message },
    });
  });
});

describe('a city that no table knows', () => {
  test('has a postal code of five digits that is always the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10_000_000 }), (id) => {
        const { zips, population } = placeOf(id);
        expect(zips).toEqual([expect.stringMatching(/^[1-9]\d{4}$/)]);
        expect(population).toBe(0);
        expect(placeOf(id)).toEqual({ zips, population });
      }),
    );
  });
});
