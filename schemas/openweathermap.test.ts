import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  apiErrorSchema,
  currentWeatherSchema,
  describeIssue,
  parseCityHistory,
  parseCityHistoryRow,
  parseCurrentWeather,
} from './openweathermap.ts';

const london = {
  coord: { lon: -0.1257, lat: 51.5085 },
  weather: [
    { id: 500, main: 'Rain', description: 'light rain', icon: '10d' },
    { id: 701, main: 'Mist', description: 'mist', icon: '50d' },
  ],
  base: 'stations',
  main: { temp: 11.2, feels_like: 10.6, temp_min: 10.1, temp_max: 12, pressure: 1012, humidity: 88 },
  visibility: 4500,
  wind: { speed: 4.1, deg: 250, gust: 8.2 },
  clouds: { all: 90 },
  rain: { '1h': 0.4 },
  dt: 1_764_000_000,
  sys: { type: 2, id: 2075535, country: 'GB', sunrise: 1_763_969_700, sunset: 1_764_000_100 },
  timezone: 0,
  id: 2643743,
  name: 'London',
  cod: 200,
};

function issueOf(value: unknown): string {
  const result = parseCurrentWeather(value);
  if (result.success) throw new Error('the value was accepted');
  return describeIssue(result.error);
}

describe('currentWeatherSchema', () => {
  test('a full answer is accepted unchanged', () => {
    expect(currentWeatherSchema.parse(london)).toEqual(london);
  });

  test('an answer with only its key is accepted', () => {
    expect(currentWeatherSchema.parse({ id: 1, dt: 1 })).toEqual({ id: 1, dt: 1 });
  });

  test('unknown fields pass through at every level', () => {
    const extended = {
      id: 1,
      dt: 1,
      uv: 3,
      main: { temp: 1, dew_point: 0 },
      weather: [{ id: 800, severity: 'none' }],
      rain: { '1h': 1, '24h': 9 },
    };
    expect(currentWeatherSchema.parse(extended)).toEqual(extended);
  });

  test('a missing key field is refused', () => {
    expect(issueOf({ dt: 1 })).toBe('The field "id" is missing, expected a positive safe integer.');
    expect(issueOf({ id: 1 })).toMatch(/^The field "dt" is missing, expected Unix seconds/);
  });

  test('a dt in milliseconds is refused', () => {
    expect(issueOf({ id: 1, dt: 1_764_000_000_000 })).toBe(
      'The field "dt" is 1764000000000, expected Unix seconds (not milliseconds) between 1 and 7258118400, the year 2200.',
    );
  });

  test('every present-day time in seconds is accepted and the same time in milliseconds is not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000_000_000, max: 4_000_000_000 }), (dt) => {
        expect(parseCurrentWeather({ id: 1, dt }).success).toBe(true);
        expect(parseCurrentWeather({ id: 1, dt: dt * 1000 }).success).toBe(false);
      }),
    );
  });

  test.each([0, -5, 1.5, 2 ** 53, '2643743', null])('the id %j is refused', (id) => {
    expect(issueOf({ id, dt: 1 })).toContain('The field "id" is');
  });

  test('a present field of the wrong type is refused', () => {
    expect(issueOf({ id: 1, dt: 1, main: { temp: null } })).toBe(
      'The field "main.temp" is null, expected number.',
    );
    expect(issueOf({ id: 1, dt: 1, weather: [{ id: 800 }, { main: 7 }] })).toBe(
      'The field "weather[1].main" is 7, expected string.',
    );
    expect(issueOf({ id: 1, dt: 1, cod: {} })).toBe('The field "cod" is {}, expected number or string.');
  });

  test('a number too large for JavaScript is refused', () => {
    expect(issueOf(JSON.parse('{"id":1,"dt":1,"visibility":1e999}'))).toBe(
      'The field "visibility" is Infinity, expected number.',
    );
  });

  test.each([null, [], 'text', 7])('the document %j is refused as a whole', (document) => {
    expect(issueOf(document)).toBe(`The document is ${JSON.stringify(document)}, expected object.`);
  });
});

describe('the history of a city', () => {
  const row = { dt: 1_764_000_000, main: { temp: 1, dew_point: 0 }, rain: { '3h': 2 }, uv: 3 };
  const answer = { message: '', cod: '200', city_id: 1, calctime: 0.1, cnt: 1, list: [row] };

  test('is accepted unchanged, with fields that are unknown at every level', () => {
    expect(parseCityHistory(answer).data).toEqual(answer);
    expect(parseCityHistory({ list: [] }).data).toEqual({ list: [] });
    expect(parseCityHistoryRow({ ...row, city_id: 1 }).data).toEqual({ ...row, city_id: 1 });
  });

  test.each([
    [{ ...answer, list: undefined }, 'The field "list" is missing, expected array.'],
    [{ ...answer, list: [row, {}] }, /^The field "list\[1\]\.dt" is missing, expected Unix seconds/],
    [{ ...answer, list: [{ ...row, wind: 5 }] }, 'The field "list[0].wind" is 5, expected object.'],
    [{ ...answer, city_id: 'x' }, 'The field "city_id" is "x", expected a positive safe integer.'],
    [{ ...answer, cod: null }, 'The field "cod" is null, expected number or string.'],
  ])('%j is refused by the field that is wrong', (value, words) => {
    const { error } = parseCityHistory(value);
    expect(error && describeIssue(error)).toEqual(
      words instanceof RegExp ? expect.stringMatching(words) : words,
    );
  });

  test('a row outside its answer needs its city', () => {
    const { error } = parseCityHistoryRow(row);
    expect(error && describeIssue(error)).toBe(
      'The field "city_id" is missing, expected a positive safe integer.',
    );
  });
});

describe('describeIssue', () => {
  test('a long value is cut to 60 characters', () => {
    const sentence = issueOf({ id: 'x'.repeat(500), dt: 1 });
    expect(sentence).toBe(`The field "id" is "${'x'.repeat(58)}…, expected a positive safe integer.`);
  });

  test('a value that was not reported is not invented', () => {
    const { error } = currentWeatherSchema.safeParse({ id: 'x', dt: 1 });
    expect(error && describeIssue(error)).toBe('The field "id" is wrong, expected a positive safe integer.');
  });

  test('any JSON in any place gives one short sentence', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (id, main) => {
        const result = parseCurrentWeather({ id, dt: 1, main });
        if (!result.success) expect(describeIssue(result.error).length).toBeLessThan(250);
      }),
    );
  });
});

describe('apiErrorSchema', () => {
  test('cod may be a number or a string', () => {
    expect(apiErrorSchema.safeParse({ cod: 401, message: 'Invalid API key.' }).success).toBe(true);
    expect(apiErrorSchema.safeParse({ cod: '404', message: 'city not found' }).success).toBe(true);
    expect(apiErrorSchema.safeParse({ message: 'city not found' }).success).toBe(false);
  });
});
