import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerOf, jsonOf, mockCities, mockNowMs, mockSeed } from '../tests/support/mock-routes.ts';
import { publicationLagSeconds } from './publication.ts';

const onecall = '/data/3.0/onecall';
const hour = 3_600;
const nowSeconds = Math.floor(mockNowMs / 1000);
const parts = ['current', 'minutely', 'hourly', 'daily', 'alerts'];
const anyCity = fc.constantFrom(...mockCities);

describe('One Call', () => {
  test('tells the place asked for, and the zone of its nearest city', () => {
    const { lat, lon, timezone, timezone_offset } = jsonOf(onecall, 'lat=51.123456&lon=-0.5');
    expect({ lat, lon, timezone, timezone_offset }).toEqual({
      lat: 51.1235,
      lon: -0.5,
      timezone: 'Europe/London',
      timezone_offset: 3_600,
    });
  });

  test('begins with the minute, the hour and the day under way', () => {
    const { minutely, hourly, daily } = jsonOf(onecall, 'lat=51.5&lon=0');
    expect(minutely[0].dt).toBe(Math.floor(nowSeconds / 60 + 1) * 60);
    expect(hourly[0].dt).toBe(Math.floor(nowSeconds / hour) * hour);
    expect(hourly[47].dt - hourly[0].dt).toBe(47 * hour);
    expect(daily[0].dt).toBe(Date.parse('2026-04-15T11:00:00Z') / 1000);
  });

  test('leaves out what is excluded and nothing else', () => {
    fc.assert(
      fc.property(fc.subarray(parts), (excluded) => {
        const answer = jsonOf(onecall, `lat=51.5&lon=0&exclude=${excluded.join(',')}`);
        for (const part of parts.filter((name) => name !== 'alerts')) {
          expect(part in answer).toBe(!excluded.includes(part));
        }
        if (excluded.includes('alerts')) expect(answer).not.toHaveProperty('alerts');
      }),
    );
  });

  test('its present is that of the current weather', () => {
    fc.assert(
      fc.property(anyCity, ({ id, lat, lon }) => {
        const { current } = jsonOf(onecall, `lat=${lat}&lon=${lon}&units=metric`);
        const weather = jsonOf('/data/2.5/weather', `id=${id}&units=metric`);
        expect(current).toMatchObject({
          dt: weather.dt,
          temp: weather.main.temp,
          humidity: weather.main.humidity,
          wind_speed: weather.wind.speed,
          weather: weather.weather,
        });
        expect(current.dew_point).toBeLessThanOrEqual(current.temp);
        if (current.weather[0].icon.endsWith('n')) expect(current.uvi).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  test('warns of what its own hours hold, and of nothing else', () => {
    const wind = { found: 0, missing: 0 };
    for (const { lat, lon } of mockCities) {
      const { hourly, alerts = [] } = jsonOf(onecall, `lat=${lat}&lon=${lon}&units=metric`);
      const strong = hourly.filter((row: { wind_gust?: number }) => (row.wind_gust ?? 0) >= 18);
      const warned = alerts.filter(({ tags }: { tags: string[] }) => tags.includes('Wind'));
      expect(warned).toHaveLength(strong.length > 0 ? 1 : 0);
      if (strong.length > 0)
        expect(warned[0]).toMatchObject({ start: strong[0].dt, end: strong.at(-1).dt + hour });
      wind[strong.length > 0 ? 'found' : 'missing'] += 1;
    }
    expect(wind.missing).toBeGreaterThan(0);
  });
});

describe('the time machine', () => {
  test('at the time of an observation it tells what was served', () => {
    fc.assert(
      fc.property(anyCity, fc.nat(100 * 24 * hour), ({ id, lat, lon }, ago) => {
        const then = (nowSeconds - ago) * 1000;
        const { dt, main, weather } = jsonOf('/data/2.5/weather', `id=${id}`, then);
        expect(dt + publicationLagSeconds({ seed: mockSeed, cityId: id }, dt)).toBeLessThanOrEqual(
          then / 1000,
        );
        const { data } = jsonOf(`${onecall}/timemachine`, `lat=${lat}&lon=${lon}&dt=${dt}`);
        expect(data).toMatchObject([{ dt, temp: main.temp, pressure: main.pressure, weather }]);
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ['dt=283996799', 'requested time is out of allowed range'],
    [`dt=${nowSeconds + 4 * 86_400 + 1}`, 'requested time is out of allowed range'],
    ['', 'wrong dt'],
    ['dt=1e9', 'wrong dt'],
    [`dt=${mockNowMs}`, 'wrong dt'],
  ])('"%s" is refused: %s', (query, message) => {
    const { status, body } = answerOf(`${onecall}/timemachine`, `lat=1&lon=1&${query}`);
    expect({ status, body: JSON.parse(body) }).toEqual({ status: 400, body: { cod: '400', message } });
  });
});

describe('the summary of a day', () => {
  const summary = `${onecall}/day_summary`;

  test('is the day in the zone of the city, or in the one given', () => {
    const own = jsonOf(summary, 'lat=35.7&lon=139.7&date=2026-03-04&units=metric');
    expect(own).toMatchObject({ lat: 35.7, lon: 139.7, tz: '+09:00', date: '2026-03-04', units: 'metric' });
    const noon = Date.parse('2026-03-04T12:00:00+09:00') / 1000;
    const { data } = jsonOf(`${onecall}/timemachine`, `lat=35.7&lon=139.7&dt=${noon}&units=metric`);
    expect(own.temperature.afternoon).toBe(data[0].temp);
    const inUtc = jsonOf(summary, 'lat=35.7&lon=139.7&date=2026-03-04&tz=%2B00:00');
    expect(inUtc.tz).toBe('+00:00');
    expect(inUtc.temperature.afternoon).not.toBe(own.temperature.afternoon);
    expect(jsonOf(summary, 'lat=35.7&lon=139.7&date=2026-03-04&tz=-03:30').tz).toBe('-03:30');
  });

  test.each([
    ['', 'wrong date'],
    ['date=2026-02-30', 'wrong date'],
    ['date=04-03-2026', 'wrong date'],
    ['date=1978-12-31', 'requested time is out of allowed range'],
    ['date=2028-01-01', 'requested time is out of allowed range'],
    ['date=2026-03-04&tz=CET', 'wrong tz'],
    ['date=2026-03-04&tz=%2B25:00', 'wrong tz'],
  ])('"%s" is refused: %s', (query, message) => {
    expect(JSON.parse(answerOf(summary, `lat=1&lon=1&${query}`).body)).toEqual({ cod: '400', message });
  });
});

test('the overview knows today and tomorrow', () => {
  const overview = `${onecall}/overview`;
  expect(jsonOf(overview, 'lat=51.5&lon=0&units=metric')).toMatchObject({
    date: '2026-04-15',
    tz: '+01:00',
    weather_overview: expect.stringMatching(/^Expect .+ degrees celsius at noon/),
  });
  expect(jsonOf(overview, 'lat=51.5&lon=0&date=2026-04-16').date).toBe('2026-04-16');
  expect(answerOf(overview, 'lat=51.5&lon=0&date=2026-04-17').status).toBe(400);
});
