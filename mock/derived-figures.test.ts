import { expect, test } from 'vitest';
import { dewPointC, ultravioletIndex } from './derived-figures.ts';

const air = (temp: number, humidity: number) => ({
  main: { temp, humidity, feels_like: 0, temp_min: 0, temp_max: 0, pressure: 0, sea_level: 0, grnd_level: 0 },
});

/** By the tables of the World Meteorological Organization, to a tenth. */
test.each([
  [20, 50, 9.3],
  [30, 80, 26.2],
  [0, 100, 0],
  [-10, 60, -16.2],
])('at %d °C and %i %% the dew point is %d °C', (temp, humidity, dewPoint) => {
  expect(dewPointC(air(temp, humidity))).toBeCloseTo(dewPoint, 0);
});

const equinoxNoon = Date.parse('2026-03-20T12:07:00Z') / 1000;

test('the ultraviolet index is high under the sun of the equator, less under clouds and nought at night', () => {
  const equator = { lat: 0, lon: 0 };
  const at = (dt: number, all: number) => ultravioletIndex({ dt, coord: equator, clouds: { all } });
  expect(at(equinoxNoon, 0)).toBeGreaterThan(11);
  expect(at(equinoxNoon, 100)).toBeLessThan(5);
  expect(at(equinoxNoon + 43_200, 0)).toBe(0);
});
