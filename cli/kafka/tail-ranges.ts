/** Decides which offsets a tail reads: the newest of each partition, and what has come since. */
import type { PartitionWatermarks } from '../../clients/kafka.ts';
import type { OffsetRange } from '../../clients/kafka-reader.ts';
import { UsageError } from '../usage-error.ts';

/** Thrown for a partition that the topic does not have. */
export class UnknownPartitionError extends UsageError {
  constructor(topic: string, partition: number, known: readonly number[]) {
    super(
      'UNKNOWN_PARTITION',
      `The topic ${topic} has no partition ${partition}; it has: ${[...known].sort((a, b) => a - b).join(', ')}.`,
    );
  }
}

/** Of one partition, or of all where none is named. @throws UnknownPartitionError */
export function marksOf(
  marks: readonly PartitionWatermarks[],
  topic: string,
  partition: number | undefined,
): readonly PartitionWatermarks[] {
  if (partition === undefined) return marks;
  const chosen = marks.filter((each) => each.partition === partition);
  if (chosen.length > 0) return chosen;
  const known = marks.map((each) => each.partition);
  throw new UnknownPartitionError(topic, partition, known);
}

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
