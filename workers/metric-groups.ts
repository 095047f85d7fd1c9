/** What the business metrics are read from, group by group: each asks PostgreSQL or Kafka, and stands for itself. */
import type { KafkaClient } from '../clients/kafka.ts';
import type { Queries } from '../clients/postgres.ts';
import { BACKFILL_STATES, CHUNK_STATES } from '../domain/backfill-states.ts';
import { COMPLETENESS_VERDICTS, completenessVerdicts } from '../domain/completeness-verdicts.ts';
import type { MetricFamily, MetricSample } from '../domain/metrics.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { familyOf, type metricDefinitions } from './metric-definitions.ts';

export interface MetricGroup {
  readonly name: string;
  /** @throws what the doors throw */
  collect(): Promise<readonly MetricFamily[]>;
}

export interface MetricDoors {
  readonly database: Queries;
  readonly kafka: Pick<KafkaClient, 'watermarks' | 'committedOffsets'>;
  readonly pipelines: Readonly<Record<string, PipelineDefinition>>;
  /** What the pipelines' sources are called. */
  readonly sourceName: string;
}

type Samples = Partial<Record<keyof typeof metricDefinitions, readonly MetricSample[]>>;

/** Each pipeline's samples, metric by metric. */
async function ofPipelines(
  { pipelines }: MetricDoors,
  samplesOf: (pipeline: PipelineDefinition) => Promise<Samples>,
): Promise<readonly MetricFamily[]> {
  const found = new Map<keyof typeof metricDefinitions, MetricSample[]>();
  for (const pipeline of Object.values(pipelines))
    for (const [metric, samples] of Object.entries(await samplesOf(pipeline))) {
      const name = metric as keyof typeof metricDefinitions;
      found.set(name, [...(found.get(name) ?? []), ...samples]);
    }
  return [...found].map(([name, samples]) => familyOf(name, samples));
}

const sample = (labels: MetricSample['labels'], value: number): MetricSample => ({ labels, value });
const seconds = (at: Date): number => at.getTime() / 1_000;
/** What is not known is absent. */
const known = (labels: MetricSample['labels'], value: number | null | undefined): readonly MetricSample[] =>
  value === null || value === undefined ? [] : [sample(labels, value)];

/** A sample for each name, 0 where nothing was counted: a series that vanishes cannot be told from one that is not collected. */
const byName = (
  labels: MetricSample['labels'],
  label: string,
  names: readonly string[],
  counts: Readonly<Record<string, number>>,
): readonly MetricSample[] => names.map((name) => sample({ ...labels, [label]: name }, counts[name] ?? 0));

const countsBy = <Row extends object>(
  rows: readonly Row[],
  key: keyof Row,
  count: keyof Row,
): Readonly<Record<string, number>> =>
  Object.fromEntries(rows.map((row) => [String(row[key]), Number(row[count])]));

export function businessMetricGroups(doors: MetricDoors): readonly MetricGroup[] {
  const group = (name: string, samplesOf: (pipeline: PipelineDefinition) => Promise<Samples>) => ({
    ...{ name, collect: () => ofPipelines(doors, samplesOf) },
  });
  return [
    group('freshness', (pipeline) => freshness(doors, pipeline)),
    group('hours', (pipeline) => hours(doors, pipeline)),
    group('ingestion', (pipeline) => ingestion(doors, pipeline)),
    group('lag', (pipeline) => lag(doors, pipeline)),
    group('dead-letters', (pipeline) => deadLetters(doors, pipeline)),
    group('completeness', (pipeline) => completeness(doors, pipeline)),
    group('backfills', (pipeline) => backfills(doors, pipeline)),
    { name: 'flink-jobs', collect: () => flinkJobs(doors) },
  ];
}

interface FreshnessRow {
  readonly locations: number;
  readonly without_observation: number;
  readonly median_age: number | null;
  readonly late_age: number | null;
  readonly oldest_age: number | null;
}

async function freshness({ database, sourceName }: MetricDoors, { name }: PipelineDefinition) {
  const labels = { pipeline: name };
  const [row] = await database.query<FreshnessRow>('freshness-of-locations', [name, sourceName], name);
  return {
    locations: known(labels, row?.locations),
    locationsWithoutObservation: known(labels, row?.without_observation),
    observationAge: [
      ...known({ ...labels, quantile: '0.5' }, row?.median_age),
      ...known({ ...labels, quantile: '0.99' }, row?.late_age),
      ...known({ ...labels, quantile: '1' }, row?.oldest_age),
    ],
  };
}

interface ChangedHoursRow {
  readonly hours: number;
  readonly latest: Date | null;
}

async function hours({ database }: MetricDoors, { name }: PipelineDefinition) {
  const labels = { pipeline: name };
  const [row] = await database.query<ChangedHoursRow>('hours-changed-lately', [], name);
  return {
    hoursChanged: known(labels, row?.hours),
    hourChanged: known(labels, row?.latest && seconds(row.latest)),
  };
}

interface IngestionRow extends Readonly<Record<'running' | 'completed' | 'failed_runs', number>> {
  readonly published: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly calls: number;
  readonly completed_at: Date | null;
}

async function ingestion({ database, sourceName }: MetricDoors, { name }: PipelineDefinition) {
  const labels = { pipeline: name };
  const [row] = await database.query<IngestionRow>('ingestion-of-last-hour', [name, sourceName]);
  if (row === undefined) return {};
  const { running, completed, failed_runs, calls, completed_at, ...outcomes } = row;
  const runs = { running, completed, failed: failed_runs };
  return {
    ingestRuns: byName(labels, 'status', Object.keys(runs), runs),
    ingestLocations: byName(labels, 'outcome', Object.keys(outcomes), outcomes),
    ingestCalls: [sample(labels, calls)],
    ingestCompleted: known(labels, completed_at && seconds(completed_at)),
  };
}

async function lag({ kafka }: MetricDoors, { name, topics, consumerGroup }: PipelineDefinition) {
  const consumerLag: MetricSample[] = [];
  for (const { name: topic } of [topics.live, topics.repairs]) {
    const committed = await kafka.committedOffsets(consumerGroup, topic);
    for (const { partition, low, high } of await kafka.watermarks(topic)) {
      const read = Math.max(committed.get(partition) ?? 0, low);
      const labels = { pipeline: name, topic, partition: String(partition) };
      // It may have committed more since the log's end was told.
      consumerLag.push(sample(labels, Math.max(0, high - read)));
    }
  }
  return { consumerLag };
}

async function deadLetters({ database }: MetricDoors, { name, topics }: PipelineDefinition) {
  const names = [topics.live, topics.repairs, topics.deadLetters].map(({ name: topic }) => topic);
  const rows = await database.query<{ topic: string; letters: number }>('dead-letters-by-topic', [names]);
  return {
    deadLetters: byName({ pipeline: name }, 'topic', names, countsBy(rows, 'topic', 'letters')),
  };
}

interface CheckRow {
  readonly ended_at: Date;
  readonly counts: Readonly<Record<string, number>> | null;
}

const NOT_GOOD = COMPLETENESS_VERDICTS.filter((verdict) => !completenessVerdicts[verdict].isGood);

async function completeness({ database }: MetricDoors, { name }: PipelineDefinition) {
  const labels = { pipeline: name };
  const rows = await database.query<{ verdict: string; windows: number }>('windows-by-verdict', [name]);
  const [check] = await database.query<CheckRow>('latest-completeness-check', [name]);
  return {
    windowsToMend: byName(labels, 'verdict', NOT_GOOD, countsBy(rows, 'verdict', 'windows')),
    ...(check === undefined
      ? {}
      : {
          windowsJudged: byName(labels, 'verdict', COMPLETENESS_VERDICTS, check.counts ?? {}),
          completenessChecked: [sample(labels, seconds(check.ended_at))],
        }),
  };
}

interface ProgressRow {
  readonly status: string;
  readonly records: number;
  readonly windows: number;
  readonly open_chunks: number;
  readonly open_windows: number;
}

async function backfills({ database }: MetricDoors, { name }: PipelineDefinition) {
  const labels = { pipeline: name };
  const states = await database.query<{ status: string; backfills: number }>('backfills-by-status', [name]);
  const progress = await database.query<ProgressRow>('backfill-progress', [name]);
  const records = progress.reduce((sum, row) => sum + row.records, 0);
  return {
    backfills: byName(labels, 'status', BACKFILL_STATES, countsBy(states, 'status', 'backfills')),
    backfillChunks: byName(labels, 'status', CHUNK_STATES, countsBy(progress, 'status', 'open_chunks')),
    backfillWindows: byName(labels, 'status', CHUNK_STATES, countsBy(progress, 'status', 'open_windows')),
    backfillRecords: [sample(labels, records)],
    backfillWindowsDone: [sample(labels, countsBy(progress, 'status', 'windows')['done'] ?? 0)],
  };
}

interface FlinkJobRow {
  readonly name: string;
  readonly state: string;
  readonly desired: string;
  readonly attempt: number;
}

async function flinkJobs({ database }: MetricDoors): Promise<readonly MetricFamily[]> {
  const rows = await database.query<FlinkJobRow>('flink-jobs');
  return [
    familyOf(
      'flinkJob',
      rows.map(({ name: job, state, desired }) => sample({ job, state, desired }, 1)),
    ),
    familyOf(
      'flinkSubmission',
      rows.map(({ name: job, attempt }) => sample({ job }, attempt)),
    ),
  ];
}
