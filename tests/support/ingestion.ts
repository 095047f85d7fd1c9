/** What tests ask of ingestion on a stack of their own: its runs, its schedule at rest, and the records in the topic. */
import { connectKafka } from '../../clients/kafka.ts';
import { kafkaBrokers } from '../../config/addresses.ts';
import { ingestScheduleId } from '../../domain/identities.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { eventually } from './eventually.ts';
import type { OwnStack } from './own-stack.ts';

export interface RunRow {
  readonly scheduled_at: Date;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly status: 'running' | 'completed' | 'failed';
  readonly error: string | null;
  readonly attempts: number;
  readonly due: number;
  readonly called: number;
  readonly published: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly api_calls: number;
}

export const runsOf = (stack: OwnStack, where = 'true'): Promise<RunRow[]> =>
  stack.sql<RunRow>(`select * from ingest_runs where ${where} order by scheduled_at`);

/** No run under way, and none to come until `resume`. */
export async function pauseIngestion(stack: Pick<OwnStack, 'withTemporal'>): Promise<void> {
  await stack.withTemporal(async (client) => {
    await client.schedule.getHandle(ingestScheduleId('weather', 'mock', 0)).pause('a test compares');
    await eventually(
      'no ingestion runs',
      () => client.workflow.count("WorkflowType = 'ingestWeather' AND ExecutionStatus = 'Running'"),
      ({ count }) => count === 0,
      { withinMs: 300_000 },
    );
  });
}

export const resumeIngestion = (stack: Pick<OwnStack, 'withTemporal'>): Promise<void> =>
  stack.withTemporal((client) =>
    client.schedule.getHandle(ingestScheduleId('weather', 'mock', 0)).unpause('a test goes on'),
  );

export interface TopicRecord {
  /** `<city id>/<dt>` */
  readonly key: string;
  readonly cityId: number;
  /** The run that published it, by its nominal time in ISO 8601. */
  readonly scheduledAt: string;
}

export const liveRecords = (stack: OwnStack): Promise<TopicRecord[]> =>
  recordsOf(stack, weather.topics.live.name);

/** Of a topic whose records are as the source serves the present. */
export async function recordsOf(stack: OwnStack, name: string): Promise<TopicRecord[]> {
  const kafka = connectKafka(kafkaBrokers(stack.config));
  try {
    const marks = await kafka.watermarks(name);
    const ranges = marks.map(({ partition, low, high }) => ({ partition, first: low, end: high }));
    const found: TopicRecord[] = [];
    await kafka.read(name, ranges, async (records) => {
      for (const { value, headers } of records) {
        const { id, dt } = JSON.parse(String(value)) as { id: number; dt: number };
        found.push({ key: `${id}/${dt}`, cityId: id, scheduledAt: headers['scheduled_at'] ?? '' });
      }
    });
    return found;
  } finally {
    await kafka.close();
  }
}

/** Keys that stand in the topic more than once, each as often as it is too many. */
export function repeatedKeys(records: readonly TopicRecord[]): string[] {
  const seen = new Set<string>();
  return records.flatMap(({ key }) => {
    if (seen.has(key)) return [key];
    seen.add(key);
    return [];
  });
}

/** Waits until every record of the topic is a row, and every row counts in its hour; then the rows are the records. */
export async function untilStored(stack: OwnStack, records: readonly TopicRecord[]): Promise<string[]> {
  const keys = [...new Set(records.map(({ key }) => key))].sort();
  const counts = async () => {
    const [row] = await stack.sql<{ rows: string; counted: string }>(
      'select (select count(*) from observations) as rows, (select sum(observation_count) from weather_hourly) as counted',
    );
    return [Number(row?.rows), Number(row?.counted)];
  };
  await eventually(
    'everything is stored and counted',
    counts,
    ([rows, counted]) => rows === keys.length && counted === keys.length,
    { withinMs: 120_000 },
  );
  const stored = await stack.sql<{ key: string }>(
    "select city_id || '/' || extract(epoch from observed_at)::bigint as key from observations",
  );
  return stored.map(({ key }) => key).sort();
}
