import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countOf,
  NO_RANGES,
  overPartitions,
  rangesFrom,
  rangesText,
  unionOf,
  widen,
} from './backfill-offsets.ts';

const places = fc.array(fc.record({ partition: fc.nat(5), offset: fc.nat(1_000) }));
const within = (
  ranges: ReturnType<typeof widen>,
  { partition, offset }: { partition: number; offset: number },
) => ranges.some((range) => range.partition === partition && range.first <= offset && offset < range.end);

describe('ranges of offsets', () => {
  test('hold every place they were widened for, and begin and end at one', () => {
    fc.assert(
      fc.property(places, places, (some, others) => {
        const ranges = widen(widen(NO_RANGES, some), others);
        const all = [...some, ...others];
        for (const place of all) expect(within(ranges, place)).toBe(true);
        for (const { partition, first, end } of ranges) {
          const offsets = all.filter((place) => place.partition === partition).map(({ offset }) => offset);
          expect([first, end]).toEqual([Math.min(...offsets), Math.max(...offsets) + 1]);
        }
        expect(ranges.map(({ partition }) => partition)).toEqual(
          [...new Set(all.map(({ partition }) => partition))].sort(),
        );
      }),
    );
  });

  test('are the same in whatever order places came', () => {
    fc.assert(
      fc.property(places, places, (some, others) => {
        const [one, other] = [widen(NO_RANGES, some), widen(NO_RANGES, others)];
        expect(unionOf([one, other])).toEqual(unionOf([other, one]));
        expect(unionOf([one, one])).toEqual(one);
      }),
    );
  });

  test('count what lies in them', () => {
    expect(
      countOf([
        { partition: 0, first: 17, end: 42 },
        { partition: 1, first: 5, end: 5 },
      ]),
    ).toBe(25);
  });

  test('are written as a batch job takes them, with every partition of the topic', () => {
    const ranges = widen(NO_RANGES, [{ partition: 1, offset: 7 }]);
    const partitions = [
      { partition: 0, high: 12 },
      { partition: 1, high: 30 },
    ];
    const all = overPartitions(ranges, partitions);
    expect(rangesText(all)).toBe('0:12-12;1:7-8');
    expect(rangesFrom(rangesText(all))).toEqual(all);
  });
});
