/** The rows of one batch of a partition as parameters of `store-observations.sql`, and its poison for `dead_letters`. */
import type { KafkaMessage } from 'kafkajs';
import { ArrayParameter } from './array-parameter.ts';
import { flatten, flattenedColumns } from './flatten.ts';

export interface DeadLetter {
  readonly message: KafkaMessage;
  readonly reason: string;
}

export interface PreparedBatch {
  readonly topic: string;
  readonly partition: number;
  /** The offset behind its last record: what is committed once the batch is stored. */
  readonly nextOffset: string;
  readonly rows: number;
  /** In the order of {@link arrayColumns}. */
  readonly arrays: readonly Buffer[];
  readonly deadLetters: readonly DeadLetter[];
}

/** What `unnest` in the statement is given, in order. */
export const arrayColumns = [
  ...flattenedColumns,
  { name: 'record_offset', type: 'int8' },
  { name: 'published_at', type: 'timestamptz' },
] as const;

export function prepareBatch(
  topic: string,
  partition: number,
  messages: readonly KafkaMessage[],
): PreparedBatch {
  const arrays = arrayColumns.map(({ type }) => new ArrayParameter(type));
  const deadLetters: DeadLetter[] = [];
  let rows = 0;
  for (const message of messages) {
    const publishedMs = Number(message.timestamp);
    const flattened = flatten({ value: message.value, publishedMs });
    if ('poison' in flattened) {
      deadLetters.push({ message, reason: flattened.poison });
      continue;
    }
    const { row } = flattened;
    for (let column = 0; column < row.length; column += 1) arrays[column]?.push(row[column]);
    arrays[row.length]?.push(Number(message.offset));
    arrays[row.length + 1]?.push(publishedMs);
    rows += 1;
  }
  return {
    topic,
    partition,
    nextOffset: String(Number(messages.at(-1)?.offset) + 1),
    rows,
    arrays: arrays.map((array) => array.toBuffer()),
    deadLetters,
  };
}
