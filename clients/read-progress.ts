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

/** Where the log of a topic's partition began and ended when somebody asked. */
export interface LogEnd {
  readonly topic: string;
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** @throws KafkaRequestError */
export async function logEnds(
  kafka: Pick<KafkaClient, 'watermarks'>,
  topics: readonly string[],
): Promise<readonly LogEnd[]> {
  const ends: LogEnd[] = [];
  for (const topic of topics)
    ends.push(...(await kafka.watermarks(topic)).map((watermarks) => ({ topic, ...watermarks })));
  return ends;
}

/** How many records before these ends a consumer group has not committed yet. @throws KafkaRequestError */
export async function unreadBefore(
  kafka: Pick<KafkaClient, 'committedOffsets'>,
  group: string,
  ends: readonly LogEnd[],
): Promise<number> {
  let unread = 0;
  for (const topic of new Set(ends.map((end) => end.topic))) {
    const committed = await kafka.committedOffsets(group, topic);
    for (const { partition, low, high } of ends.filter((end) => end.topic === topic))
      unread += Math.max(0, high - Math.max(low, committed.get(partition) ?? 0));
  }
  return unread;
}
