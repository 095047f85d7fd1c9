/** The question: what does each setting of the pipeline do to throughput, CPU and state? One change a run, against the pipeline as it is. */
import { Command } from 'commander';
import { reasonOf } from '../domain/errors.ts';
import { weather } from '../pipelines/weather/definition.ts';
import { choose, names, runCommand, wholeNumber } from './support/command.ts';
import { type Measurement, measureFlink, type Run } from './support/contestants.ts';
import { loadInput } from './support/input.ts';
import { machineFacts } from './support/machine.ts';
import { markdownTable, median, seconds, thousands, writeSection } from './support/results.ts';
import { type BenchStack, withBenchStack } from './support/stack.ts';
import { dropTables, type Truth } from './support/tables.ts';
import { createTaskManagerReplacer } from './support/task-manager.ts';
import { type BenchTopics, createTopics } from './support/topics.ts';
import { BASELINE, type Variant, variants, withBaselines } from './variants.ts';

interface Options {
  readonly records: number;
  readonly only?: readonly string[];
}

interface Figures extends Measurement {
  readonly checkpointBytes: number;
}

type Result = { readonly variant: Variant } & ({ readonly figures: Figures } | { readonly failure: string });

async function measureSettings(
  stack: BenchStack,
  chosen: readonly Variant[],
  records: number,
): Promise<void> {
  const topicsOf = await createTopicsFor(stack, chosen);
  const truth = await loadInput(stack, [...topicsOf.values()], records);
  const measureVariant = createMeasure(stack, topicsOf, truth);
  const results: Result[] = [];
  for (const variant of withBaselines(chosen)) {
    const result = await measureVariant(variant).then(
      (figures) => ({ variant, figures }),
      (error) => ({ variant, failure: reasonOf(error) }),
    );
    results.push(result);
    console.error(`  ${variant.name}: ${lineOf(result)}`);
  }
  writeSection('Settings', await settingsText(stack, truth, results));
  const failed = results.flatMap((result) => ('failure' in result ? [result.variant.name] : []));
  if (failed.length > 0) process.exitCode = 1;
}

const DEFINED_PARTITIONS = weather.topics.live.partitions;

async function createTopicsFor(
  stack: BenchStack,
  chosen: readonly Variant[],
): Promise<ReadonlyMap<number, BenchTopics>> {
  const counts = new Set([DEFINED_PARTITIONS, ...chosen.flatMap(({ partitions }) => partitions ?? [])]);
  const made = new Map<number, BenchTopics>();
  for (const count of counts) made.set(count, await createTopics(stack, `settings-${count}`, count));
  return made;
}

function createMeasure(stack: BenchStack, topicsOf: ReadonlyMap<number, BenchTopics>, truth: Truth) {
  const taskManager = createTaskManagerReplacer(stack);
  let runs = 0;
  const inFreshTables = async <T>(topics: BenchTopics, work: (run: Run) => Promise<T>): Promise<T> => {
    runs += 1;
    const run: Run = { topics, truth, schema: `settings_${runs}` };
    return work(run).finally(() => dropTables(stack, run.schema));
  };
  return async ({ partitions = DEFINED_PARTITIONS, ...variant }: Variant): Promise<Figures> => {
    const topics = topicsOf.get(partitions);
    if (topics === undefined) throw new Error(`There is no topic with ${partitions} partitions.`);
    // What a JVM needs until its code is compiled would be most of a short run.
    if (await taskManager.prepare(variant.jvm))
      await inFreshTables(topics, (run) => measureFlink(stack, run));
    await setPostgres(stack, variant.postgres);
    try {
      return await inFreshTables(topics, (run) => measureWithCheckpoint(stack, run, variant));
    } finally {
      await resetPostgres(stack, variant.postgres);
    }
  };
}

async function measureWithCheckpoint(
  stack: BenchStack,
  run: Run,
  { settings = {}, tableOptions = {}, driver = {}, hourlyFillfactor }: Variant,
): Promise<Figures> {
  let checkpointBytes = 0;
  const measurement = await measureFlink(stack, run, {
    settings,
    tableOptions,
    driver,
    beforeStart: async () => {
      if (hourlyFillfactor !== undefined)
        await stack.sql.query(
          `alter table ${run.schema}.weather_hourly set (fillfactor = ${hourlyFillfactor})`,
        );
    },
    beforeCancel: async (job) => {
      checkpointBytes = await job.checkpointBytes();
    },
  });
  return { ...measurement, checkpointBytes };
}

async function setPostgres(stack: BenchStack, settings: Variant['postgres'] = {}): Promise<void> {
  for (const [name, value] of Object.entries(settings))
    await stack.asSuperuser(`alter system set ${name} = '${value}'`);
  await stack.asSuperuser('select pg_reload_conf()');
}

async function resetPostgres(stack: BenchStack, settings: Variant['postgres'] = {}): Promise<void> {
  for (const name of Object.keys(settings)) await stack.asSuperuser(`alter system reset ${name}`);
  await stack.asSuperuser('select pg_reload_conf()');
}

async function settingsText(stack: BenchStack, truth: Truth, results: readonly Result[]): Promise<string> {
  const baseline = median(
    results.flatMap((result) =>
      result.variant === BASELINE && 'figures' in result ? [result.figures.recordsPerSecond] : [],
    ),
  );
  const rows = results.map((result) => [
    result.variant.name,
    result.variant.question,
    ...('figures' in result
      ? [
          thousands(result.figures.recordsPerSecond),
          `${(result.figures.recordsPerSecond / baseline).toFixed(2)}×`,
          seconds(result.figures.cpu['flink-taskmanager'] ?? 0),
          seconds(result.figures.cpu['postgres'] ?? 0),
          seconds(result.figures.checkpointBytes / 1_000_000),
        ]
      : [`failed: ${result.failure.replaceAll('|', '\\|').replaceAll('\n', ' ')}`, '–', '–', '–', '–']),
  ]);
  return [
    await machineFacts(stack),
    `${thousands(truth.observations)} records that are already in Kafka, each variant in fresh tables on a TaskManager that has warmed up with a run that is not counted; the ratio is to the median of the baselines, whose spread is the noise. After each run both tables were compared with the truth. The checkpoint is taken when everything is stored.`,
    markdownTable(
      [
        'variant',
        'what it is',
        'records/s',
        'ratio',
        'TaskManager CPU s',
        'PostgreSQL CPU s',
        'checkpoint MB',
      ],
      rows,
    ),
  ].join('\n\n');
}

function lineOf(result: Result): string {
  return 'failure' in result
    ? result.failure
    : `${thousands(result.figures.recordsPerSecond)} records/s, checkpoint ${seconds(result.figures.checkpointBytes / 1_000_000)} MB`;
}

const command = new Command('bench:settings')
  .description('One setting at a time against the pipeline as it is defined')
  .option('--records <number>', 'how many records are measured', wholeNumber, 300_000)
  .option('--only <names>', 'some of the variants, separated by commas', names)
  .action(async ({ records, only }: Options) => {
    const chosen = choose(variants, only);
    await withBenchStack((stack) => measureSettings(stack, chosen, records));
  });

await runCommand(command);
