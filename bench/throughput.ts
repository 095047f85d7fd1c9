/**
 * The question: how fast do records that are already in Kafka reach both tables, through Flink SQL and through a consumer written
 * by hand, and what does each cost? With the proof that the consumer is right, and how fresh the rows are at a steady pace.
 */
import { Command } from 'commander';
import { measureFreshness } from './freshness.ts';
import { proveConsumer } from './proof.ts';
import { choose, names, runCommand, wholeNumber } from './support/command.ts';
import { type Measurement, measureConsumer, measureFlink } from './support/contestants.ts';
import { loadInput } from './support/input.ts';
import { machineFacts } from './support/machine.ts';
import { markdownTable, median, seconds, thousands, writeSection } from './support/results.ts';
import { type BenchStack, withBenchStack } from './support/stack.ts';
import { checkAgainstEachOther, dropTables, type Truth } from './support/tables.ts';
import { createTopics } from './support/topics.ts';

interface Options {
  readonly records: number;
  readonly rounds: number;
  readonly proofRecords: number;
  readonly freshnessRate: number;
  readonly freshnessSeconds: number;
  readonly only?: readonly string[];
}

const contestants = [
  { name: 'Flink SQL', key: 'flink', measure: measureFlink },
  { name: 'hand-written consumer', key: 'consumer', measure: measureConsumer },
] as const;

interface Result extends Measurement {
  readonly round: number;
  readonly contestant: string;
}

async function measureThroughput(stack: BenchStack, { records, rounds }: Options): Promise<void> {
  const topics = await createTopics(stack, 'throughput');
  const truth = await loadInput(stack, [topics], records);
  const results: Result[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    // The order is swapped from round to round: who comes second finds warm caches and a fuller disk.
    const order = round % 2 === 1 ? contestants : [...contestants].reverse();
    for (const { name, key, measure } of order) {
      const result = await measure(stack, { topics, truth, schema: `${key}_${round}` });
      results.push({ ...result, round, contestant: name });
      console.error(
        `  round ${round}, ${name}: ${thousands(result.recordsPerSecond)} records/s, ${seconds(result.wallSeconds)} s`,
      );
    }
    await checkAgainstEachOther(stack, `flink_${round}`, `consumer_${round}`);
    for (const { key } of contestants) await dropTables(stack, `${key}_${round}`);
  }
  writeSection('Throughput', await throughputText(stack, truth, results));
}

const PROCESSES = [
  ['Kafka', 'kafka'],
  ['PostgreSQL', 'postgres'],
  ['JobManager', 'flink-jobmanager'],
  ['TaskManager', 'flink-taskmanager'],
  ['SQL Gateway', 'flink-gateway'],
  ['consumer', 'consumer'],
] as const;

async function throughputText(stack: BenchStack, truth: Truth, results: readonly Result[]): Promise<string> {
  const rows = results.map(({ round, contestant, startUpSeconds, wallSeconds, recordsPerSecond, cpu }) => [
    String(round),
    contestant,
    seconds(startUpSeconds),
    seconds(wallSeconds),
    thousands(recordsPerSecond),
    seconds(totalOf(cpu)),
    ...PROCESSES.map(([, name]) => (cpu[name] === undefined ? '–' : seconds(cpu[name]))),
  ]);
  const columns = [
    'round',
    'contestant',
    'start-up s',
    'wall s',
    'records/s',
    'CPU s',
    ...PROCESSES.map(([title]) => title),
  ];
  const summary = contestants.map(({ name }) => {
    const own = results.filter(({ contestant }) => contestant === name);
    const cpuPerMillion = median(own.map(({ cpu }) => (totalOf(cpu) / truth.observations) * 1_000_000));
    return `- ${name}: median ${thousands(median(own.map(({ recordsPerSecond }) => recordsPerSecond)))} records/s, ${seconds(cpuPerMillion)} CPU seconds per million records.`;
  });
  return [
    await machineFacts(stack),
    `${thousands(truth.observations)} records of about 500 bytes of JSON, which make ${thousands(truth.hours)} hours, already in Kafka; stored in observations and weather_hourly with all their columns, keys, indexes and guards. Each run has fresh tables. In Flink's first round its JVMs are cold; the consumer is a new process in each round. The wall time begins when the contestant reads and ends when both tables hold everything (seen to 0.2 s); CPU seconds include its start-up. After each run both tables are compared with a truth computed from the input, row by row and column by column, and then with each other.`,
    markdownTable(columns, rows),
    summary.join('\n'),
  ].join('\n\n');
}

const totalOf = (cpu: Measurement['cpu']): number =>
  PROCESSES.reduce((sum, [, name]) => sum + (cpu[name] ?? 0), 0);

const questions = [
  { name: 'proof', ask: (stack: BenchStack, options: Options) => proveConsumer(stack, options.proofRecords) },
  { name: 'throughput', ask: measureThroughput },
  {
    name: 'freshness',
    ask: (stack: BenchStack, { freshnessRate, freshnessSeconds }: Options) =>
      measureFreshness(stack, { recordsPerSecond: freshnessRate, measuredSeconds: freshnessSeconds }),
  },
] as const;

const command = new Command('bench:throughput')
  .description('Flink SQL against a hand-written consumer: throughput, CPU, proof and freshness')
  .option('--records <number>', 'how many records are measured', wholeNumber, 1_000_000)
  .option('--rounds <number>', 'how often each contestant runs', wholeNumber, 3)
  .option('--proof-records <number>', 'how many observations the proof takes', wholeNumber, 100_000)
  .option('--freshness-rate <number>', 'records a second of the steady pace', wholeNumber, 1_000)
  .option('--freshness-seconds <number>', 'how long the steady pace is measured', wholeNumber, 60)
  .option('--only <names>', `some of: ${questions.map(({ name }) => name).join(', ')}`, names)
  .action(async (options: Options) => {
    const chosen = choose(questions, options.only);
    await withBenchStack(async (stack) => {
      for (const { ask } of chosen) await ask(stack, options);
    });
  });

await runCommand(command);
