import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { createOpenWeatherMapClient, type OpenWeatherMapOptions } from './openweathermap.ts';
import {
  CityNotFoundError,
  InvalidPayloadError,
  OpenWeatherMapError,
  PlanMissingError,
  RateLimitedError,
  retryAfterMs,
  SourceNetworkError,
  SourceServerError,
  UnauthorizedError,
  UnexpectedStatusError,
} from './openweathermap-errors.ts';

const apiKey = '0123456789abcdef0123456789abcdef';
const london = 2643743;
const londonBody = `{"id":${london}, "dt":1764000000, "main":{"temp":11.20},"unknown":[1]}`;

const stops: (() => void)[] = [];
function stopServers(): void {
  for (const stop of stops.splice(0)) stop();
}
afterEach(stopServers);

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function clientOf(baseUrl: string, options: Partial<OpenWeatherMapOptions> = {}) {
  return createOpenWeatherMapClient({ baseUrl, historyUrl: baseUrl, apiKey, timeoutMs: 5_000, ...options });
}

const answer = (status: number, body: string, headers: Record<string, string> = {}) =>
  serve((_request, response) => response.writeHead(status, headers).end(body));

async function failureOf(
  baseUrl: string,
  options: Partial<OpenWeatherMapOptions> = {},
): Promise<OpenWeatherMapError> {
  const error = await clientOf(baseUrl, options)
    .currentWeather(london)
    .then(
      () => expect.unreachable('the call succeeded'),
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(OpenWeatherMapError);
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(apiKey.slice(0, 8));
  expect(JSON.stringify(error)).not.toContain(apiKey.slice(0, 8));
  expect((error as OpenWeatherMapError).subject).toBe(`city ${london}`);
  return error as OpenWeatherMapError;
}

describe('a successful call', () => {
  test('returns the text unchanged beside its typed reading', async () => {
    const received = await clientOf(await answer(200, londonBody)).currentWeather(london);
    expect(received.body).toBe(londonBody);
    expect(received.weather).toEqual(JSON.parse(londonBody));
  });

  test('asks for the city in metric units with the key', async () => {
    const urls: (string | undefined)[] = [];
    const baseUrl = await serve((request, response) => {
      urls.push(request.url);
      response.end(londonBody);
    });
    await clientOf(baseUrl).currentWeather(london);
    await clientOf(`${baseUrl}/proxied/`).currentWeather(london);
    const query = `id=${london}&units=metric&appid=${apiKey}`;
    expect(urls).toEqual([`/data/2.5/weather?${query}`, `/proxied/data/2.5/weather?${query}`]);
  });

  test('the client itself does not show its key', () => {
    expect(inspect(clientOf('http://127.0.0.1'), { depth: 20, showHidden: true })).not.toContain(apiKey);
  });
});

describe('a refused call', () => {
  test('401 says to check the key and is permanent', async () => {
    const body =
      '{"cod":401, "message": "Invalid API key. Please see https://openweathermap.org/faq#error401 for more info."}';
    const error = await failureOf(await answer(401, body));
    expect(error).toBeInstanceOf(UnauthorizedError);
    expect(error).toMatchObject({ name: 'UnauthorizedError', code: 'UNAUTHORIZED', retryable: false });
    expect(error.message).toContain('Check OPENWEATHERMAP_API_KEY');
  });

  test('401 that speaks of a subscription is a missing plan with its remedy', async () => {
    const body =
      '{"cod":401, "message": "Please note that using One Call 3.0 requires a separate subscription to the One Call by Call plan."}';
    const error = await failureOf(await answer(401, body));
    expect(error).toBeInstanceOf(PlanMissingError);
    expect(error).toMatchObject({ code: 'PLAN_MISSING', retryable: false });
    expect(error.message).toContain('subscribe at https://openweathermap.org/price');
  });

  test.each([
    [404, '{"cod":"404","message":"city not found"}'],
    [400, '{"cod":"400","message":"Invalid ID"}'],
  ])('%i is an unknown city and permanent', async (status, body) => {
    const error = await failureOf(await answer(status, body));
    expect(error).toBeInstanceOf(CityNotFoundError);
    expect(error).toMatchObject({ code: 'CITY_NOT_FOUND', retryable: false });
  });

  test('429 speaks of a subscription too and is a rate limit all the same', async () => {
    const body =
      '{"cod":429, "message": "Your account is temporary blocked due to exceeding of requests limitation of your subscription type."}';
    const error = await failureOf(await answer(429, body));
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: undefined });
  });

  test('429 carries the wait of a Retry-After header', async () => {
    const error = await failureOf(await answer(429, '{}', { 'retry-after': '17' }));
    expect(error).toMatchObject({ retryAfterMs: 17_000 });
  });

  test.each([
    [500, '{"cod":"500","message":"Internal error"}'],
    [502, '<html><body><h1>502 Bad Gateway</h1></body></html>'],
    [503, ''],
  ])('%i is retryable whatever its body', async (status, body) => {
    const error = await failureOf(await answer(status, body));
    expect(error).toBeInstanceOf(SourceServerError);
    expect(error).toMatchObject({ code: 'SOURCE_SERVER_ERROR', retryable: true, status });
  });

  test('a long page is cut in the message', async () => {
    const error = await failureOf(await answer(502, 'x'.repeat(100_000)));
    expect(error.message.length).toBeLessThan(400);
  });

  test.each([403, 418, 204])('%i is an undocumented status and permanent', async (status) => {
    const error = await failureOf(await answer(status, ''));
    expect(error).toBeInstanceOf(UnexpectedStatusError);
    expect(error).toMatchObject({ code: 'UNEXPECTED_STATUS', retryable: false, status });
  });
});

describe('a call without a whole answer', () => {
  test('a source that never answers times out', async () => {
    const error = await failureOf(await serve(() => undefined), { timeoutMs: 50 });
    expect(error).toBeInstanceOf(SourceNetworkError);
    expect(error).toMatchObject({ code: 'SOURCE_NETWORK_ERROR', retryable: true });
    expect(error.message).toContain('within 50 ms');
  });

  test('a source that stalls in the middle of the body times out', async () => {
    const baseUrl = await serve(
      (_request, response) => void response.writeHead(200).write(londonBody.slice(0, 9)),
    );
    const error = await failureOf(baseUrl, { timeoutMs: 50 });
    expect(error).toBeInstanceOf(SourceNetworkError);
    expect(error.message).toContain('within 50 ms');
  });

  test('a connection reset before the answer is a network error with its cause', async () => {
    const error = await failureOf(await serve((request) => request.socket.resetAndDestroy()));
    expect(error).toBeInstanceOf(SourceNetworkError);
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.message).toMatch(/ECONNRESET|UND_ERR_SOCKET/);
  });

  test('a connection reset in the middle of the body is a network error', async () => {
    const baseUrl = await serve((request, response) => {
      response.writeHead(200, { 'content-length': String(londonBody.length) });
      response.write(londonBody.slice(0, 9), () => request.socket.destroy());
    });
    expect(await failureOf(baseUrl)).toBeInstanceOf(SourceNetworkError);
  });

  test('a refused connection is a network error that names the reason', async () => {
    const baseUrl = await answer(200, londonBody);
    stopServers();
    const error = await failureOf(baseUrl);
    expect(error).toBeInstanceOf(SourceNetworkError);
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('an unknown host is a network error that names the reason', async () => {
    const error = await failureOf('http://hourglass.invalid');
    expect(error).toBeInstanceOf(SourceNetworkError);
    expect(error.message).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });

  test('408 is retryable', async () => {
    expect(await failureOf(await answer(408, ''))).toBeInstanceOf(SourceNetworkError);
  });
});

describe('an answer that is no observation', () => {
  test.each([londonBody.slice(0, 30), '<html>maintenance</html>', ''])(
    'the text %j is retryable and is kept for the dead letter',
    async (body) => {
      const error = await failureOf(await answer(200, body));
      expect(error).toBeInstanceOf(InvalidPayloadError);
      expect(error).toMatchObject({ code: 'INVALID_PAYLOAD', retryable: true, body });
    },
  );

  test('JSON of the wrong shape is permanent and the message names the field', async () => {
    const body = `{"id":${london},"dt":1764000000000}`;
    const error = await failureOf(await answer(200, body));
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect(error).toMatchObject({ retryable: false, body });
    expect(error.message).toContain('The field "dt" is 1764000000000, expected Unix seconds');
  });

  test('an answer for another city is permanent', async () => {
    const error = await failureOf(await answer(200, '{"id":7,"dt":1764000000}'));
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect(error).toMatchObject({ retryable: false });
    expect(error.message).toContain('for city 7 instead of city 2643743');
  });
});

describe('a question about a place', () => {
  const oslo = { name: 'Oslo', lat: 59.9133, lon: 10.739, country: 'NO', state: 'Oslo' };

  test('the weather at coordinates is that of whatever city is found there', async () => {
    const urls: (string | undefined)[] = [];
    const baseUrl = await serve((request, response) => {
      urls.push(request.url);
      response.end(londonBody);
    });
    const { weather, body } = await clientOf(baseUrl).currentWeatherAt({ lat: 51.5, lon: -0.12 });
    expect([weather.id, body]).toEqual([london, londonBody]);
    expect(urls).toEqual([`/data/2.5/weather?lat=51.5&lon=-0.12&units=metric&appid=${apiKey}`]);
  });

  test('a name is searched for, and its places come as they were given', async () => {
    const urls: (string | undefined)[] = [];
    const baseUrl = await serve((request, response) => {
      urls.push(request.url);
      response.end(JSON.stringify([oslo]));
    });
    expect(await clientOf(baseUrl).geocode('São Paulo,BR', 5)).toEqual([oslo]);
    expect(urls).toEqual([`/geo/1.0/direct?q=S%C3%A3o+Paulo%2CBR&limit=5&appid=${apiKey}`]);
    expect(await clientOf(await answer(200, '[]')).geocode('nowhere', 5)).toEqual([]);
  });

  test.each([
    [
      401,
      `{"cod":401,"message":"Invalid API key ${apiKey}."}`,
      UnauthorizedError,
      'Check OPENWEATHERMAP_API_KEY',
    ],
    [
      400,
      '{"cod":"400","message":"Nothing to geocode"}',
      CityNotFoundError,
      'Search for a name such as Oslo',
    ],
    [502, `<html>${apiKey}</html>`, SourceServerError, 'retry later'],
    [200, '{"cod":"200"}', InvalidPayloadError, 'is not a list of places. The document is {"cod":"200"}'],
    [200, '[{"name":"Oslo"}]', InvalidPayloadError, 'The field "[0].lat" is missing'],
    [200, `"${apiKey}`, InvalidPayloadError, 'is not JSON'],
  ])(
    '%i with the body %s is told as what went wrong with the search, without the key',
    async (status, body, kind, words) => {
      const error = await clientOf(await answer(status, body))
        .geocode('Oslo', 5)
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(kind);
      expect((error as OpenWeatherMapError).subject).toBe('the search "Oslo"');
      expect((error as Error).message).toContain('the search "Oslo"');
      expect((error as Error).message).toContain(words);
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(apiKey.slice(0, 8));
    },
  );

  test('coordinates that are refused are what is to be corrected', async () => {
    const call = clientOf(await answer(400, '{"cod":"400","message":"wrong latitude"}')).currentWeatherAt({
      lat: 91,
      lon: 0,
    });
    await expect(call).rejects.toThrow(
      'for the place at latitude 91, longitude 0: wrong latitude. Correct the latitude',
    );
  });
});

describe('the API key', () => {
  const echo = `https://api.openweathermap.org/data/2.5/weather?appid=${apiKey}`;

  test.each([
    ['a refusal', 401, JSON.stringify({ cod: 401, message: `Invalid API key ${apiKey}.` })],
    ['an escaped refusal', 401, `{"cod":401,"message":"\\u0030${apiKey.slice(1)}"}`],
    ['an undocumented status', 403, `<html>${echo}</html>`],
    ["a gateway's page", 502, `<html>${echo}</html>`],
    ['an answer that is no JSON', 200, `${echo} and ${apiKey}`],
    ['an answer cut within the key', 200, `"${apiKey}`],
    ['an answer of the wrong shape', 200, JSON.stringify({ id: echo, dt: 1 })],
    [
      'a value whose end is cut within the key',
      200,
      JSON.stringify({ id: `${'x'.repeat(45)}${apiKey}`, dt: 1 }),
    ],
  ])('is not repeated from %s', async (_name, status, body) => {
    await failureOf(await answer(status, body));
  });

  test('is not repeated from an exception, its causes and their properties', async () => {
    const cause = Object.assign(new Error(`connect to ${echo}`), { url: echo, request: { path: echo } });
    const fetch = () =>
      Promise.reject(Object.assign(new TypeError(`fetch ${echo} failed`, { cause }), { echo }));
    const error = await failureOf('http://127.0.0.1', { fetch });
    expect(error.message).toContain('connect to https://api.openweathermap.org/data/2.5/weather?appid=***');
  });

  test('is taken out in its encoded form too', async () => {
    const oddKey = 'k+/= ü';
    const fetch = (url: unknown) => Promise.reject(new TypeError(`Failed to parse URL from ${url}`));
    const error = await failureOf('http://127.0.0.1', { apiKey: oddKey, fetch });
    expect(error.message).toContain('appid=***');
  });
});

describe('a cancelled call', () => {
  test("rejects with the caller's own reason", async () => {
    const reason = new Error('the worker shuts down');
    const controller = new AbortController();
    const baseUrl = await serve(() => controller.abort(reason));
    await expect(clientOf(baseUrl).currentWeather(london, controller.signal)).rejects.toBe(reason);
  });

  test('is not made when the signal was aborted before', async () => {
    const reason = new Error('too late');
    const fetch = () => expect.unreachable('a request was made');
    const call = clientOf('http://127.0.0.1', { fetch }).currentWeather(london, AbortSignal.abort(reason));
    await expect(call).rejects.toBe(reason);
  });
});

describe('retryAfterMs', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z');

  test.each([
    [null, undefined],
    ['', undefined],
    ['0', 0],
    [' 120 ', 120_000],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
  ])('the header %j means %j', (header, expected) => {
    expect(retryAfterMs(header, nowMs)).toBe(expected);
  });
});
