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
import { weatherAt } from './weather.ts';

const hour = 3_600;
const anyCity = fc.constantFrom(...mockCities);

describe.each([
  ['/data/2.5/forecast', 3, 40],
  ['/data/2.5/forecast/hourly', 1, 96],
])('%s', (path, hours, rows) => {
  test('tells every row from the next whole step on, and cnt cuts them', () => {
    const { list, cnt, city } = jsonOf(path, 'q=London');
    const step = hours * hour;
    const first = (Math.floor(mockNowMs / 1000 / step) + 1) * step;
    expect(list.map(({ dt }: { dt: number }) => dt)).toEqual(
      Array.from({ length: rows }, (_, index) => first + index * step),
    );
    expect(cnt).toBe(rows);
    expect(city).toMatchObject({ id: 2643743, name: 'London', country: 'GB', timezone: 3_600 });
    const cut = jsonOf(path, 'q=London&cnt=7');
    expect(cut.list).toEqual(list.slice(0, 7));
    expect(cut.cnt).toBe(7);
    expect(jsonOf(path, 'q=London&cnt=1000').cnt).toBe(rows);
    expect(JSON.parse(answerOf(path, 'q=London&cnt=x').body).message).toBe(`cnt from 1 to ${rows}`);
  });

  test('what is foretold comes', () => {
    fc.assert(
      fc.property(anyCity, (city) => {
        for (const row of jsonOf(path, `id=${city.id}&units=metric`).list) {
          const truth = weatherAt({ seed: mockSeed, city, atSeconds: row.dt, stepSeconds: 1 });
          const { temp_kf, ...main } = row.main;
          expect(temp_kf).toBe(0);
          expect(main).toEqual(truth.main);
          expect(row.weather).toEqual(truth.weather);
          expect(row.wind).toEqual(truth.wind);
          expect(row.clouds).toEqual(truth.clouds);
          expect(row.visibility).toBe(truth.visibility);
          expect(row.weather[0].icon.endsWith(row.sys.pod)).toBe(true);
          expect(row.dt_txt).toBe(new Date(row.dt * 1000).toISOString().slice(0, 19).replace('T', ' '));
          if (truth.rain) expect(row.rain[`${hours}h`]).toBeGreaterThanOrEqual(truth.rain['1h']);
          if (row.rain || row.snow) expect(row.pop).toBeGreaterThan(0.3);
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe('/data/2.5/forecast/daily', () => {
  const path = '/data/2.5/forecast/daily';

  test('tells a week from today on, each day at its noon', () => {
    const { list, cnt } = jsonOf(path, 'q=Tokyo');
    expect(cnt).toBe(7);
    // 12:34 in London is the evening of the same day in Tokyo, whose noon was at three.
    expect(list[0].dt).toBe(Date.parse('2026-04-15T03:00:00Z') / 1000);
    expect(list[6].dt - list[0].dt).toBe(6 * 24 * hour);
  });

  test('a clock that is put forward does not move the noon of the civil day', () => {
    const beforeTheChangeMs = Date.parse('2026-03-27T12:00:00Z');
    const { list } = jsonOf(path, 'q=Berlin&cnt=5', beforeTheChangeMs);
    expect(list.map(({ dt }: { dt: number }) => new Date(dt * 1000).toISOString().slice(5, 16))).toEqual([
      '03-27T11:00',
      '03-28T11:00',
      '03-29T10:00',
      '03-30T10:00',
      '03-31T10:00',
    ]);
  });

  test.each(['0', '18', 'x', '-1', '1.5'])('%s days are refused in the words of the API', (cnt) => {
    const { status, body } = answerOf(path, `q=London&cnt=${cnt}`);
    expect({ status, body }).toEqual({ status: 400, body: '{"cod":"400","message":"cnt from 1 to 17"}' });
  });

  test('the lowest and the highest temperature hold the others between them', () => {
    fc.assert(
      fc.property(anyCity, (city) => {
        for (const { temp, sunrise, sunset } of jsonOf(path, `id=${city.id}&cnt=17`).list) {
          const parts = [temp.morn, temp.day, temp.eve, temp.night];
          expect(Math.min(...parts)).toBeGreaterThanOrEqual(temp.min);
          expect(Math.max(...parts)).toBeLessThanOrEqual(temp.max);
          if (sunrise) expect(sunset).toBeGreaterThan(sunrise);
        }
      }),
      { numRuns: 15 },
    );
  });
});

test('the units of a forecast are those of the weather', () => {
  const [kelvin, celsius, fahrenheit] = ['standard', 'metric', 'imperial'].map(
    (units) => jsonOf('/data/2.5/forecast', `id=${cityNamed('Oslo').id}&units=${units}`).list[0],
  );
  expect(kelvin.main.temp).toBeCloseTo(celsius.main.temp + 273.15, 1);
  expect(fahrenheit.main.temp).toBeCloseTo(celsius.main.temp * 1.8 + 32, 1);
  expect(fahrenheit.wind.speed).toBeCloseTo(celsius.wind.speed * 2.237, 1);
  expect(kelvin.wind).toEqual(celsius.wind);
});
