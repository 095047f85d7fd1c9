import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answerOf,
  cityNamed,
  jsonOf,
  mockCities,
  mockNowMs,
  mockSeed,
} from '../tests/support/mock-routes.ts';
import { type AirComponents, airQualityAt } from './air.ts';
import type { MockCity } from './cities.ts';

const hour = 3_600;
const january = Date.parse('2026-01-01T00:00:00Z') / 1000;
const years = new Map<number, AirComponents[]>();

/** Every hour of a year of one city, reckoned once. */
function yearOf(city: MockCity): AirComponents[] {
  const known = years.get(city.id);
  if (known !== undefined) return known;
  const year = Array.from({ length: 365 * 24 }, (_, index) =>
    airQualityAt({ seed: mockSeed, city, atSeconds: january + index * hour }),
  ).map(({ components }) => components);
  years.set(city.id, year);
  return year;
}

function meanOf(rows: readonly AirComponents[], component: keyof AirComponents): number {
  return rows.reduce((sum, row) => sum + row[component], 0) / rows.length;
}

describe('the air', () => {
  test('depends on the seed, the city and the moment alone', () => {
    fc.assert(
      fc.property(fc.constantFrom(...mockCities), fc.integer({ min: 1, max: 4e9 }), (city, atSeconds) => {
        const question = { seed: mockSeed, city, atSeconds };
        expect(airQualityAt(question)).toEqual(airQualityAt({ ...question, city: { ...city } }));
        expect(airQualityAt({ ...question, seed: 'other' })).not.toEqual(airQualityAt(question));
      }),
    );
  });

  test('is worst where most people burn most, and clean in the Arctic', () => {
    const dust = (name: string) => meanOf(yearOf(cityNamed(name)), 'pm2_5');
    expect(dust('Longyearbyen')).toBeLessThan(6);
    expect(dust('Delhi')).toBeGreaterThan(25);
    expect(dust('Delhi')).toBeGreaterThan(2 * dust('London'));
  });

  test('holds more nitrogen dioxide in the rush hours than before dawn, and more ozone in the afternoon', () => {
    const year = yearOf(cityNamed('London'));
    const at = (utcHour: number, component: keyof AirComponents) =>
      meanOf(
        year.filter((_, index) => index % 24 === utcHour),
        component,
      );
    expect(at(8, 'no2')).toBeGreaterThan(1.3 * at(3, 'no2'));
    expect(at(13, 'o3')).toBeGreaterThan(1.3 * at(3, 'o3'));
  });

  test('holds more dust in the winter of a cold place and over a windy desert', () => {
    const berlin = yearOf(cityNamed('Berlin'));
    expect(meanOf(berlin.slice(0, 30 * 24), 'pm2_5')).toBeGreaterThan(
      1.2 * meanOf(berlin.slice(181 * 24, 211 * 24), 'pm2_5'),
    );
    const dubai = yearOf(cityNamed('Dubai'));
    expect(meanOf(dubai, 'pm10')).toBeGreaterThan(1.5 * meanOf(dubai, 'pm2_5'));
  });

  test('takes its index from the worst of its components', () => {
    fc.assert(
      fc.property(fc.constantFrom(...mockCities), fc.nat(365 * 24), (city, hours) => {
        const { main, components } = airQualityAt({
          seed: mockSeed,
          city,
          atSeconds: january + hours * hour,
        });
        const { pm2_5, o3 } = components;
        if (pm2_5 >= 10 || o3 >= 60) expect(main.aqi).toBeGreaterThanOrEqual(2);
        if (pm2_5 >= 75) expect(main.aqi).toBe(5);
        for (const value of Object.values(components)) expect(value).toBeGreaterThanOrEqual(0);
        expect(components.pm10).toBeGreaterThan(pm2_5);
      }),
    );
    const indices = mockCities.map(
      (city) => airQualityAt({ seed: mockSeed, city, atSeconds: january }).main.aqi,
    );
    expect(new Set(indices).size).toBeGreaterThanOrEqual(3);
  });
});

describe('/data/2.5/air_pollution', () => {
  const path = '/data/2.5/air_pollution';
  const place = 'lat=51.5&lon=0';
  const thisHour = Math.floor(mockNowMs / 1000 / hour) * hour;
  const timesOf = (answer: { list: { dt: number }[] }) => answer.list.map(({ dt }) => dt);

  test('is the hour under way; the forecast begins with it and tells four days', () => {
    const now = jsonOf(path, place);
    expect(timesOf(now)).toEqual([thisHour]);
    const forecast = jsonOf(`${path}/forecast`, place);
    expect(forecast.list).toHaveLength(96);
    expect(forecast.list[0]).toEqual(now.list[0]);
    expect(forecast.coord).toEqual({ lon: 0, lat: 51.5 });
  });

  test('the history tells the whole hours of its range, none that is still to come', () => {
    const history = (start: number, end: number) =>
      timesOf(jsonOf(`${path}/history`, `${place}&start=${start}&end=${end}`));
    expect(history(thisHour - 7_201, thisHour)).toEqual([thisHour - 7_200, thisHour - 3_600, thisHour]);
    expect(history(thisHour, thisHour + 9 * hour)).toEqual([thisHour]);
    expect(history(thisHour, thisHour - 1)).toEqual([]);
    expect(history(0, 1_606_435_200)).toEqual([1_606_435_200]);
  });

  test.each([
    ['', 'wrong start'],
    ['start=1', 'wrong end'],
    ['start=a&end=2', 'wrong start'],
  ])('the history of "%s" is refused: %s', (query, message) => {
    expect(JSON.parse(answerOf(`${path}/history`, `${place}&${query}`).body)).toEqual({
      cod: '400',
      message,
    });
  });
});
