import fc from 'fast-check';
import { type Message, Partitioners } from 'kafkajs';
import { expect, test } from 'vitest';
import { createPlacingPartitioner } from './placing-partitioner.ts';

const PARTITIONS = 4;
const topic = 'a-topic';
const partitionMetadata = Array.from({ length: PARTITIONS }, (_, partitionId) => ({
  ...{ partitionId, leader: 1, isr: [1], replicas: [1] },
  partitionErrorCode: 0,
}));

/** What a broker does with a batch: each partition's records in their order, behind what it has already. */
function brokerOf(
  ends: readonly number[],
  messages: readonly Message[],
  partitionOf: (m: Message) => number,
) {
  const logs = ends.map((end) => ({ end, base: undefined as number | undefined }));
  const stored = messages.map((message) => {
    const partition = partitionOf(message);
    const log = logs[partition]!;
    log.base ??= log.end;
    log.end += 1;
    return { partition, offset: log.end - 1 };
  });
  const answer = logs.flatMap(({ base }, partition) =>
    base === undefined ? [] : [{ topicName: topic, partition, errorCode: 0, baseOffset: String(base) }],
  );
  return { stored, answer };
}

test('every record is found where the broker put it, in the partition of Kafka’s Java client', () => {
  const batches = fc.array(fc.nat(20), { maxLength: 30 });
  fc.assert(
    fc.property(
      batches,
      fc.array(fc.nat(1_000), { minLength: PARTITIONS, maxLength: PARTITIONS }),
      (keys, ends) => {
        const placing = createPlacingPartitioner();
        const partitioner = placing.createPartitioner();
        const usual = Partitioners.DefaultPartitioner();
        const messages = keys.map((key) => ({ key: String(key), value: 'v' }));
        const { stored, answer } = brokerOf(ends, messages, (message) => {
          const partition = partitioner({ topic, partitionMetadata, message });
          expect(partition).toBe(usual({ topic, partitionMetadata, message }));
          return partition;
        });
        expect(placing.placesOf(messages, answer)).toEqual(stored);
      },
    ),
  );
});

test('an answer without an offset is an error: nobody may take a wrong place for the right one', () => {
  const placing = createPlacingPartitioner();
  const message = { key: '1', value: 'v' };
  const partition = placing.createPartitioner()({ topic, partitionMetadata, message });
  const answer = { topicName: topic, partition, errorCode: 0 };
  expect(() => placing.placesOf([message], [])).toThrow(/does not tell the offset/);
  expect(() => placing.placesOf([message], [answer])).toThrow(/does not tell the offset/);
  expect(() => placing.placesOf([message], [{ ...answer, baseOffset: '-1' }])).toThrow(/does not tell/);
});
