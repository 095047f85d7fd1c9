import fc from 'fast-check';
import { expect, test } from 'vitest';
import { windDirection, windName } from './winds.ts';

test.each([
  [0, 'N', 'North'],
  [11, 'N', 'North'],
  [12, 'NNE', 'North-northeast'],
  [90, 'E', 'East'],
  [225, 'SW', 'Southwest'],
  [359, 'N', 'North'],
])('a wind from %i° is %s', (degrees, code, name) => {
  expect(windDirection(degrees)).toEqual({ code, name });
});

test.each([
  [0.2, 'Setting'],
  [0.5, 'Calm'],
  [3, 'Light breeze'],
  [9, 'Fresh Breeze'],
  [40, 'Hurricane'],
])('%d m/s are called %s', (speed, name) => {
  expect(windName(speed)).toBe(name);
});

test('every angle has a direction', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 359 }), (degrees) => {
      expect(windDirection(degrees).code).toMatch(/^[NESW]{1,3}$/);
    }),
  );
});
