import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { createOpenWeatherMapClient } from '../clients/openweathermap.ts';
import { loadCities } from './cities.ts';
import { newestObservationTime } from './publication.ts';
import { type Mock, type MockOptions, startMock } from './server.ts';
import { weatherAt } from './weather.ts';

const cities = loadCities(fileURLToPath(new URL('../sql/seed/locations.csv', import.meta.url)));
const london = cities.find((city) => city.id === 2643743)!;
const seed = 'hourglass';
const stepSeconds = 600;
const nowMs = Date.parse('2026-01-01T12:34:56.789Z');

const mocks: Mock[] = [];
afterEach(async () => {
  await Promise.all(mocks.splice(0).map((mock) => mock.close()));
});

async function start(options: Partial<MockOptions> = {}): Promise<Mock> {
  const mock = await startMock({ port: 0, seed, stepSeconds, cities, now: () => nowMs, ...options });
  mocks.push(mock);
  return mock;
}

async function ask(mock: Mock, target: string) {
  const response = await fetch(`${mock.url}${target}`);
  return { status: response.status, body: await response.text(), type: response.headers.get('content-type') };
}

describe('/data/2.5/weather', () => {
  test('answers with the weather of the city at the moment, in the units asked for', async () => {
    const mock = await start();
    const { status, body, type } = await ask(mock, '/data/2.5/weather?id=2643743&units=metric&appid=k');
    expect({ status, type }).toEqual({ status: 200, type: 'application/json; charset=utf-8' });
    const atSeconds = newestObservationTime({
      seed,
      cityId: london.id,
      atSeconds: nowMs / 1000,
      stepSeconds,
    });
    expect(JSON.parse(body)).toEqual(weatherAt({ seed, city: london, atSeconds, stepSeconds }));
  });

  test('answers in kelvin without units and in Fahrenheit when imperial', async () => {
    const mock = await start();
    const tempIn = async (units: string) =>
      JSON.parse((await ask(mock, `/data/2.5/weather?q=London&appid=k${units}`)).body).main.temp as number;
    const celsius = await tempIn('&units=metric');
    expect(await tempIn('')).toBeCloseTo(celsius + 273.15, 1);
    expect(await tempIn('&units=imperial')).toBeCloseTo(celsius * 1.8 + 32, 1);
  });

  test('the key may be named in upper case, and any but "bad" is welcome', async () => {
    const mock = await start();
    expect((await ask(mock, '/data/2.5/weather?id=2643743&APPID=any')).status).toBe(200);
    for (const key of ['', '&appid=', '&appid=bad', '&APPID=bad']) {
      const { status, body } = await ask(mock, `/data/2.5/weather?id=2643743${key}`);
      expect(status).toBe(401);
      expect(body).toBe(
        '{"cod":401, "message": "Invalid API key. Please see https://openweathermap.org/faq#error401 for more info."}',
      );
    }
  });

  test.each([
    ['/data/2.5/weather?id=1&appid=k', 404, '{"cod":"404","message":"city not found"}'],
    ['/data/2.5/weather?id=x&appid=k', 400, '{"cod":"400","message":"x is not a city ID"}'],
    ['/data/2.5/weather?appid=k', 400, '{"cod":"400","message":"Nothing to geocode"}'],
    ['/data/2.5/elsewhere?appid=k', 404, '{"cod":"404","message":"Internal error"}'],
    ['/', 404, '{"cod":"404","message":"Internal error"}'],
  ])('%s is refused with %i', async (target, status, body) => {
    expect(await ask(await start(), target)).toEqual({
      status,
      body,
      type: 'application/json; charset=utf-8',
    });
  });

  test('a target that is no URL is answered too', async () => {
    const mock = await start();
    const [response] = (await once(get({ port: mock.port, path: '//' }), 'response')) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(404);
  });

  test('a fault of the mock itself is a 500 with its reason', async () => {
    const mock = await start({ cities: [{ ...london, timezone: 'Mars/Olympus' }] });
    const { status, body } = await ask(mock, '/data/2.5/weather?id=2643743&appid=k');
    expect(status).toBe(500);
    expect(body).toContain('Mars/Olympus');
  });

  test("the project's client reads it", async () => {
    const mock = await start();
    const client = createOpenWeatherMapClient({
      baseUrl: mock.url,
      historyUrl: mock.url,
      apiKey: 'k',
      timeoutMs: 5_000,
    });
    const { body, weather } = await client.currentWeather(2643743);
    expect(weather).toEqual(JSON.parse(body));
    await expect(client.currentWeather(1)).rejects.toMatchObject({ code: 'CITY_NOT_FOUND' });
  });
});

describe('served', () => {
  test('the same dt is served until the step of the city ends', async () => {
    let clockMs = nowMs;
    const mock = await start({ now: () => clockMs });
    for (let minute = 0; minute < 21; minute += 1) {
      await ask(mock, '/data/2.5/weather?id=2643743&appid=k');
      clockMs += 60_000;
    }
    const times = [...new Set(mock.served().map(({ dt }) => dt))];
    expect(times).toHaveLength(3);
    expect(times[1]! - times[0]!).toBe(stepSeconds);
  });
});

describe('the life of the mock', () => {
  test("a port in use rejects with Node's own error", async () => {
    const mock = await start();
    await expect(start({ port: mock.port })).rejects.toMatchObject({ code: 'EADDRINUSE', port: mock.port });
  });

  test('a step that is no number of seconds is refused at once', async () => {
    await expect(start({ stepSeconds: 0 })).rejects.toThrow(/stepSeconds is 0/);
  });

  test('close cuts kept-alive and silent connections, frees the port and may be repeated', async () => {
    const mock = await start();
    const agent = new Agent({ keepAlive: true });
    const path = '/data/2.5/weather?id=2643743&appid=k';
    const [response] = (await once(get({ port: mock.port, path, agent }), 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    const silent = connect(mock.port, '127.0.0.1');
    await once(silent, 'connect');
    const cut = once(silent, 'close');
    await Promise.all([mock.close(), mock.close()]);
    await cut;
    agent.destroy();
    const again = await start({ port: mock.port });
    expect(again.port).toBe(mock.port);
  });

  test('an IPv6 host gives a URL that can be asked', async () => {
    const mock = await start({ host: '::1' }).catch((error: unknown) => error as NodeJS.ErrnoException);
    if (!('url' in mock)) return expect(mock.code).toMatch(/EADDRNOTAVAIL|EAFNOSUPPORT/);
    expect(mock.url).toBe(`http://[::1]:${mock.port}`);
    expect((await ask(mock, '/')).status).toBe(404);
  });
});
