/** Finds where the records of a batch stand in their topic: which partition each was given, and from which offset a partition's begin. */
import { type ICustomPartitioner, type Message, Partitioners, type RecordMetadata } from 'kafkajs';

export interface StoredPlace {
  readonly partition: number;
  readonly offset: number;
}

/**
 * The partitioner of Kafka's Java client, which also remembers what it decided: the library tells only the first offset of each
 * partition, and keeps the order of a batch within it.
 */
export function createPlacingPartitioner() {
  const partitions = new WeakMap<Message, number>();
  const createPartitioner: ICustomPartitioner = () => {
    const decide = Partitioners.DefaultPartitioner();
    return (given) => {
      const partition = decide(given);
      partitions.set(given.message, partition);
      return partition;
    };
  };
  return {
    createPartitioner,
    /** @throws when the answer does not tell of every record: then nothing is known of where they are */
    placesOf(messages: readonly Message[], answer: readonly RecordMetadata[]): readonly StoredPlace[] {
      const next = new Map(answer.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
      return messages.map((message) => {
        const partition = partitions.get(message) ?? Number.NaN;
        const offset = next.get(partition) ?? Number.NaN;
        if (!(offset >= 0)) throw new Error('the answer does not tell the offset of every record');
        next.set(partition, offset + 1);
        return { partition, offset };
      });
    },
  };
}
