import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cityNamed, mockSeed } from '../tests/support/mock-routes.ts';
import { momentWeather } from './moments.ts';
import { fallenBefore, fallenIn, probabilityOf } from './precipitation.ts';

describe('what falls', () => {
  test('is the sum of its hours', () => {
    expect(fallenIn([{ rain: { '1h': 0.25 } }, {}, { rain: { '1h': 1.5 }, snow: { '1h': 0.4 } }])).toEqual({
      rainMm: 1.75,
      snowMm: 0.4,
    });
    expect(fallenIn([])).toEqual({ rainMm: 0, snowMm: 0 });
  });

  test('in three hours is what the three forecasts of an hour tell together', () => {
    const city = cityNamed('Manaus');
    const world = { seed: mockSeed };
    for (let hour = 0; hour < 200; hour += 1) {
      const at = 1_767_225_600 + hour * 3_600;
      const hours = [0, 1, 2].map((earlier) => momentWeather(city, at - earlier * 3_600, world));
      expect(fallenBefore(hours[0]!, 3, city, world)).toEqual(fallenIn(hours));
    }
  });
});

const anyMm = fc.float({ min: 0, max: 50, noNaN: true });

test('more rain is never less probable, and what falls was never held impossible', () => {
  fc.assert(
    fc.property(anyMm, anyMm, fc.integer({ min: 0, max: 100 }), (rainMm, moreMm, clouds) => {
      const probability = probabilityOf({ rainMm, snowMm: 0 }, clouds);
      const probabilityOfMore = probabilityOf({ rainMm: rainMm + moreMm, snowMm: 0 }, clouds);
      expect(probability).toBeGreaterThanOrEqual(0);
      expect(probabilityOfMore).toBeGreaterThanOrEqual(probability);
      expect(probabilityOfMore).toBeLessThanOrEqual(1);
      if (rainMm > 0) expect(probability).toBeGreaterThanOrEqual(0.3);
    }),
  );
});
