/** Reads chosen offsets of a topic, each record once, by a consumer that leaves no trace; which ones is for the caller to say. */
import { randomUUID } from 'node:crypto';
import type { Consumer, IHeaders, Kafka, KafkaMessage } from 'kafkajs';

/** The offsets of a partition from `first` up to, and without, `end`. */
export interface OffsetRange {
  readonly partition: number;
  readonly first: number;
  readonly end: number;
}

export interface KafkaRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** The record's Kafka timestamp. */
  readonly publishedAt: Date;
}

const SILENCE_MS = 30_000;

/**
 * Resolves when every range is passed. Offsets without a record (a transaction's markers, what was withdrawn, compacted or
 * has expired) are passed over.
 */
export async function readRanges(
  kafka: Kafka,
  topic: string,
  ranges: readonly OffsetRange[],
  onRecords: (records: readonly KafkaRecord[]) => Promise<void>,
): Promise<void> {
  if (ranges.length === 0) return;
  const consumer = kafka.consumer({ groupId: `hourglass-reader-${randomUUID()}` });
  try {
    await consumer.connect();
    // Where an offset has expired, the reading goes on with the first that has not.
    await consumer.subscribe({ topic, fromBeginning: true });
    await passThrough(consumer, topic, ranges, onRecords);
  } finally {
    await consumer.disconnect();
  }
}

function passThrough(
  consumer: Consumer,
  topic: string,
  ranges: readonly OffsetRange[],
  onRecords: (records: readonly KafkaRecord[]) => Promise<void>,
): Promise<void> {
  const ahead = createItinerary(ranges);
  let silence: NodeJS.Timeout | undefined;
  return new Promise<void>((resolve, reject) => {
    silence = setTimeout(() => reject(new Error(`no answer within ${SILENCE_MS / 1_000} s`)), SILENCE_MS);
    const goTo = (partition: number): void => {
      silence?.refresh();
      const next = ahead.next(partition);
      if (next === undefined) consumer.pause([{ topic, partitions: [partition] }]);
      else if (next.mustSeek) consumer.seek({ topic, partition, offset: String(next.offset) });
      if (ahead.isEmpty()) resolve();
    };
    // A batch in which there is nothing but markers or withdrawn records is told of by this event alone.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, batchSize, lastOffset } }) => {
      if (batchSize > 0) return;
      ahead.pass(partition, Number(lastOffset) + 1);
      goTo(partition);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      // From what passes, such as a coordinator that is still loading, the consumer recovers by itself.
      if (!payload.restart) reject(payload.error);
    });
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          const { partition, messages } = batch;
          const wanted = messages.filter(({ offset }) => ahead.wants(partition, Number(offset)));
          try {
            if (wanted.length > 0) await onRecords(wanted.map((message) => recordOf(partition, message)));
          } catch (error) {
            // Nothing is read any further, and the library would repeat what it was handed.
            reject(error);
            return;
          }
          // Its last offset, where the reading goes on, may be a marker's behind its last message.
          ahead.pass(partition, Number(batch.lastOffset()) + 1);
          goTo(partition);
        },
      })
      .then(() => {
        for (const partition of ahead.partitions()) goTo(partition);
      })
      .catch(reject);
    // A timer that is left would keep a command from ending for as long as it runs.
  }).finally(() => clearTimeout(silence));
}

/** What is still to be read, by partition. Only ever moves forward, so a batch that comes twice is taken once. */
function createItinerary(ranges: readonly OffsetRange[]) {
  const queues = new Map<number, OffsetRange[]>();
  const positions = new Map<number, number>();
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    if (range.end > range.first) queues.set(range.partition, [...(queues.get(range.partition) ?? []), range]);
  }
  return {
    isEmpty: (): boolean => queues.size === 0,
    partitions: (): number[] => [...queues.keys()],
    wants: (partition: number, offset: number): boolean =>
      offset >= (positions.get(partition) ?? 0) &&
      (queues.get(partition) ?? []).some(({ first, end }) => first <= offset && offset < end),
    pass(partition: number, position: number): void {
      positions.set(partition, Math.max(position, positions.get(partition) ?? 0));
      const left = (queues.get(partition) ?? []).filter(({ end }) => end > position);
      if (left.length > 0) queues.set(partition, left);
      else queues.delete(partition);
    },
    /** Where to read on, and whether that is elsewhere than where the last batch ended. */
    next(partition: number): { offset: number; mustSeek: boolean } | undefined {
      const [range] = queues.get(partition) ?? [];
      const position = positions.get(partition);
      return range === undefined
        ? undefined
        : { offset: range.first, mustSeek: position === undefined || range.first > position };
    },
  };
}

const recordOf = (
  partition: number,
  { offset, key, value, headers, timestamp }: KafkaMessage,
): KafkaRecord => ({
  partition,
  offset: Number(offset),
  key,
  value,
  headers: textHeaders(headers),
  publishedAt: new Date(Number(timestamp)),
});

const textHeaders = (headers: IHeaders | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
