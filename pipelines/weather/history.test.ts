import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { publicationLagSeconds } from '../../mock/publication.ts';
import { inUnits, unitSystemOf } from '../../mock/units.ts';
import { type MockWeather, weatherAt } from '../../mock/weather.ts';
import { unitSystems } from '../../schemas/backfill.ts';
import { currentWeatherSchema, type HistoryRow, parseCityHistory } from '../../schemas/openweathermap.ts';
import { jsonOf, mockCities, mockNowMs, mockSeed } from '../../tests/support/mock-routes.ts';
import { inspectWeatherRecord } from './contract.ts';
import { currentWeatherText, type Origin, originOf } from './history.ts';
import { measurements } from './measurements.ts';

const hour = 3_600;
const now = new Date(mockNowMs);
const nowSeconds = Math.floor(mockNowMs / 1_000);

const anyCity = fc.constantFrom(...mockCities);
const anyUnits = fc.constantFrom(...unitSystems);
const anyMoment = fc.integer({ min: nowSeconds - 10 * 365 * 24 * hour, max: nowSeconds });
const anyWeather = fc
  .tuple(anyCity, anyMoment)
  .map(([city, atSeconds]) => weatherAt({ seed: mockSeed, city, atSeconds }));

/** Two decimals, as the API gives. */
const hundredth = (lowest: number, highest: number) =>
  fc.integer({ min: lowest * 100, max: highest * 100 }).map((value) => value / 100 + 0);

const located = ({ id, name, country, lat, lon }: (typeof mockCities)[number]) =>
  originOf({ entityId: id, name, country, lat, lon });

const asRow = (weather: MockWeather): HistoryRow => currentWeatherSchema.parse(weather);

const origin: Origin = { id: 17, name: 'Here' };

describe('a row of the history', () => {
  test('becomes what the present said at its time, in every field that both have', () => {
    fc.assert(
      fc.property(anyCity, fc.nat(500), (city, hoursAgo) => {
        const end = nowSeconds - hoursAgo * hour;
        const query = `id=${city.id}&units=metric`;
        const { list } = jsonOf('/data/2.5/history/city', `${query}&start=${end - 2 * hour}&end=${end}`);
        const [row] = parseCityHistory({ list }).data?.list ?? [];
        if (row === undefined) throw new Error('two hours without an observation');
        const record = JSON.parse(currentWeatherText(row, located(city), 'metric'));
        const lag = publicationLagSeconds({ seed: mockSeed, cityId: city.id }, row.dt);
        const servedAtMs = Math.ceil((row.dt + lag) * 1_000);
        const present = jsonOf('/data/2.5/weather', query, servedAtMs);
        expect(present).toMatchObject(record);
        // What the present has besides is not stored, or not in the history.
        const missing = Object.keys(present).filter((field) => !(field in record));
        expect(missing.sort()).toEqual(['base', 'cod', 'timezone', 'visibility']);
      }),
    );
  });

  test('fits the contract, and is of its city and its time', () => {
    fc.assert(
      fc.property(anyWeather, anyCity, (weather, city) => {
        const body = currentWeatherText(asRow(weather), located(city), 'metric');
        expect(inspectWeatherRecord({ value: Buffer.from(body), publishedAt: now })).toEqual({
          kind: 'fits',
          entityId: city.id,
          observedAt: new Date(weather.dt * 1_000),
        });
        expect(currentWeatherSchema.safeParse(JSON.parse(body)).success).toBe(true);
      }),
    );
  });

  test('has its fields in one order and without white space, in whatever order they came', () => {
    const row = {
      ...{ visibility: 9_000, snow: { '3h': 2, '1h': 1 }, rain: { '1h': 0.4 } },
      weather: [{ icon: '10d', main: 'Rain', id: 500, description: 'light rain' }],
      ...{ clouds: { all: 90 }, wind: { gust: 8.2, deg: 250, speed: 4.1 }, dt: 1_764_000_000 },
      main: {
        ...{ grnd_level: 1_000, sea_level: 1_012, humidity: 88, pressure: 1_012 },
        ...{ temp_max: 12, temp_min: 10.1, feels_like: 10.6, temp: 11.2 },
      },
    };
    const london = { entityId: 2643743, name: 'London', country: 'GB', lat: 51.5085, lon: -0.1257 };
    expect(currentWeatherText(row, originOf(london), 'metric')).toBe(
      [
        '{"id":2643743,"dt":1764000000,"name":"London","coord":{"lon":-0.1257,"lat":51.5085},',
        '"main":{"temp":11.2,"feels_like":10.6,"temp_min":10.1,"temp_max":12,"pressure":1012,"humidity":88,',
        '"sea_level":1012,"grnd_level":1000},"wind":{"speed":4.1,"deg":250,"gust":8.2},"clouds":{"all":90},',
        '"weather":[{"id":500,"main":"Rain","description":"light rain","icon":"10d"}],"rain":{"1h":0.4},',
        '"snow":{"1h":1,"3h":2},"sys":{"country":"GB"},"visibility":9000}',
      ].join(''),
    );
  });

  test('says nothing that it did not say before: no group without a field, no field of others', () => {
    const row = { dt: 1, main: { temp_kf: 1 }, rain: {}, wind: { speed: 0 }, uv: 3, sys: { sunrise: 1 } };
    expect(currentWeatherText(row, origin, 'metric')).toBe(
      '{"id":17,"dt":1,"name":"Here","wind":{"speed":0}}',
    );
  });
});

describe('units', () => {
  const place = (weather: MockWeather): Origin => ({
    ...{ id: weather.id, name: weather.name, coord: weather.coord },
    sys: { country: weather.sys.country },
  });

  test('whatever they were, the record is the same as from metric ones', () => {
    fc.assert(
      fc.property(anyWeather, anyUnits, (weather, units) => {
        const converted = asRow(inUnits(weather, unitSystemOf(units)));
        expect(currentWeatherText(converted, place(weather), units)).toBe(
          currentWeatherText(asRow(weather), place(weather), 'metric'),
        );
      }),
    );
  });

  test('every temperature and speed comes back as it was, also where no weather of the mock goes', () => {
    const temperature = hundredth(-130, 100);
    const speed = hundredth(0, 120);
    const main = fc.record({
      ...{ temp: temperature, feels_like: temperature, temp_min: temperature, temp_max: temperature },
      ...{ pressure: hundredth(850, 1_100), humidity: fc.nat(100) },
    });
    fc.assert(
      fc.property(anyWeather, main, speed, speed, anyUnits, (weather, given, wind, gust, units) => {
        const metric = {
          ...weather,
          main: { ...weather.main, ...given },
          wind: { ...weather.wind, speed: wind, gust },
        };
        const read = JSON.parse(
          currentWeatherText(asRow(inUnits(metric, unitSystemOf(units))), origin, units),
        );
        expect(read.main).toEqual(metric.main);
        expect(read.wind).toEqual(metric.wind);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['standard', { temp: 273.15, speed: 10, gust: 10.126 }, { temp: 0, speed: 10, gust: 10.126 }],
    ['metric', { temp: 7.126, speed: 10.126, gust: 0 }, { temp: 7.126, speed: 10.126, gust: 0 }],
    ['imperial', { temp: 32, speed: 1, gust: 100 }, { temp: 0, speed: 0.45, gust: 44.7 }],
    ['imperial', { temp: -40, speed: 0, gust: 22.37 }, { temp: -40, speed: 0, gust: 10 }],
    // What rounds to nothing is no -0, and what is impossible stays the number that it is.
    ['standard', { temp: 273.1499, speed: 0, gust: 0 }, { temp: 0, speed: 0, gust: 0 }],
    ['standard', { temp: 1e308, speed: 1e308, gust: 0 }, { temp: 1e308, speed: 1e308, gust: 0 }],
  ] as const)('%s: %j is %j', (units, { temp, speed, gust }, expected) => {
    const read = JSON.parse(
      currentWeatherText({ dt: 1, main: { temp }, wind: { speed, gust } }, origin, units),
    );
    expect({ temp: read.main.temp, ...read.wind }).toEqual(expected);
  });

  test('every measurement of the tables comes through, and those in the same unit everywhere untouched', () => {
    const converted = ['temp', 'feels_like', 'temp_min', 'temp_max', 'wind_speed', 'wind_gust'];
    for (const units of unitSystems)
      for (const { path, column } of measurements) {
        const row = path.reduceRight<unknown>((value, field) => ({ [field]: value }), 50.123) as object;
        const read = JSON.parse(currentWeatherText({ dt: 1, ...row } as HistoryRow, origin, units));
        const value = path.reduce((each, field) => each[field], read);
        if (converted.includes(column)) expect(value).toEqual(expect.any(Number));
        else expect([column, value]).toEqual([column, 50.123]);
      }
  });
});
