/** Client libraries of other hands, as their packages hold them, against the mock in the place of api.openweathermap.org. */
import { createRequire } from 'node:module';
import { OpenWeatherAPI } from 'openweather-api-node';
import type openWeatherMapTs from 'openweathermap-ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cityNamed, mockCities, mockNowMs, mockSeed, mockStepSeconds } from '../tests/support/mock-routes.ts';
import { redirectHost } from '../tests/support/redirected-host.ts';
import { newestObservationTime } from './publication.ts';
import { type Mock, startMock } from './server.ts';
import { type MockWeather, weatherAt } from './weather.ts';

// Two of them are CommonJS with a default export of their own, which the test runner would unwrap and Node does not.
const require = createRequire(import.meta.url);
const openWeatherApis = require('openweather-apis');
const { default: OpenWeatherMap } = require('openweathermap-ts') as typeof openWeatherMapTs;

const london = cityNamed('London');
const hour = 3_600;
const nowSeconds = Math.floor(mockNowMs / 1000);

function truthOf(city = london): MockWeather {
  const question = { seed: mockSeed, stepSeconds: mockStepSeconds };
  const atSeconds = newestObservationTime({ ...question, cityId: city.id, atSeconds: mockNowMs / 1000 });
  return weatherAt({ ...question, city, atSeconds });
}

let mock: Mock;
let stopRedirecting: () => void;
beforeAll(async () => {
  mock = await startMock({
    port: 0,
    seed: mockSeed,
    stepSeconds: mockStepSeconds,
    cities: mockCities,
    now: () => mockNowMs,
  });
  stopRedirecting = redirectHost('api.openweathermap.org', mock.port);
});
afterAll(async () => {
  stopRedirecting();
  await mock.close();
});

describe('openweather-api-node', () => {
  const client = new OpenWeatherAPI({ key: 'any', locationName: 'London,GB', units: 'metric' });

  test.each([
    ['name', { locationName: 'London' }],
    ['postal code', { zipCode: 'E14,GB' }],
    ['coordinates', { coordinates: { lat: 51.5085, lon: -0.1257 } }],
  ])('reads the current weather by %s', async (_by, location) => {
    const { main, wind, dt } = truthOf();
    const current = await new OpenWeatherAPI({ key: 'any', units: 'metric', ...location }).getCurrent();
    expect(current).toMatchObject({
      dtRaw: dt,
      weather: { temp: { cur: main.temp }, humidity: main.humidity, wind: { speed: wind.speed } },
    });
  });

  test('reads the forecast', async () => {
    const forecast = await client.getForecast();
    expect(forecast).toHaveLength(40);
    expect(forecast[0]).toMatchObject({ lat: london.lat, lon: london.lon });
    expect(forecast[1]!.dtRaw - forecast[0]!.dtRaw).toBe(3 * hour);
    expect(forecast.every(({ weather }) => Number.isFinite(weather.temp.cur))).toBe(true);
  });

  test('reads every part of One Call', async () => {
    const everything = await client.getEverything();
    expect(everything).toMatchObject({ timezone: 'Europe/London', timezoneOffset: hour });
    expect(everything.current.weather.temp.cur).toBe(truthOf().main.temp);
    expect([everything.minutely, everything.hourly, everything.daily].map(({ length }) => length)).toEqual([
      60, 48, 8,
    ]);
    expect(await client.getMinutelyForecast()).toEqual(everything.minutely);
    expect(await client.getHourlyForecast()).toEqual(everything.hourly);
    expect(await client.getDailyForecast(Number.POSITIVE_INFINITY, true)).toEqual(everything.daily);
    expect(await client.getToday()).toEqual(everything.daily[0]);
    expect(await client.getAlerts()).toEqual(everything.alerts ?? []);
    for (const { weather, astronomical } of everything.daily) {
      expect(weather.temp.min).toBeLessThanOrEqual(weather.temp.max);
      expect(astronomical.sunset.getTime()).toBeGreaterThan(astronomical.sunrise.getTime());
      expect(Number.isFinite(astronomical.moonrise.getTime())).toBe(true);
      expect(weather.summary).toMatch(/^Expect a day of /);
    }
  });

  test('reads the time machine', async () => {
    const { dt, main } = truthOf();
    const history = await client.getHistory(new Date(dt * 1000));
    expect(history).toMatchObject({ dtRaw: dt, weather: { temp: { cur: main.temp } } });
  });

  test('reads the air pollution', async () => {
    const now = await client.getCurrentAirPollution();
    const forecast = await client.getForecastedAirPollution();
    expect(now.components).toEqual(forecast[0]!.components);
    expect(forecast).toHaveLength(96);
    expect(Object.values(now.components).every(Number.isFinite)).toBe(true);
    const history = await client.getHistoryAirPollution(
      new Date((nowSeconds - 24 * hour) * 1000),
      new Date(nowSeconds * 1000),
    );
    expect(history).toHaveLength(24);
  });

  test('reads the geocoder', async () => {
    expect(await client.getLocation()).toMatchObject({ name: 'London', country: 'GB' });
    expect(await client.getAllLocations('Denver')).toMatchObject([{ name: 'Denver', state: 'Colorado' }]);
    await expect(client.getCurrent({ locationName: 'Atlantis' })).rejects.toThrow('Unknown location name');
  });

  test('understands a refusal', async () => {
    const wrongKey = new OpenWeatherAPI({ key: 'bad', coordinates: { lat: 0, lon: 0 } });
    await expect(wrongKey.getCurrent()).rejects.toThrow('Invalid API key');
    await expect(client.getHistory(0)).rejects.toThrow('out of allowed range');
  });
});

describe('openweather-apis', () => {
  const asked = <Answer>(method: string, ...args: unknown[]): Promise<Answer> =>
    new Promise((resolve, reject) => {
      openWeatherApis[method](...args, (error: Error | null, answer: Answer) =>
        error ? reject(error) : resolve(answer),
      );
    });

  beforeAll(() => {
    openWeatherApis.setAPPID('any');
    openWeatherApis.setUnits('metric');
    openWeatherApis.setLang('it');
    openWeatherApis.setCity('London');
  });

  test('reads single figures of the current weather', async () => {
    const { main } = truthOf();
    expect(await asked('getTemperature')).toBe(main.temp);
    expect(await asked('getPressure')).toBe(main.pressure);
    expect(await asked('getHumidity')).toBe(main.humidity);
    expect(await asked('getDescription')).toEqual(expect.any(String));
    expect(await asked('getSmartJSON')).toMatchObject({
      temp: main.temp,
      weathercode: truthOf().weather[0]!.id,
    });
  });

  test.each([
    ['setCity', 'São Paulo', 'São Paulo'],
    ['setCityId', 3143244, 'Oslo'],
    ['setZipCode', '10001,us', 'New York'],
  ])('finds a place by %s', async (setter, value, name) => {
    openWeatherApis[setter](value);
    try {
      expect(await asked('getAllWeather')).toMatchObject({ name, main: truthOf(cityNamed(name)).main });
    } finally {
      openWeatherApis.setCityId(undefined);
      openWeatherApis.setZipCode(undefined);
      openWeatherApis.setCity('London');
    }
  });

  test('reads the forecasts by three hours, by days and by hours', async () => {
    expect(await asked('getWeatherForecast')).toMatchObject({ cnt: 40, city: { name: 'London' } });
    expect(await asked('getWeatherForecastForDays', 3)).toMatchObject({ cnt: 3 });
    expect(await asked('getWeatherForecastForHours', 5)).toMatchObject({ cnt: 5 });
  });

  test('reads One Call, by its old path', async () => {
    openWeatherApis.setCoordinate(london.lat, london.lon);
    const answer = await asked<Record<string, unknown[]>>('getWeatherOneCall');
    openWeatherApis.setCoordinate(undefined, undefined);
    expect(Object.keys(answer)).toEqual(
      expect.arrayContaining(['lat', 'lon', 'timezone', 'current', 'daily']),
    );
    expect(answer).not.toHaveProperty('hourly');
    expect(answer['daily']).toHaveLength(8);
  });

  test('understands a refusal', async () => {
    openWeatherApis.setCity('Atlantis');
    await expect(asked('getAllWeather')).rejects.toThrow('city not found');
    openWeatherApis.setCity('London');
  });
});

describe('openweathermap-ts', () => {
  const client = new OpenWeatherMap({ apiKey: 'any', units: 'metric' });

  test('reads the current weather by name, by id, by coordinates and by postal code', async () => {
    const truth = truthOf();
    const answers = await Promise.all([
      client.getCurrentWeatherByCityName({ cityName: 'London', countryCode: 'GB' }),
      client.getCurrentWeatherByCityId(london.id),
      client.getCurrentWeatherByGeoCoordinates(london.lat, london.lon),
    ]);
    expect(answers).toEqual([truth, truth, truth]);
    expect(await client.getCurrentWeatherByZipcode(10001, 'US')).toEqual(truthOf(cityNamed('New York')));
    const denver = { cityName: 'Denver', state: 'CO', countryCode: 'US' } as const;
    expect(await client.getCurrentWeatherByCityName(denver)).toEqual(truthOf(cityNamed('Denver')));
  });

  test('reads the forecast in each of these ways', async () => {
    const [first, ...others] = await Promise.all([
      client.getThreeHourForecastByCityName({ cityName: 'New York' }),
      client.getThreeHourForecastByCityId(5128581),
      client.getThreeHourForecastByGeoCoordinates(40.7143, -74.006),
      client.getThreeHourForecastByZipcode(10001, 'US'),
    ]);
    expect(first).toMatchObject({ cod: '200', cnt: 40, city: { id: 5128581, name: 'New York' } });
    expect(others).toEqual([first, first, first]);
  });

  test('gets a refusal as the API words it', async () => {
    expect(await client.getCurrentWeatherByCityId(1)).toEqual({ cod: '404', message: 'city not found' });
  });
});
