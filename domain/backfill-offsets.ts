/** Owns which records of a topic belong to a backfill: a range of offsets for each partition. How they are read is a batch job's. */

/** Of one partition: `first` belongs to it, `end` does not. */
export interface PartitionRange {
  readonly partition: number;
  readonly first: number;
  readonly end: number;
}

/** Ascending by partition, each once. */
export type OffsetRanges = readonly PartitionRange[];

export const NO_RANGES: OffsetRanges = [];

/** Grown so that they hold these places too. */
export function widen(
  ranges: OffsetRanges,
  places: readonly { readonly partition: number; readonly offset: number }[],
): OffsetRanges {
  const more = places.map(({ partition, offset }) => ({ partition, first: offset, end: offset + 1 }));
  return unionOf([ranges, more]);
}

/** The smallest ranges that hold all of these. What lies between two of them belongs to it. */
export function unionOf(all: readonly (readonly PartitionRange[])[]): OffsetRanges {
  const union = new Map<number, PartitionRange>();
  for (const range of all.flat()) {
    const known = union.get(range.partition) ?? range;
    union.set(range.partition, {
      partition: range.partition,
      first: Math.min(known.first, range.first),
      end: Math.max(known.end, range.end),
    });
  }
  return [...union.values()].sort((one, other) => one.partition - other.partition);
}

/** How many records lie in them: offsets of these topics have no gaps. */
export const countOf = (ranges: OffsetRanges): number =>
  ranges.reduce((sum, { first, end }) => sum + (end - first), 0);

/** `0:17-42;1:5-5`, as a batch job takes it. */
export const rangesText = (ranges: OffsetRanges): string =>
  ranges.map(({ partition, first, end }) => `${partition}:${first}-${end}`).join(';');

/** The inverse of {@link rangesText}, of what it has written. */
export const rangesFrom = (text: string): OffsetRanges =>
  text.split(';').map((range) => {
    const [partition = 0, first = 0, end = 0] = range.split(/[:-]/).map(Number);
    return { partition, first, end };
  });

/** With an empty range for each partition that has none: a reader must be told of every partition. */
export function overPartitions(
  ranges: OffsetRanges,
  partitions: readonly { readonly partition: number; readonly high: number }[],
): OffsetRanges {
  const missing = partitions.filter(
    ({ partition }) => !ranges.some((range) => range.partition === partition),
  );
  return unionOf([ranges, missing.map(({ partition, high }) => ({ partition, first: high, end: high }))]);
}
