import fc from 'fast-check';
import { expect, test } from 'vitest';
import { moonPhase, moonTimes } from './moon.ts';

/** https://eclipse.gsfc.nasa.gov/phase/phasecat.html */
test.each([
  ['2024-04-08T18:21:00Z', 0],
  ['2024-04-23T23:49:00Z', 0.5],
  ['2026-01-18T19:52:00Z', 0],
  ['2026-02-01T22:09:00Z', 0.5],
])('at %s the phase is %d, to half a day', (moment, phase) => {
  const off = Math.abs(moonPhase(Date.parse(moment) / 1000) - phase);
  expect(Math.min(off, 1 - off)).toBeLessThan(0.5 / 29.53);
});

test('the moon rises and sets on the day it is asked for, half a day apart', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50_000 }), (day) => {
      const { moonrise, moonset } = moonTimes(day * 86_400);
      for (const time of [moonrise, moonset]) {
        expect(time).toBeGreaterThanOrEqual(day * 86_400);
        expect(time).toBeLessThanOrEqual((day + 1) * 86_400);
      }
      expect(Math.abs(Math.abs(moonrise - moonset) - 43_200)).toBeLessThanOrEqual(1);
    }),
  );
});
