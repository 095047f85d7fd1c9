import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inUnits, unitSystemOf } from './units.ts';
import { weatherAt } from './weather.ts';

const london = {
  id: 2643743,
  name: 'London',
  country: 'GB',
  lat: 51.5085,
  lon: -0.1257,
  timezone: 'Europe/London',
};
const weather = {
  ...weatherAt({ seed: 'hourglass', city: london, atSeconds: 1_767_225_600 }),
  main: {
    temp: 10,
    feels_like: -40,
    temp_min: 0,
    temp_max: 20,
    pressure: 1013,
    humidity: 50,
    sea_level: 1013,
    grnd_level: 1010,
  },
  wind: { speed: 10, deg: 90, gust: 20 },
};

describe('units', () => {
  test('an absent or unknown parameter means standard', () => {
    expect(
      [null, '', 'kelvin', 'standard', 'metric', 'imperial'].map((units) => unitSystemOf(units).name),
    ).toEqual(['standard', 'standard', 'standard', 'standard', 'metric', 'imperial']);
  });

  test('metric is the weather itself', () => {
    expect(inUnits(weather, unitSystemOf('metric'))).toEqual(weather);
  });

  test('standard is in kelvin and metres a second', () => {
    const { main, wind } = inUnits(weather, unitSystemOf('standard'));
    expect(main).toMatchObject({
      temp: 283.15,
      feels_like: 233.15,
      temp_min: 273.15,
      temp_max: 293.15,
      pressure: 1013,
    });
    expect(wind).toEqual(weather.wind);
  });

  test('imperial is in Fahrenheit and miles an hour', () => {
    const { main, wind } = inUnits(weather, unitSystemOf('imperial'));
    expect(main).toMatchObject({ temp: 50, feels_like: -40, temp_min: 32, temp_max: 68, pressure: 1013 });
    expect(wind).toEqual({ speed: 22.37, deg: 90, gust: 44.74 });
  });

  test('no unit makes an absent gust appear', () => {
    fc.assert(
      fc.property(fc.constantFrom('standard', 'metric', 'imperial'), (units) => {
        expect(
          inUnits({ ...weather, wind: { speed: 1, deg: 2 } }, unitSystemOf(units)).wind,
        ).not.toHaveProperty('gust');
      }),
    );
  });
});
