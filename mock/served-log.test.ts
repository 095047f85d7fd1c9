import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createServedLog } from './served-log.ts';

test('the log holds the last observations in order, up to its limit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(100), (limit, count) => {
      const log = createServedLog(limit);
      for (let dt = 0; dt < count; dt += 1) log.record({ cityId: 1, dt, servedAtMs: dt * 1000 });
      const expected = Array.from({ length: count }, (_, dt) => dt).slice(-limit);
      expect(log.latest().map(({ dt }) => dt)).toEqual(expected);
    }),
  );
});
