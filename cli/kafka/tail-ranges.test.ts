import { expect, test } from 'vitest';
import { marksOf, newestRanges, rangesBehind } from './tail-ranges.ts';

test('the newest of each partition are no more than it has, and an empty one is left out', () => {
  const marks = [
    { partition: 0, low: 10, high: 100 },
    { partition: 1, low: 95, high: 100 },
    { partition: 2, low: 7, high: 7 },
  ];
  expect(newestRanges(marks, 10)).toEqual([
    { partition: 0, first: 90, end: 100 },
    { partition: 1, first: 95, end: 100 },
  ]);
  expect(newestRanges(marks, 0)).toEqual([]);
});

test('what came since is read once, without what has expired meanwhile', () => {
  const before = [
    { partition: 0, low: 0, high: 10 },
    { partition: 1, low: 0, high: 10 },
    { partition: 2, low: 0, high: 10 },
  ];
  const now = [
    { partition: 0, low: 0, high: 10 },
    { partition: 1, low: 0, high: 12 },
    { partition: 2, low: 15, high: 20 },
    { partition: 3, low: 0, high: 2 },
  ];
  expect(rangesBehind(before, now)).toEqual([
    { partition: 1, first: 10, end: 12 },
    { partition: 2, first: 15, end: 20 },
    { partition: 3, first: 0, end: 2 },
  ]);
});

test('a partition that the topic does not have is refused with those that it has', () => {
  const marks = [1, 0].map((partition) => ({ partition, low: 0, high: 5 }));
  expect(marksOf(marks, 'a.topic', undefined)).toEqual(marks);
  expect(marksOf(marks, 'a.topic', 0)).toEqual([{ partition: 0, low: 0, high: 5 }]);
  expect(() => marksOf(marks, 'a.topic', 99)).toThrow('a.topic has no partition 99; it has: 0, 1.');
});
