/**
 * The contestant: a consumer written by hand with kafkajs and pg, as well as it can be done. It reads the options from its
 * standard input, says one line once it reads, and runs until SIGTERM.
 *
 * While PostgreSQL stores a batch of a partition the next one is fetched and parsed, one ahead. Offsets are committed after the
 * transaction, so a kill makes records come again, and the primary key of observations and the merging of new rows alone make
 * that harmless. Whatever fails ends the process: it goes on from the committed offsets when it is started again.
 */
import { text } from 'node:stream/consumers';
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { reasonOf } from '../domain/errors.ts';
import { type PreparedBatch, prepareBatch } from './handwritten/batch.ts';
import { type ConsumerOptions, consumerOptionsSchema } from './handwritten/options.ts';
import { openStore, type Store } from './handwritten/store.ts';

const PARTITIONS_AT_ONCE = 4;

async function main(): Promise<void> {
  const options = consumerOptionsSchema.parse(JSON.parse(await text(process.stdin)));
  const store = await openStore(options.postgres, PARTITIONS_AT_ONCE);
  const consumer = connectConsumer(options);
  const writer = createWriter(store, consumer);
  // What will pass, such as a coordinator that is still loading, the library waits for and joins again.
  consumer.on(consumer.events.CRASH, ({ payload: { restart, error } }) => {
    if (!restart) fail(error);
  });
  consumer.on(consumer.events.GROUP_JOIN, () => console.log('reading'));
  await consumer.connect();
  await consumer.subscribe({ topics: options.topics, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
    eachBatch: async ({ batch: { topic, partition, messages }, heartbeat }) => {
      await writer.write(prepareBatch(topic, partition, messages));
      await heartbeat();
    },
  });
  process.once('SIGTERM', async () => {
    await consumer.stop();
    await writer.finish();
    await consumer.disconnect();
    await store.close();
  });
}

const connectConsumer = ({ brokers, group, bytesPerPartition }: ConsumerOptions): Consumer =>
  new Kafka({ clientId: 'handwritten-consumer', brokers, logLevel: logLevel.NOTHING }).consumer({
    groupId: group,
    // The members of a group wait this long for one that was killed.
    sessionTimeout: 6_000,
    heartbeatInterval: 1_500,
    maxBytesPerPartition: bytesPerPartition,
    maxBytes: bytesPerPartition * PARTITIONS_AT_ONCE * 2,
    maxWaitTimeInMs: 50,
  });

/** Per partition one batch is being stored and its offset committed while the next is read; their order stays. */
function createWriter(store: Store, consumer: Consumer) {
  const underWay = new Map<string, Promise<void>>();
  const storeAndCommit = async (batch: PreparedBatch): Promise<void> => {
    const { topic, partition, nextOffset } = batch;
    await store.store(batch);
    await consumer.commitOffsets([{ topic, partition, offset: nextOffset }]);
  };
  return {
    /** Resolves when the partition's batch before this one is stored and committed. */
    async write(batch: PreparedBatch): Promise<void> {
      const place = `${batch.topic}/${batch.partition}`;
      await underWay.get(place);
      underWay.set(place, storeAndCommit(batch).catch(fail));
    },
    async finish(): Promise<void> {
      await Promise.all(underWay.values());
    },
  };
}

function fail(error: unknown): never {
  console.error(
    `The consumer ends, and goes on from its committed offsets when started again: ${reasonOf(error)}`,
  );
  process.exit(1);
}

await main().catch(fail);
