import { expect, test } from 'vitest';
import { cityNamed, mockSeed } from '../tests/support/mock-routes.ts';
import { momentWeather } from './moments.ts';
import type { MockWeather } from './weather.ts';
import { alertsOf } from './weather-alerts.ts';

const calm = momentWeather(cityNamed('Quito'), 1_767_225_600, { seed: mockSeed });

function hourWith(index: number, more: Partial<MockWeather>): MockWeather {
  const weather = calm.weather.map((condition) => ({ ...condition, main: 'Clear' }));
  return { ...calm, weather, wind: { speed: 1, deg: 0 }, dt: 1_767_225_600 + index * 3_600, ...more };
}

const thunder = [{ id: 201, main: 'Thunderstorm', description: 'thunderstorm with rain', icon: '11d' }];

test('quiet hours deserve no warning', () => {
  expect(alertsOf([hourWith(0, {}), hourWith(1, {})])).toEqual([]);
});

test.each([
  ['Gale warning', { wind: { speed: 12, deg: 0, gust: 18 } }],
  ['Heat warning', { main: { ...calm.main, temp: 37 } }],
  ['Frost warning', { main: { ...calm.main, temp: -25 } }],
  ['Thunderstorm warning', { weather: thunder }],
])('a %s lasts from the first hour that deserves it to the end of the last', (event, danger) => {
  const hours = [hourWith(0, {}), hourWith(1, danger), hourWith(2, {}), hourWith(3, danger), hourWith(4, {})];
  expect(alertsOf(hours)).toEqual([
    expect.objectContaining({ event, start: 1_767_225_600 + 3_600, end: 1_767_225_600 + 4 * 3_600 }),
  ]);
});
