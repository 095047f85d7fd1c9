import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startMock } from '../mock/server.ts';
import { mockCities, mockNowMs, mockSeed, mockStepSeconds } from '../tests/support/mock-routes.ts';
import { createOpenWeatherMapClient } from './openweathermap.ts';
import {
  CityNotFoundError,
  InvalidPayloadError,
  OpenWeatherMapError,
  PlanMissingError,
  RateLimitedError,
  SourceNetworkError,
  SourceServerError,
  UnauthorizedError,
} from './openweathermap-errors.ts';

const apiKey = '0123456789abcdef0123456789abcdef';
const london = 2643743;
const from = new Date('2026-01-01T00:00:00Z');
const to = new Date('2026-01-01T02:00:00Z');
const weekMs = 7 * 24 * 3_600_000;

const rows = [
  { dt: 1_767_225_900, main: { temp: 7.5, humidity: 90 }, wind: { speed: 3 }, weather: [{ id: 500 }] },
  { dt: 1_767_229_500, main: { temp: 7.1, dew_point: 5 }, clouds: { all: 75 }, rain: { '3h': 2.7 } },
];
const historyBody = JSON.stringify({ message: '', cod: '200', city_id: london, calctime: 0.1, list: rows });
const currentBody = JSON.stringify({ id: london, dt: 1_767_225_600 });
const wrongKey = JSON.stringify({ cod: 401, message: 'Invalid API key. Please see the FAQ.' });

type Reply = readonly [status: number, body: string] | Error;

/** Answers for the history and for everything else, and remembers what was asked. */
function worldOf(history: Reply, elsewhere: Reply) {
  const urls: string[] = [];
  const client = createOpenWeatherMapClient({
    ...{ baseUrl: 'http://present', historyUrl: 'http://past/proxied/', apiKey, timeoutMs: 5_000 },
    fetch: async (input) => {
      urls.push(String(input));
      const reply = String(input).includes('/history/') ? history : elsewhere;
      if (reply instanceof Error) throw reply;
      return new Response(reply[1], { status: reply[0] });
    },
  });
  return { urls, history: () => client.history(london, from, to), client };
}

const unasked = new Error('nothing else was to be asked');

async function failureOf(history: Reply, elsewhere: Reply = unasked): Promise<OpenWeatherMapError> {
  const error = await worldOf(history, elsewhere)
    .history()
    .then(
      () => expect.unreachable('the call succeeded'),
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(OpenWeatherMapError);
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(apiKey.slice(0, 8));
  return error as OpenWeatherMapError;
}

describe('the history of a city', () => {
  test('is asked for at its own address, by the hour and in metric units', async () => {
    const world = worldOf([200, historyBody], unasked);
    await world.history();
    expect(world.urls).toEqual([
      `http://past/proxied/data/2.5/history/city?id=${london}&type=hour&start=1767225600&end=1767232800&units=metric&appid=${apiKey}`,
    ]);
  });

  test('is the text unchanged beside its typed reading, with fields nobody knows', async () => {
    const { body, history } = await worldOf([200, historyBody], unasked).history();
    expect(body).toBe(historyBody);
    expect(history).toEqual(JSON.parse(historyBody));
  });

  test.each([200, '200'])('may say %j for its success', async (cod) => {
    const body = JSON.stringify({ cod, list: [] });
    expect((await worldOf([200, body], unasked).history()).history).toEqual({ cod, list: [] });
  });

  test.each([
    ['more than a week', from, new Date(from.getTime() + weekMs + 1)],
    ['an end before its start', to, from],
    ['no date', new Date(Number.NaN), to],
  ])('of %s is not asked for', async (_, start, end) => {
    const world = worldOf([200, historyBody], unasked);
    await expect(world.client.history(london, start, end)).rejects.toThrow(RangeError);
    expect(world.urls).toEqual([]);
  });

  test.each([
    ['a whole week', new Date(from.getTime() + weekMs)],
    ['one moment', from],
  ])('of %s is asked for', async (_, end) => {
    const { client } = worldOf([200, historyBody], unasked);
    await expect(client.history(london, from, end)).resolves.toMatchObject({ body: historyBody });
  });
});

describe('an answer that is no history', () => {
  test.each([
    [
      'a time in milliseconds',
      [{ dt: 1 }, { dt: 1_767_225_900_000 }],
      'The field "list[1].dt" is 1767225900000',
    ],
    [
      'a temperature in words',
      [{ dt: 1, main: { temp: 'warm' } }],
      'The field "list[0].main.temp" is "warm"',
    ],
    ['no time', [{}], 'The field "list[0].dt" is missing'],
    ['no list', undefined, 'The field "list" is missing'],
  ])('with %s is permanent and the message names the field', async (_, list, words) => {
    const error = await failureOf([200, JSON.stringify({ cod: '200', city_id: london, list })]);
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect(error).toMatchObject({ retryable: false, subject: `the history of city ${london}` });
    expect(error.message).toContain(`the history of city ${london} is not a list of observations. ${words}`);
  });

  test('of another city is permanent', async () => {
    const error = await failureOf([200, JSON.stringify({ cod: '200', city_id: 7, list: rows })]);
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect(error.message).toContain(`for city 7 instead of the history of city ${london}`);
  });

  test('but half of one may be whole the next time', async () => {
    expect(await failureOf([200, historyBody.slice(0, 90)])).toMatchObject({
      code: 'INVALID_PAYLOAD',
      retryable: true,
    });
  });
});

describe('a history that is not given', () => {
  test.each([
    [404, CityNotFoundError, 'if every call fails so, check OPENWEATHERMAP_HISTORY_URL'],
    [429, RateLimitedError, 'lower the call rate'],
    [502, SourceServerError, 'retry later'],
  ])('with %i is told as what went wrong, and nothing else is asked', async (status, kind, words) => {
    const error = await failureOf([status, `{"cod":"${status}","message":"${apiKey}"}`]);
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(words);
  });

  test('because its host cannot be reached names the address of the history', async () => {
    const error = await failureOf(new TypeError(`fetch http://past?appid=${apiKey} failed`));
    expect(error).toBeInstanceOf(SourceNetworkError);
    expect(error.message).toContain('Check the network and OPENWEATHERMAP_HISTORY_URL');
  });
});

describe('a key that is refused for the history', () => {
  test('and answered elsewhere lacks the plan, with its remedies', async () => {
    const error = await failureOf([401, wrongKey], [200, currentBody]);
    expect(error).toBeInstanceOf(PlanMissingError);
    expect(error).toMatchObject({ code: 'PLAN_MISSING', retryable: false });
    expect(error.cause).toBeInstanceOf(UnauthorizedError);
    expect(error.message).toContain('its plan includes no history. Choose one that does at https://');
    expect(error.message).toContain('or take another input');
  });

  test('and refused elsewhere is a wrong key', async () => {
    const error = await failureOf([401, wrongKey], [401, wrongKey]);
    expect(error).toBeInstanceOf(UnauthorizedError);
    expect(error).toMatchObject({ retryable: false, subject: `the history of city ${london}` });
  });

  test('costs one more call, for the current weather of the city', async () => {
    const world = worldOf([401, wrongKey], [200, currentBody]);
    await expect(world.history()).rejects.toThrow(PlanMissingError);
    expect(world.urls.slice(1)).toEqual([
      `http://present/data/2.5/weather?id=${london}&units=metric&appid=${apiKey}`,
    ]);
  });

  test.each([
    [[503, ''] as const, SourceServerError],
    [[429, '{"cod":429,"message":"blocked"}'] as const, RateLimitedError],
    [new TypeError('fetch failed'), SourceNetworkError],
    [[404, '{"cod":"404","message":"city not found"}'] as const, CityNotFoundError],
  ])('while nothing can be concluded from elsewhere (%j) is not called wrong', async (elsewhere, kind) => {
    expect(await failureOf([401, wrongKey], elsewhere)).toBeInstanceOf(kind);
  });

  test('in the words of a plan needs no second call', async () => {
    const words = JSON.stringify({ cod: 401, message: 'This needs another subscription.' });
    expect(await failureOf([401, words])).toBeInstanceOf(PlanMissingError);
  });

  test('is not asked about further when the caller has cancelled meanwhile', async () => {
    const controller = new AbortController();
    const reason = new Error('the worker shuts down');
    const client = createOpenWeatherMapClient({
      ...{ baseUrl: 'http://present', historyUrl: 'http://past', apiKey, timeoutMs: 5_000 },
      fetch: async (input) => {
        expect(String(input)).toContain('/history/');
        controller.abort(reason);
        return new Response(wrongKey, { status: 401 });
      },
    });
    await expect(client.history(london, from, to, controller.signal)).rejects.toBe(reason);
  });
});

describe('the mock', () => {
  const historyWith = async (key: string) => {
    const mock = await startMock({
      ...{ port: 0, seed: mockSeed, stepSeconds: mockStepSeconds },
      ...{ cities: mockCities, now: () => mockNowMs },
    });
    const addresses = { baseUrl: mock.url, historyUrl: mock.url };
    const client = createOpenWeatherMapClient({ ...addresses, apiKey: key, timeoutMs: 5_000 });
    const end = new Date(mockNowMs);
    return client.history(london, new Date(mockNowMs - weekMs), end).finally(() => mock.close());
  };

  test('gives an observation for each hour of a week', async () => {
    const { history } = await historyWith('any');
    expect(history.city_id).toBe(london);
    expect(history.list.length).toBeGreaterThanOrEqual(167);
    expect(history.list.length).toBeLessThanOrEqual(169);
  });

  test.each([
    ['free', PlanMissingError],
    ['bad', UnauthorizedError],
  ])('refuses the key "%s" as the API does, and is understood', async (key, kind) => {
    await expect(historyWith(key)).rejects.toThrow(kind);
  });
});
