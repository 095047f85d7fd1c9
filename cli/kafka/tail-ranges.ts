/** Decides which offsets a tail reads: the newest of each partition, and what has come since. */
import type { PartitionWatermarks } from '../../clients/kafka.ts';
import type { OffsetRange } from '../../clients/kafka-reader.ts';

/** Up to `count` of each partition: which of them are the newest of all, their times tell. */
export const newestRanges = (marks: readonly PartitionWatermarks[], count: number): readonly OffsetRange[] =>
  marks
    .map(({ partition, low, high }) => ({ partition, first: Math.max(low, high - count), end: high }))
    .filter(isFilled);

/** What came to each partition between the two; of a partition that was not there before, all. */
export const rangesBehind = (
  before: readonly PartitionWatermarks[],
  now: readonly PartitionWatermarks[],
): readonly OffsetRange[] =>
  now
    .map(({ partition, low, high }) => {
      const seen = before.find((each) => each.partition === partition)?.high ?? low;
      return { partition, first: Math.max(low, seen), end: high };
    })
    .filter(isFilled);

const isFilled = ({ first, end }: OffsetRange): boolean => end > first;
