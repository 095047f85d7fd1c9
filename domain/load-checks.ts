/** Decides whether records can be loaded by their offsets, and whether all of them were read. Loading them is a batch job's. */
import type { OffsetRanges } from './backfill-offsets.ts';
import { HourglassError } from './errors.ts';

/** What a load has read of a partition, as its job has counted it. */
export interface PartitionReads {
  readonly partition_id: number;
  readonly records: number;
  readonly first_offset: number;
  readonly last_offset: number;
}

/** Of a partition: the first offset that its topic still holds, and the one behind its last. */
interface Watermarks {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** Thrown when records that are to be loaded are not in the topic: they have expired, or the topic is another one. */
export class RecordsNotInTopicError extends HourglassError {
  constructor(topic: string, partition: number, asked: string, held: string) {
    super(
      'RECORDS_NOT_IN_TOPIC',
      `The records ${asked} of ${topic}, partition ${partition}, cannot be loaded: the topic holds ${held}. Retry the backfill: what is missing is fetched again.`,
    );
  }
}

/** Thrown when a load has not read each record of its ranges. What it has loaded stays, and loading it again changes nothing. */
export class UnreadRecordsError extends HourglassError {
  constructor(topic: string, partition: number, asked: string, read: string) {
    super(
      'RECORDS_NOT_READ',
      `Of ${topic}, partition ${partition}, the records ${asked} were to be loaded, and ${read} were read. Retry the backfill.`,
    );
  }
}

/** Thrown when records that were read, and fit the contract, have no row. */
export class UnstoredRecordsError extends HourglassError {
  constructor(topic: string, count: number) {
    super(
      'RECORDS_NOT_STORED',
      `${count} records of ${topic} were read, fit the contract, and have no row: look at the Flink job of the load, then retry the backfill.`,
    );
  }
}

/**
 * A reader would begin where an expired record was, or wait for one that never comes, and say nothing.
 * @returns why these ranges cannot be read whole; undefined when they can
 */
export function refusalOfRanges(
  topic: string,
  ranges: OffsetRanges,
  watermarks: readonly Watermarks[],
): RecordsNotInTopicError | undefined {
  for (const { partition, first, end } of ranges) {
    const found = watermarks.find((marks) => marks.partition === partition);
    const isThere = found !== undefined && (first === end || first >= found.low) && end <= found.high;
    if (isThere) continue;
    const held = found === undefined ? 'no such partition' : `${found.low} to ${found.high}`;
    return new RecordsNotInTopicError(topic, partition, `${first} to ${end}`, held);
  }
  return undefined;
}

/**
 * @param held how many records there are in the range of each partition; one for each offset when left out
 * @returns what of the ranges was not read; undefined when all of it was
 */
export function mismatchOfReads(
  topic: string,
  ranges: OffsetRanges,
  reads: readonly PartitionReads[],
  held?: ReadonlyMap<number, number>,
): UnreadRecordsError | undefined {
  for (const { partition, first, end } of ranges) {
    const read = reads.find(({ partition_id }) => partition_id === partition);
    const records = read?.records ?? 0;
    const expected = held === undefined ? end - first : (held.get(partition) ?? 0);
    if (records === expected && isWithin(read, first, end)) continue;
    const asked = `${first} to ${end} (${expected})`;
    const told =
      read === undefined ? 'none' : `${records} from ${read.first_offset} to ${read.last_offset + 1}`;
    return new UnreadRecordsError(topic, partition, asked, told);
  }
  return undefined;
}

const isWithin = (read: PartitionReads | undefined, first: number, end: number): boolean =>
  read === undefined || (read.first_offset >= first && read.last_offset < end);
