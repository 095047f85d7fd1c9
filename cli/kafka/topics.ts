/** `hourglass kafka topics`: every declared topic, with what Kafka has of it. */
import { stretch } from '../job/format.ts';
import { renderTable } from '../table.ts';
import { type DeclaredTopic, declaredTopics, topicRoles } from './declared-topics.ts';
import { withKafka } from './with-kafka.ts';

interface TopicRow {
  readonly name: string;
  readonly role: DeclaredTopic['role'];
  readonly partitions: number;
  /** How many Kafka still has. */
  readonly records: number;
  /** How many were ever published. */
  readonly published: number;
  readonly retentionMs: number;
}

export async function showTopics({ json }: { json?: boolean }): Promise<void> {
  const rows = await withKafka(async (kafka) => {
    const found: TopicRow[] = [];
    for (const { name, role, retentionMs } of declaredTopics()) {
      const marks = await kafka.watermarks(name);
      const published = marks.reduce((sum, { high }) => sum + high, 0);
      const records = published - marks.reduce((sum, { low }) => sum + low, 0);
      found.push({ name, role, partitions: marks.length, records, published, retentionMs });
    }
    return found;
  });
  console.log(json ? JSON.stringify(rows, undefined, 2) : describe(rows));
}

const describe = (rows: readonly TopicRow[]): string =>
  renderTable(
    ['Topic', 'For', 'Partitions', 'Records', 'Published', 'Kept for', 'What is in it'],
    rows.map(({ name, role, partitions, records, published, retentionMs }) => [
      name,
      role,
      String(partitions),
      String(records),
      String(published),
      stretch(retentionMs),
      topicRoles[role],
    ]),
    process.stdout.columns,
  );
