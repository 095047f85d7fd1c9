/** The door to Kafka: declared topics, an idempotent producer, watermarks, and the newest record of a topic. */
import { randomUUID } from 'node:crypto';
import kafkajs, { type IHeaders, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { HourglassError } from '../domain/errors.ts';

export interface TopicDeclaration {
  readonly name: string;
  readonly partitions: number;
  readonly retentionMs: number;
}

export interface OutgoingRecord {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface PartitionWatermarks {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** Thrown when Kafka cannot be reached or refuses; nothing of the batch is known to be stored, and repeating it is safe downstream. */
export class KafkaRequestError extends HourglassError {
  constructor(what: string, cause: unknown) {
    super('KAFKA', `Kafka failed to ${what}: ${(cause as Error).message}.`, {
      retryable:
        !(cause instanceof kafkajs.KafkaJSError) ||
        cause.retriable ||
        cause.name === 'KafkaJSNumberOfRetriesExceeded',
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
  /** Sends one batch with acks=all by an idempotent producer. @throws KafkaRequestError */
  publish(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  watermarks(topic: string): Promise<readonly PartitionWatermarks[]>;
  /** The headers of the topic's newest record, or undefined when the topic is empty or does not exist. */
  newestHeaders(topic: string): Promise<Readonly<Record<string, string>> | undefined>;
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
  let producer: Promise<Producer> | undefined;
  const connectedProducer = (): Promise<Producer> => {
    producer ??= (async () => {
      // One request in flight keeps the order of a partition also through the producer's own retries.
      const made = kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        createPartitioner: Partitioners.DefaultPartitioner,
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
    const admin = kafka.admin();
    try {
      await admin.connect();
      return await work(admin);
    } catch (error) {
      throw error instanceof HourglassError ? error : new KafkaRequestError(what, error);
    } finally {
      await admin.disconnect();
    }
  };
  const watermarks = (topic: string): Promise<readonly PartitionWatermarks[]> =>
    withAdmin(`tell the offsets of ${topic}`, async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets
        .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
        .sort((a, b) => a.partition - b.partition);
    });
  return {
    watermarks,
    ensureTopics: (topics) =>
      withAdmin('make the topics', async (admin) => {
        const existing = new Set(await admin.listTopics());
        const config = ({ retentionMs }: TopicDeclaration) => [
          { name: 'retention.ms', value: String(retentionMs) },
          { name: 'cleanup.policy', value: 'delete' },
        ];
        const missing = topics.filter(({ name }) => !existing.has(name));
        const present = topics.filter(({ name }) => existing.has(name));
        if (missing.length > 0) {
          await admin.createTopics({
            waitForLeaders: true,
            topics: missing.map((topic) => ({
              topic: topic.name,
              numPartitions: topic.partitions,
              configEntries: config(topic),
            })),
          });
        }
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
      if (records.length === 0) return;
      try {
        const ready = await connectedProducer();
        await ready.send({
          topic,
          acks: -1,
          messages: records.map(({ key, value, headers }) => ({ key, value, headers })),
        });
      } catch (error) {
        // Its sequence numbers no longer tell what the broker has: another batch under the same numbers would be taken for a
        // repetition and dropped. A new producer has a new id; what was stored and is sent again is a duplicate downstream.
        await discardProducer();
        throw new KafkaRequestError(`publish ${records.length} records to ${topic}`, error);
      }
    },
    async newestHeaders(topic) {
      const exists = await withAdmin('list the topics', (admin) => admin.listTopics());
      if (!exists.includes(topic)) return undefined;
      const filled = (await watermarks(topic)).filter(({ low, high }) => high > low);
      const last = filled[0];
      return last === undefined ? undefined : readHeaders(kafka, topic, last.partition, last.high - 1);
    },
    async close() {
      await discardProducer();
    },
  };
}

const READ_TIMEOUT_MS = 20_000;

async function readHeaders(
  kafka: Kafka,
  topic: string,
  partition: number,
  offset: number,
): Promise<Record<string, string>> {
  const consumer = kafka.consumer({ groupId: `hourglass-peek-${randomUUID()}` });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic });
    return await new Promise((resolve, reject) => {
      setTimeout(
        () => reject(new KafkaRequestError(`read the newest record of ${topic}`, new Error('no answer'))),
        READ_TIMEOUT_MS,
      ).unref();
      consumer
        .run({
          autoCommit: false,
          eachMessage: async ({ partition: from, message }) => {
            if (from === partition && Number(message.offset) >= offset) resolve(textHeaders(message.headers));
          },
        })
        .then(() => consumer.seek({ topic, partition, offset: String(offset) }), reject);
    });
  } finally {
    await consumer.disconnect();
  }
}

function textHeaders(headers: IHeaders | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}
