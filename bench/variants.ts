/** What `bench:settings` tries: each variant changes one thing of the pipeline as it is defined. */

export type Collector = 'G1' | 'Parallel';

export interface Variant {
  readonly name: string;
  readonly question: string;
  /** Settings of the Flink job. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Options of Flink's tables, by table. */
  readonly tableOptions?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The storage parameter of PostgreSQL's table weather_hourly. */
  readonly hourlyFillfactor?: number;
  /** Settings of the PostgreSQL server that need no restart. */
  readonly postgres?: Readonly<Record<string, string>>;
  /** The TaskManager's JVM. */
  readonly jvm?: { readonly collector?: Collector; readonly taskHeapMb?: number; readonly youngMb?: number };
  /** Options of the PostgreSQL driver in Flink. */
  readonly driver?: Readonly<Record<string, string>>;
  readonly partitions?: number;
}

export const BASELINE: Variant = { name: 'baseline', question: 'the pipeline as it is defined' };

const setting = (name: string, question: string, settings: Record<string, string>): Variant => ({
  name,
  question,
  settings,
});

const sink = (table: string, option: 'max-rows' | 'interval', value: string): Variant => ({
  name: `${table === 'observations' ? 'observations' : 'hourly'}-flush-${value.replace(' ', '')}`,
  question: `${table} flushed at ${value}${option === 'max-rows' ? ' rows' : ''}`,
  tableOptions: { [table]: { [`sink.buffer-flush.${option}`]: value } },
});

const checkpoints = (interval: string): Variant =>
  setting(`checkpoint-${interval.replace(' ', '')}`, `a checkpoint each ${interval}`, {
    'execution.checkpointing.interval': interval,
    // Or the least pause of the cluster would decide.
    'execution.checkpointing.min-pause': '1 s',
  });

const SHARED_DEDUPLICATION = 'table.optimizer.reuse-optimize-block-with-digest-enabled';

/** Those that say what the definition already says show how much a figure moves by itself. */
export const variants: readonly Variant[] = [
  setting('dedup-shared', 'one deduplication for both tables', { [SHARED_DEDUPLICATION]: 'true' }),
  setting('dedup-each', 'a deduplication for each table', { [SHARED_DEDUPLICATION]: 'false' }),
  setting('state-hashmap', 'state on the heap', { 'state.backend.type': 'hashmap' }),
  setting('state-rocksdb', 'state in RocksDB', { 'state.backend.type': 'rocksdb' }),
  ...['2 s', '10 s', '30 s'].map(checkpoints),
  setting('object-reuse-on', 'rows are handed on without a copy', { 'pipeline.object-reuse': 'true' }),
  setting('object-reuse-off', 'rows are copied between operators', { 'pipeline.object-reuse': 'false' }),
  ...['1000', '5000', '20000'].map((rows) => sink('observations', 'max-rows', rows)),
  ...['5000', '20000', '200000'].map((rows) => sink('weather_hourly', 'max-rows', rows)),
  ...['1 s', '3 s'].map((interval) => sink('weather_hourly', 'interval', interval)),
  setting('mini-batch-on', 'the aggregate waits for a second or 5,000 rows', {
    'table.exec.mini-batch.enabled': 'true',
    'table.exec.mini-batch.allow-latency': '1 s',
    'table.exec.mini-batch.size': '5000',
  }),
  setting('mini-batch-off', 'the aggregate takes each row at once', {
    'table.exec.mini-batch.enabled': 'false',
  }),
  ...['1', '2'].map((parallelism) =>
    setting(`parallelism-${parallelism}`, `parallelism ${parallelism}`, {
      'parallelism.default': parallelism,
    }),
  ),
  ...[50, 100].map((fillfactor) => ({
    name: `fillfactor-${fillfactor}`,
    question: `pages of weather_hourly filled to ${fillfactor} %`,
    hourlyFillfactor: fillfactor,
  })),
  ...['1GB', '4GB'].map((size) => ({
    name: `max-wal-${size}`,
    question: `PostgreSQL's max_wal_size ${size}`,
    postgres: { max_wal_size: size },
  })),
  ...['true', 'false'].map((isFast) => ({
    name: `json-parser-${isFast === 'true' ? 'fast' : 'tree'}`,
    question: `json.decode.json-parser.enabled ${isFast}`,
    tableOptions: { records: { 'json.decode.json-parser.enabled': isFast } },
  })),
  ...(['G1', 'Parallel'] as const).map((collector) => ({
    name: `collector-${collector}`,
    question: `the TaskManager's garbage collector ${collector}`,
    jvm: { collector },
  })),
  ...[600, 1024, 1400].map((taskHeapMb) => ({
    name: `heap-${taskHeapMb}`,
    question: `${taskHeapMb} MB of heap for the tasks`,
    jvm: { taskHeapMb },
  })),
  ...[300, 600].map((youngMb) => ({
    name: `young-${youngMb}`,
    question: `${youngMb} MB of the TaskManager's heap for young objects`,
    jvm: { youngMb },
  })),
  ...['false', 'true'].map((isRewritten) => ({
    name: `batches-${isRewritten === 'true' ? 'rewritten' : 'as-rows'}`,
    question: `the driver's reWriteBatchedInserts ${isRewritten}`,
    driver: { reWriteBatchedInserts: isRewritten },
  })),
  ...[1, 4, 8].map((partitions) => ({
    name: `partitions-${partitions}`,
    question: `the live topic with ${partitions} partition${partitions === 1 ? '' : 's'}`,
    partitions,
  })),
];

/** First, in the middle and last: how far they lie apart is the noise of this run. */
export function withBaselines(chosen: readonly Variant[]): readonly Variant[] {
  const middle = Math.ceil(chosen.length / 2);
  return [BASELINE, ...chosen.slice(0, middle), BASELINE, ...chosen.slice(middle), BASELINE];
}
