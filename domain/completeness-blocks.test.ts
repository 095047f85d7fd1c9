import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR_MS } from './backfill-windows.ts';
import { blocksOf, blocksToFetch, type Window, type WindowBlock, windowKey } from './completeness-blocks.ts';

const window = (entityId: number, hour: number): Window => ({
  entityId,
  windowStart: new Date(hour * HOUR_MS),
});
const keysIn = (blocks: readonly WindowBlock[]): string[] =>
  blocks.flatMap(({ from, to, entities }) => {
    const [first, end] = [Date.parse(from) / HOUR_MS, Date.parse(to) / HOUR_MS];
    return entities.flatMap((id) =>
      Array.from({ length: end - first }, (_, index) => windowKey(window(id, first + index))),
    );
  });
const windows = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 9 })), {
    selector: ([id, hour]) => `${id}/${hour}`,
  })
  .map((pairs) => pairs.map(([id, hour]) => window(id, hour)));

describe('exact blocks', () => {
  test('hold each window once and nothing else, whatever the order', () => {
    fc.assert(
      fc.property(windows, (some) => {
        const held = keysIn(blocksOf(some));
        expect(held.toSorted()).toEqual(some.map(windowKey).toSorted());
        expect(blocksOf(some.toReversed())).toEqual(blocksOf(some));
      }),
    );
  });

  test('are few: hours in a row of the same locations are one', () => {
    const some = [1, 2].flatMap((id) => [3, 4, 5].map((hour) => window(id, hour)));
    expect(blocksOf(some)).toEqual([
      { from: '1970-01-01T03:00:00Z', to: '1970-01-01T06:00:00Z', entities: [1, 2] },
    ]);
    expect(blocksOf([...some, window(3, 5)])).toHaveLength(2);
  });
});

describe('blocks to fetch', () => {
  test('hold each window once, none that must not be held, and no more than so many', () => {
    fc.assert(
      fc.property(windows, windows, fc.integer({ min: 1, max: 12 }), (some, forbidden, most) => {
        const asked = new Set(some.map(windowKey));
        const refused = new Set(forbidden.map(windowKey).filter((key) => !asked.has(key)));
        const blocks = blocksToFetch(some, most, (key) => !refused.has(key));
        const held = keysIn(blocks);
        expect(new Set(held).size).toBe(held.length);
        expect(held.filter((key) => asked.has(key)).toSorted()).toEqual([...asked].sort());
        expect(held.filter((key) => refused.has(key))).toEqual([]);
        for (const block of blocks)
          expect(keysIn([block]).filter((key) => asked.has(key)).length).toBeLessThanOrEqual(most);
      }),
    );
  });

  test('do not grow out of an hour that was cut', () => {
    const some = [window(1, 1), window(2, 1), window(3, 1), window(1, 2)];
    expect(keysIn(blocksToFetch(some, 2, () => true)).toSorted()).toEqual(some.map(windowKey).toSorted());
  });

  test('are exact when nothing else may be held', () => {
    fc.assert(
      fc.property(windows, (some) => {
        expect(keysIn(blocksToFetch(some, 100)).toSorted()).toEqual(some.map(windowKey).toSorted());
      }),
    );
  });

  test('become one over hours in a row where all else is complete', () => {
    const some = [window(1, 3), window(2, 4), window(3, 5), window(1, 7)];
    expect(blocksToFetch(some, 100, () => true)).toEqual([
      { from: '1970-01-01T03:00:00Z', to: '1970-01-01T06:00:00Z', entities: [1, 2, 3] },
      { from: '1970-01-01T07:00:00Z', to: '1970-01-01T08:00:00Z', entities: [1] },
    ]);
  });
});
