import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clamp, hashOf, hashOfText, noiseAt, smoothstep, unitOf } from './noise.ts';

const anyInteger = fc.maxSafeInteger();

describe('hashOf', () => {
  test('the same integers give the same hash and another order gives another', () => {
    expect(hashOf(1, 2)).toBe(hashOf(1, 2));
    expect(hashOf(1, 2)).not.toBe(hashOf(2, 1));
    expect(hashOf(0)).not.toBe(hashOf(0, 0));
  });

  test('the values are fixed, because they are the weather of every seed', () => {
    expect([
      hashOf(),
      hashOf(0),
      hashOf(1),
      hashOf(-1),
      hashOf(2 ** 40),
      hashOfText('hourglass'),
    ]).toMatchInlineSnapshot(`
      [
        0,
        1669671676,
        1392991556,
        1651860712,
        2851483426,
        3253546830,
      ]
    `);
  });

  test('it is an unsigned 32-bit integer', () => {
    fc.assert(
      fc.property(fc.array(anyInteger), (integers) => {
        const hash = hashOf(...integers);
        expect(hash).toBe(hash >>> 0);
      }),
    );
  });

  test('integers that differ only above 32 bits differ in their hash', () => {
    expect(hashOf(7)).not.toBe(hashOf(7 + 2 ** 33));
  });

  test('neighbours are spread evenly', () => {
    const tenths = new Array<number>(10).fill(0);
    for (let index = 0; index < 10_000; index += 1) {
      const tenth = Math.floor(unitOf(42, index) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(count).toBeGreaterThan(850);
  });
});

describe('noiseAt', () => {
  const wave = { key: 5, periodSeconds: 3_600, octaves: 4 };

  test('it stays between -1 and 1', () => {
    fc.assert(
      fc.property(anyInteger, fc.integer({ min: -1e10, max: 1e10 }), (key, atSeconds) => {
        expect(Math.abs(noiseAt({ ...wave, key }, atSeconds))).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('it is smooth: a second changes little', () => {
    fc.assert(
      fc.property(anyInteger, fc.integer({ min: 0, max: 5e9 }), (key, atSeconds) => {
        const change = noiseAt({ ...wave, key }, atSeconds + 1) - noiseAt({ ...wave, key }, atSeconds);
        expect(Math.abs(change)).toBeLessThan(0.004);
      }),
    );
  });

  test('waves of two keys differ', () => {
    expect(noiseAt(wave, 1_000)).not.toBe(noiseAt({ ...wave, key: 6 }, 1_000));
  });
});

describe('smoothstep and clamp', () => {
  test('smoothstep rises from 0 to 1, or falls when its ends are exchanged', () => {
    expect([0, 1, 2, 3, 4].map((value) => smoothstep(1, 3, value))).toEqual([0, 0, 0.5, 1, 1]);
    expect([0, 1, 2, 3, 4].map((value) => smoothstep(3, 1, value))).toEqual([1, 1, 0.5, 0, 0]);
  });

  test('clamp keeps a value within its limits', () => {
    expect([clamp(-1, 0, 2), clamp(1, 0, 2), clamp(3, 0, 2)]).toEqual([0, 1, 2]);
  });
});
