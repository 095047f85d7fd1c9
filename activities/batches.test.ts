import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBatcher } from './batches.ts';

/** A batcher of numbers, and the batches that it handed on; how each goes is the caller's. */
function batcherOf({ size = 3, everyMs = 60_000, handOn = async (_batch: readonly number[]) => {} } = {}) {
  const batches: (readonly number[])[] = [];
  const batcher = createBatcher<number>({
    size,
    everyMs,
    handOn(items) {
      batches.push(items);
      return handOn(items);
    },
  });
  return { ...batcher, batches };
}

describe('a batch', () => {
  test('is handed on when it is full, the rest when everything has come', async () => {
    const { add, close, batches } = batcherOf();
    for (const item of [1, 2, 3, 4]) add(item);
    await delay(0);
    expect(batches).toEqual([[1, 2, 3]]);
    await close();
    expect(batches).toEqual([[1, 2, 3], [4]]);
  });

  test('that does not fill is handed on when its first item has waited long enough', async () => {
    const { add, close, batches } = batcherOf({ everyMs: 20 });
    add(1);
    await delay(10);
    add(2);
    expect(batches).toEqual([]);
    await delay(40);
    expect(batches).toEqual([[1, 2]]);
    add(3);
    await delay(60);
    expect(batches).toEqual([[1, 2], [3]]);
    await close();
    expect(batches).toHaveLength(2);
  });

  test('is not begun before the one before it is done with', async () => {
    let under = 0;
    let most = 0;
    const { add, close, batches } = batcherOf({
      size: 1,
      handOn: async () => {
        under += 1;
        most = Math.max(most, under);
        await delay(2);
        under -= 1;
      },
    });
    for (let item = 0; item < 10; item += 1) add(item);
    await close();
    expect([most, batches.length]).toEqual([1, 10]);
  });

  test('that fails is told to whoever adds next and to whoever closes, and nothing after it is handed on', async () => {
    const { add, close, batches } = batcherOf({
      size: 1,
      handOn: async ([item]) => {
        if (item === 2) throw new Error('Kafka is away');
      },
    });
    for (const item of [1, 2, 3]) add(item);
    await delay(0);
    expect(batches).toEqual([[1], [2]]);
    expect(() => add(4)).toThrow('Kafka is away');
    await expect(close()).rejects.toThrow('Kafka is away');
    expect(batches).toEqual([[1], [2]]);
  });

  test('is not made of what comes after closing', async () => {
    const { add, close, batches } = batcherOf({ everyMs: 1 });
    await close();
    add(1);
    await delay(10);
    expect(batches).toEqual([]);
  });
});

test('whatever comes and whenever, each item is handed on once, in order, in batches that are not too large', async () => {
  const steps = fc.array(fc.option(fc.nat(3), { nil: undefined }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (pauses, size) => {
      const { add, close, batches } = batcherOf({ size, everyMs: 1, handOn: () => delay(1) });
      for (const [item, pauseMs] of pauses.entries()) {
        add(item);
        if (pauseMs !== undefined) await delay(pauseMs);
      }
      await close();
      expect(batches.flat()).toEqual(pauses.map((_, item) => item));
      for (const { length } of batches) {
        expect(length).toBeGreaterThan(0);
        expect(length).toBeLessThanOrEqual(size);
      }
    }),
    { numRuns: 50 },
  );
});
