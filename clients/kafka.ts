/** The door to Kafka: declared topics, an idempotent producer, watermarks, committed offsets, and records by offset. */
import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';
import { HourglassError } from '../domain/errors.ts';
import { type KafkaRecord, type OffsetRange, readRanges } from './kafka-reader.ts';
import { createPlacingPartitioner, type StoredPlace } from './placing-partitioner.ts';

export interface TopicDeclaration {
  readonly name: string;
  readonly partitions: number;
  readonly retentionMs: number;
}

export interface OutgoingRecord {
  readonly key: string;
  readonly value: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface PartitionWatermarks {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The library calls them final, for the producer or consumer that got them: a broker that was restarted may not know a producer any
 * more, and a reader that was held up for too long has lost its place in its group. The next try has a new one.
 */
const OVER_WITH_ITS_CLIENT: readonly string[] = [
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
];

/** Thrown when Kafka cannot be reached or refuses; nothing of the batch is known to be stored, and repeating it is safe downstream. */
export class KafkaRequestError extends HourglassError {
  constructor(what: string, cause: unknown) {
    super('KAFKA', `Kafka failed to ${what}: ${(cause as Error).message}.`, {
      retryable:
        !(cause instanceof kafkajs.KafkaJSError) ||
        cause.retriable ||
        cause.name === 'KafkaJSNumberOfRetriesExceeded' ||
        OVER_WITH_ITS_CLIENT.includes((cause as Partial<kafkajs.KafkaJSProtocolError>).type ?? ''),
      cause,
    });
  }
}

/** Thrown when a topic that exists has not the partitions its declaration says. */
export class TopicMismatchError extends HourglassError {
  constructor(name: string, found: number, declared: number) {
    super(
      'TOPIC_MISMATCH',
      `The topic ${name} has ${found} partitions, ${declared} are declared: a change would send a city's records to another partition. Make a new topic instead.`,
    );
  }
}

export interface KafkaClient {
  /** Makes the topics that do not exist, and sets the declared retention on those that do. */
  ensureTopics(topics: readonly TopicDeclaration[]): Promise<void>;
  /**
   * Sends one batch with acks=all by an idempotent producer; returns where each record stands, in their order.
   * @throws KafkaRequestError
   */
  publish(topic: string, records: readonly OutgoingRecord[]): Promise<readonly StoredPlace[]>;
  watermarks(topic: string): Promise<readonly PartitionWatermarks[]>;
  /** The first offset of each partition whose record was published at that time or later; the partition's end where there is none. */
  offsetsAt(topic: string, time: Date): Promise<ReadonlyMap<number, number>>;
  /** Up to where a consumer group has read each partition, as it last committed; 0 where it never has. */
  committedOffsets(group: string, topic: string): Promise<ReadonlyMap<number, number>>;
  /** Makes a group be as if it had never read; one that is not there is so already. @throws KafkaRequestError while members are in it */
  forgetGroup(group: string): Promise<void>;
  /** Hands over the records of these offsets, in the order of each partition. @throws KafkaRequestError, and what `onRecords` throws */
  read(
    topic: string,
    ranges: readonly OffsetRange[],
    onRecords: (records: readonly KafkaRecord[]) => Promise<void>,
  ): Promise<void>;
  /** The headers of the newest record of each partition that has any; none when the topic does not exist. */
  newestHeaders(topic: string): Promise<readonly Readonly<Record<string, string>>[]>;
  close(): Promise<void>;
}

export function connectKafka(brokers: readonly string[], clientId = 'hourglass'): KafkaClient {
  const kafka = new Kafka({
    clientId,
    brokers: [...brokers],
    // Errors are thrown and reported by whoever called; the library's own log would say them a second time.
    logLevel: logLevel.NOTHING,
    connectionTimeout: 5_000,
    retry: { retries: 5, initialRetryTime: 200 },
  });
  const placing = createPlacingPartitioner();
  let producer: Promise<Producer> | undefined;
  const connectedProducer = (): Promise<Producer> => {
    producer ??= (async () => {
      // One request in flight keeps the order of a partition also through the producer's own retries.
      const made = kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        createPartitioner: placing.createPartitioner,
      });
      await made.connect();
      return made;
    })().catch((error) => {
      producer = undefined;
      throw error;
    });
    return producer;
  };
  const discardProducer = async (): Promise<void> => {
    const old = await producer?.catch(() => undefined);
    producer = undefined;
    await old?.disconnect().catch(() => undefined);
  };
  const withAdmin = async <T>(
    what: string,
    work: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
  ): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      const admin = kafka.admin();
      try {
        await admin.connect();
        return await work(admin);
      } catch (error) {
        if (error instanceof HourglassError) throw error;
        if (tries === ADMIN_TRIES || !passes(error)) throw new KafkaRequestError(what, error);
      } finally {
        await admin.disconnect();
      }
      await delay(ADMIN_PAUSE_MS);
    }
  };
  const watermarks = (topic: string): Promise<readonly PartitionWatermarks[]> =>
    withAdmin(`tell the offsets of ${topic}`, async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets
        .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
        .sort((a, b) => a.partition - b.partition);
    });
  const read: KafkaClient['read'] = async (topic, ranges, onRecords) => {
    let failure: unknown;
    try {
      await readRanges(kafka, topic, ranges, (records) =>
        onRecords(records).catch((error) => {
          failure = error;
          throw error;
        }),
      );
    } catch (error) {
      throw failure ?? new KafkaRequestError(`read records of ${topic}`, error);
    }
  };
  return {
    watermarks,
    read,
    committedOffsets: (group, topic) =>
      withAdmin(`tell the offsets of the group ${group}`, async (admin) => {
        const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        const partitions = found?.partitions ?? [];
        return new Map(partitions.map(({ partition, offset }) => [partition, Math.max(0, Number(offset))]));
      }),
    forgetGroup: (group) =>
      withAdmin(`forget the group ${group}`, async (admin) => {
        const { groups } = await admin.listGroups();
        if (groups.some(({ groupId }) => groupId === group)) await admin.deleteGroups([group]);
      }),
    offsetsAt: (topic, time) =>
      withAdmin(`tell the offsets of ${topic} at ${time.toISOString()}`, async (admin) => {
        const found = await admin.fetchTopicOffsetsByTimestamp(topic, time.getTime());
        return new Map(found.map(({ partition, offset }) => [partition, Number(offset)]));
      }),
    ensureTopics: (topics) =>
      withAdmin('make the topics', async (admin) => {
        const existing = new Set(await admin.listTopics());
        const config = ({ retentionMs }: TopicDeclaration) => [
          { name: 'retention.ms', value: String(retentionMs) },
          { name: 'cleanup.policy', value: 'delete' },
          // The time of publishing is the broker's: a producer's clock can neither make an observation late nor expire a record.
          { name: 'message.timestamp.type', value: 'LogAppendTime' },
          // However a producer compresses, the broker stores what every reader can read: a batch in zstd stopped the Flink job.
          { name: 'compression.type', value: 'uncompressed' },
        ];
        const missing = topics.filter(({ name }) => !existing.has(name));
        const present = topics.filter(({ name }) => existing.has(name));
        if (missing.length > 0) {
          await admin.createTopics({
            // The library waits for one kind of "not yet" and fails at another.
            waitForLeaders: false,
            topics: missing.map((topic) => ({
              topic: topic.name,
              numPartitions: topic.partitions,
              configEntries: config(topic),
            })),
          });
        }
        await untilLed(
          admin,
          missing.map(({ name }) => name),
        );
        if (present.length === 0) return;
        const { topics: found } = await admin.fetchTopicMetadata({ topics: present.map(({ name }) => name) });
        for (const { name, partitions } of present) {
          const count = found.find((topic) => topic.name === name)?.partitions.length ?? 0;
          if (count !== partitions) throw new TopicMismatchError(name, count, partitions);
        }
        await admin.alterConfigs({
          validateOnly: false,
          resources: present.map((topic) => ({ type: 2, name: topic.name, configEntries: config(topic) })),
        });
      }),
    async publish(topic, records) {
      if (records.length === 0) return [];
      try {
        const ready = await connectedProducer();
        const messages = records.map(({ key, value, headers }) => ({ key, value, headers }));
        return placing.placesOf(messages, await ready.send({ topic, acks: -1, messages }));
      } catch (error) {
        // Its sequence numbers no longer tell what the broker has: another batch under the same numbers would be taken for a
        // repetition and dropped. A new producer has a new id; what was stored and is sent again is a duplicate downstream.
        await discardProducer();
        throw new KafkaRequestError(`publish ${records.length} records to ${topic}`, error);
      }
    },
    async newestHeaders(topic) {
      const exists = await withAdmin('list the topics', (admin) => admin.listTopics());
      if (!exists.includes(topic)) return [];
      const filled = (await watermarks(topic)).filter(({ low, high }) => high > low);
      const newest = filled.map(({ partition, high }) => ({ partition, first: high - 1, end: high }));
      const found: Readonly<Record<string, string>>[] = [];
      await read(topic, newest, async (records) => void found.push(...records.map(({ headers }) => headers)));
      return found;
    },
    async close() {
      await discardProducer();
    },
  };
}

const ADMIN_TRIES = 5;
const ADMIN_PAUSE_MS = 200;

/** What a broker answers for a moment, such as that it does not yet lead a new topic; the library asks again only for some. */
const passes = (error: unknown): boolean => error instanceof kafkajs.KafkaJSProtocolError && error.retriable;

const LEADER_WAIT_MS = { most: 30_000, each: 200 } as const;

/** Waits until each partition of topics that were just made has its leader: until then a producer is refused. */
async function untilLed(admin: Admin, topics: readonly string[]): Promise<void> {
  if (topics.length === 0) return;
  const deadline = Date.now() + LEADER_WAIT_MS.most;
  while (Date.now() < deadline) {
    try {
      const { topics: found } = await admin.fetchTopicMetadata({ topics: [...topics] });
      if (found.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))) return;
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSError && error.retriable)) throw error;
    }
    await delay(LEADER_WAIT_MS.each);
  }
  throw new Error(`${topics.join(', ')} had no leader within ${LEADER_WAIT_MS.most / 1_000} s`);
}
