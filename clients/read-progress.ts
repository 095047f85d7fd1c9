/** How far a stream has read its topics, summed over partitions: what its consumer group has committed, and where the logs end. */
import type { KafkaClient } from './kafka.ts';

/** @returns undefined when Kafka does not answer: that says nothing about the reader */
export async function readProgress(
  kafka: Pick<KafkaClient, 'watermarks' | 'committedOffsets'>,
  group: string,
  topics: readonly string[],
): Promise<{ read: number; end: number } | undefined> {
  let read = 0;
  let end = 0;
  try {
    for (const topic of topics) {
      const committed = await kafka.committedOffsets(group, topic);
      for (const { partition, low, high } of await kafka.watermarks(topic)) {
        read += Math.max(committed.get(partition) ?? 0, low);
        end += high;
      }
    }
  } catch {
    return undefined;
  }
  return { read, end };
}
