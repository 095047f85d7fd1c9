import { describe, expect, test } from 'vitest';
import type { Atmosphere } from './atmosphere.ts';
import { conditionsOf } from './conditions.ts';

const fair: Atmosphere = {
  temperatureC: 15,
  humidityPercent: 60,
  seaLevelPressureHpa: 1013,
  groundPressureHpa: 1010,
  windSpeedMs: 3,
  windDegrees: 250,
  gustMs: undefined,
  cloudPercent: 0,
  rainMmPerHour: 0,
  snowMmPerHour: 0,
  thunder: false,
  visibilityM: 10_000,
};

const idsOf = (change: Partial<Atmosphere>) => conditionsOf({ ...fair, ...change }, true).map(({ id }) => id);

describe('conditionsOf', () => {
  test('a dry sky is named by its clouds, with the limits OpenWeatherMap gives', () => {
    expect(
      [0, 10, 11, 24, 25, 50, 51, 84, 85, 100].map((cloudPercent) => idsOf({ cloudPercent })[0]),
    ).toEqual([800, 800, 801, 801, 802, 802, 803, 803, 804, 804]);
  });

  test('the icon tells day from night', () => {
    expect(conditionsOf(fair, true)).toEqual([
      { id: 800, main: 'Clear', description: 'clear sky', icon: '01d' },
    ]);
    expect(conditionsOf(fair, false)[0].icon).toBe('01n');
  });

  test('rain with a short view is rain first and mist second', () => {
    expect(idsOf({ rainMmPerHour: 2, cloudPercent: 100, visibilityM: 3_000 })).toEqual([501, 701]);
  });

  test('rain from broken clouds is a shower', () => {
    expect(idsOf({ rainMmPerHour: 2, cloudPercent: 60 })).toEqual([521]);
  });

  test('rain and snow together are sleet, whatever thunders', () => {
    expect(idsOf({ rainMmPerHour: 1, snowMmPerHour: 1, thunder: true })).toEqual([616]);
  });

  test('thunder grows with the rain', () => {
    expect([1, 5, 9].map((rainMmPerHour) => idsOf({ rainMmPerHour, thunder: true })[0])).toEqual([
      200, 201, 202,
    ]);
  });

  test('snow is named by its strength', () => {
    expect([0.2, 1, 3].map((snowMmPerHour) => idsOf({ snowMmPerHour })[0])).toEqual([600, 601, 602]);
  });

  test('fog stands alone when nothing falls', () => {
    expect(idsOf({ visibilityM: 400, humidityPercent: 99, cloudPercent: 90 })).toEqual([741]);
  });

  test('dust takes the view in a dry storm', () => {
    expect(idsOf({ visibilityM: 2_000, humidityPercent: 12, windSpeedMs: 12 })).toEqual([761]);
  });
});
