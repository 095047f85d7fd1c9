/** `hourglass kafka tail`: the newest records of a topic, and those that come. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaClient } from '../../clients/kafka.ts';
import type { KafkaRecord, OffsetRange } from '../../clients/kafka-reader.ts';
import { untilInterrupted } from '../interruption.ts';
import { topicNamed } from './declared-topics.ts';
import { marksOf, newestRanges, rangesBehind } from './tail-ranges.ts';
import { withKafka } from './with-kafka.ts';

interface TailOptions {
  readonly limit: number;
  readonly partition?: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const POLL_MS = 500;

export async function tailTopic(name: string, options: TailOptions): Promise<void> {
  const { name: topic } = topicNamed(name);
  const write = options.json
    ? jsonLine
    : (record: KafkaRecord) => textLine(record, process.stdout.columns || undefined);
  const show = (records: readonly KafkaRecord[]): void => {
    for (const record of records) process.stdout.write(`${write(record)}\n`);
  };
  await withKafka(async (kafka) => {
    const marks = async () => marksOf(await kafka.watermarks(topic), topic, options.partition);
    // From here on Ctrl-C is the end that was meant, also while the first records are shown.
    const signal = options.follow ? untilInterrupted() : undefined;
    let seen = await marks();
    // A record's time is the broker's, so the newest of a topic are among the newest of each partition.
    const newest = await read(kafka, topic, newestRanges(seen, options.limit));
    show(newest.slice(Math.max(0, newest.length - options.limit)));
    while (signal?.aborted === false) {
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
      const now = await marks();
      show(await read(kafka, topic, rangesBehind(seen, now)));
      seen = now;
    }
  });
}

/** In the order of their publishing. */
async function read(
  kafka: KafkaClient,
  topic: string,
  ranges: readonly OffsetRange[],
): Promise<readonly KafkaRecord[]> {
  const found: KafkaRecord[] = [];
  await kafka.read(topic, ranges, async (records) => void found.push(...records));
  return found.sort(
    (a, b) =>
      a.publishedAt.getTime() - b.publishedAt.getTime() || a.partition - b.partition || a.offset - b.offset,
  );
}

/** Bytes that are no text are shown as such a text shows them; `--json` has them too. */
const textOf = (bytes: Buffer | null): string | null => (bytes === null ? null : bytes.toString('utf8'));

const jsonLine = ({ partition, offset, key, value, headers, publishedAt }: KafkaRecord): string =>
  JSON.stringify({ partition, offset, publishedAt, key: textOf(key), headers, value: textOf(value) });

/** One line, no wider than the terminal. */
function textLine({ partition, offset, key, value, publishedAt }: KafkaRecord, width = 160): string {
  const place = `${publishedAt.toISOString().slice(0, 19)}  ${partition}/${offset}`.padEnd(30);
  const line = `${place}  ${(textOf(key) ?? '–').padEnd(8)}  ${textOf(value) ?? '–'}`.replace(
    /\p{Cc}/gu,
    ' ',
  );
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}
