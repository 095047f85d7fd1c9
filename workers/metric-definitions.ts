/** The metrics of Hourglass itself: their names, types and what they say, as docs/metrics.md lists them; the SDK's are the SDK's. */
import type { MetricDefinition, MetricFamily, MetricSample } from '../domain/metrics.ts';

const gauge = (name: string, labels: readonly string[], help: string): MetricDefinition => ({
  ...{ name: `hourglass_${name}`, type: 'gauge', labels, help },
});
const counter = (name: string, labels: readonly string[], help: string): MetricDefinition => ({
  ...gauge(name, labels, help),
  type: 'counter',
});

export const metricDefinitions = {
  locations: gauge('locations', ['pipeline'], 'Active locations of the registry.'),
  locationsWithoutObservation: gauge(
    'locations_without_observation',
    ['pipeline'],
    'Active locations of which no observation was ever published.',
  ),
  observationAge: gauge(
    'observation_age_seconds',
    ['pipeline', 'quantile'],
    "Age of the active locations' newest published observation: of half of them, of 99 in 100, of all.",
  ),
  hoursChanged: gauge(
    'hours_changed',
    ['pipeline'],
    'Rows of hours that were written in the last five minutes.',
  ),
  hourChanged: gauge(
    'hour_changed_timestamp_seconds',
    ['pipeline'],
    'When the last of them was written; absent when none was.',
  ),
  ingestRuns: gauge(
    'ingest_runs',
    ['pipeline', 'status'],
    'Runs of ingestion that were due in the last hour.',
  ),
  ingestLocations: gauge(
    'ingest_locations',
    ['pipeline', 'outcome'],
    'What became of the locations of these runs; one that is polled in several runs counts in each.',
  ),
  ingestCalls: gauge('ingest_source_calls', ['pipeline'], 'Calls to the source that these runs made.'),
  ingestCompleted: gauge(
    'ingest_completed_timestamp_seconds',
    ['pipeline'],
    'When the last of these runs that went well ended; absent when none did.',
  ),
  consumerLag: gauge(
    'consumer_lag_records',
    ['pipeline', 'topic', 'partition'],
    "Records that the stream has not yet read: from what it has committed to the log's end.",
  ),
  deadLetters: gauge('dead_letters', ['pipeline', 'topic'], 'Dead letters that have no outcome.'),
  windowsToMend: gauge(
    'completeness_windows_to_mend',
    ['pipeline', 'verdict'],
    'Hours of locations that are not good now, of any age.',
  ),
  windowsJudged: gauge(
    'completeness_judged_windows',
    ['pipeline', 'verdict'],
    'Hours of locations that the last completeness check judged so.',
  ),
  completenessChecked: gauge(
    'completeness_check_timestamp_seconds',
    ['pipeline'],
    'When the last completeness check ended; absent before the first.',
  ),
  backfills: gauge('backfills', ['pipeline', 'status'], 'Backfills there are, by state.'),
  backfillChunks: gauge(
    'backfill_open_chunks',
    ['pipeline', 'status'],
    'Chunks of the backfills that are not over, by state.',
  ),
  backfillWindows: gauge(
    'backfill_open_windows',
    ['pipeline', 'status'],
    'Hours of locations in these chunks.',
  ),
  backfillRecords: counter(
    'backfill_records_total',
    ['pipeline'],
    'Records that backfills have published or read from the log.',
  ),
  backfillWindowsDone: counter(
    'backfill_done_windows_total',
    ['pipeline'],
    'Hours of locations that backfills have loaded.',
  ),
  flinkJob: gauge(
    'flink_job',
    ['job', 'state', 'desired'],
    '1 for the state that the job’s actor has recorded last.',
  ),
  flinkSubmission: gauge('flink_job_submission', ['job'], 'The number of its newest submission.'),
  groupUp: gauge(
    'metrics_group_up',
    ['group'],
    '1 when the metrics of this group could be collected, else 0: then they are absent.',
  ),
  workerInfo: gauge('worker_info', ['build', 'roles'], 'Always 1: which worker this is.'),
  workerReady: gauge('worker_ready', [], '1 while it polls all of its task queues.'),
  workerMemory: gauge('worker_resident_memory_bytes', [], 'Memory of the process.'),
  workerHeap: gauge('worker_heap_used_bytes', [], 'Heap in use, without that of the workflows.'),
  workerHeapLimit: gauge('worker_heap_limit_bytes', [], 'The most it may be.'),
  workerCpu: counter('worker_cpu_seconds_total', [], 'CPU time of the process.'),
  workerDelay: gauge(
    'worker_event_loop_delay_seconds',
    ['quantile'],
    'How late its turns came since it was asked last: how busy its one thread for activities is.',
  ),
} as const satisfies Record<string, MetricDefinition>;

export const familyOf = (
  name: keyof typeof metricDefinitions,
  samples: readonly MetricSample[],
): MetricFamily => ({ definition: metricDefinitions[name], samples });
