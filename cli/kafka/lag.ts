/** `hourglass kafka lag`: how far each stream has read the topics it reads, and how many records are ahead of it. */
import { renderTable } from '../table.ts';
import { declaredTopics } from './declared-topics.ts';
import { withKafka } from './with-kafka.ts';

interface LagRow {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly committed: number;
  readonly end: number;
  readonly lag: number;
}

export async function showLag({ json }: { json?: boolean }): Promise<void> {
  const rows = await withKafka(async (kafka) => {
    const found: LagRow[] = [];
    for (const { name: topic, pipeline } of declaredTopics().filter(({ isRead }) => isRead)) {
      const group = pipeline.consumerGroup;
      const committed = await kafka.committedOffsets(group, topic);
      for (const { partition, low, high } of await kafka.watermarks(topic)) {
        // What has expired cannot be read any more.
        const at = Math.max(committed.get(partition) ?? 0, low);
        found.push({ group, topic, partition, committed: at, end: high, lag: Math.max(0, high - at) });
      }
    }
    return found;
  });
  const lag = rows.reduce((sum, row) => sum + row.lag, 0);
  if (json) console.log(JSON.stringify({ lag, partitions: rows }, undefined, 2));
  else console.log(`${describe(rows)}\n\n${lagText(lag)}`);
}

const describe = (rows: readonly LagRow[]): string =>
  renderTable(
    ['Topic', 'Partition', 'Read up to', 'End', 'Ahead', 'Group'],
    rows.map(({ topic, partition, committed, end, lag, group }) => [
      topic,
      ...[partition, committed, end, lag].map(String),
      group,
    ]),
    process.stdout.columns,
  );

const lagText = (lag: number): string =>
  lag === 0
    ? 'All that was published is read.'
    : `${lag} records were not read when the last checkpoint was made; the next one tells of them.`;
