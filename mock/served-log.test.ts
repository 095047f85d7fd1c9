import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCallLog, type ServedCall } from './served-log.ts';

const call = (arrivedAtMs: number): Omit<ServedCall, 'sequence'> => ({
  arrivedAtMs,
  key: null,
  method: 'GET',
  path: '/',
  cityId: null,
  dt: null,
  status: 404,
  fault: null,
  inFull: true,
});

function logOf(count: number, capacity: number) {
  const log = createCallLog(capacity);
  for (let index = 1; index <= count; index += 1) log.append(call(index * 1_000));
  return log;
}

const sequencesUpTo = (count: number, capacity: number): number[] =>
  Array.from({ length: count }, (_, index) => index + 1).slice(-capacity);

test('the log holds the last calls in order, up to its capacity, each with its own sequence number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(100), (capacity, count) => {
      const all = logOf(count, capacity).all();
      expect(all.map(({ sequence }) => sequence)).toEqual(sequencesUpTo(count, capacity));
      for (const { sequence, arrivedAtMs } of all) expect(arrivedAtMs).toBe(sequence * 1_000);
    }),
  );
});

test('a page begins after the sequence number given, or with the oldest call that is still remembered', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.nat(100),
      fc.nat(120),
      fc.nat(30),
      (capacity, count, after, limit) => {
        const expected = sequencesUpTo(count, capacity).filter((sequence) => sequence > after);
        const page = logOf(count, capacity).after(after, limit);
        expect(page.map(({ sequence }) => sequence)).toEqual(expected.slice(0, limit));
      },
    ),
  );
});
