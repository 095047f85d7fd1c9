/**
 * The questions: how fast does a backfill bring records from a file into both tables, what memory does its worker need, and how fresh
 * are live records beside it? On a whole stack, as a user has it.
 */
import { Command } from 'commander';
import { type MeasuredBackfill, measureBackfill } from './support/backfill-run.ts';
import { choose, names, runCommand, wholeNumber } from './support/command.ts';
import { publishFileLive, publishSteadily, untilHeld } from './support/live-records.ts';
import { machineFacts } from './support/machine.ts';
import { readMemory } from './support/memory.ts';
import { type RecordFile, writeRecordFile } from './support/record-file.ts';
import { FIRST_ID } from './support/records.ts';
import { markdownTable, seconds, thousands, writeSection } from './support/results.ts';
import { readBenchSql } from './support/sql.ts';
import { checkTotals, IDS_OF_A_SET } from './support/totals.ts';
import { type WholeStack, withWholeStack } from './support/whole-stack.ts';

interface Options {
  readonly records: number;
  readonly liveRate: number;
  readonly idleSeconds: number;
  readonly only?: readonly string[];
}

/** By how many sets of cities the ids of each kind of live records are moved from the file's. */
const SETS = { stream: 1, warmUp: 2, idle: 3, beside: 4 } as const;
const firstIdOf = (sets: number): number => FIRST_ID + sets * IDS_OF_A_SET;

async function measureThroughput(stack: WholeStack, { records }: Options): Promise<void> {
  const file = await writeRecordFile(stack, { records, daysAgo: 10 });
  const worker = stack.workerPid();
  const before = readMemory(worker);
  const backfill = await measureBackfill(stack, file);
  const { peakMb } = readMemory(worker);
  console.error(`  backfill: ${seconds(backfill.seconds)} s, the worker's peak ${thousands(peakMb)} MB`);
  const streamSeconds = await measureStream(stack, file);
  writeSection(
    'Backfill from a file',
    [
      await machineFacts(stack),
      throughputText(file, backfill),
      markdownTable(
        ['step', 's', 'records/s'],
        [
          ...backfill.steps.map(({ step, seconds: took }) => rowOf(step, took, records)),
          rowOf('**the backfill**', backfill.seconds, records),
          rowOf('the stream, for comparison', streamSeconds, records),
        ],
      ),
      `- The worker's memory: ${thousands(before.nowMb)} MB before it, ${thousands(peakMb)} MB at its peak (VmHWM).`,
    ].join('\n\n'),
  );
}

const rowOf = (what: string, took: number, records: number): readonly string[] => [
  what,
  seconds(took),
  took === 0 || what === 'waiting' ? '–' : thousands(records / took),
];

const throughputText = ({ totals }: RecordFile, { windows, chunks }: MeasuredBackfill): string =>
  `${thousands(totals.observations)} records of about 500 bytes of JSON from one gzipped file, ${thousands(windows)} windows in ${thousands(chunks)} chunks, which make ${thousands(totals.hours)} hours; on a whole stack with its worker, Temporal and live job. The time begins with the request and ends when the backfill has: all records are in observations, and their hours are made anew. A step is as long as something of it is under way; a stretch of the file is loaded while the next one is published, and in what is left the workflow waits for its worker. Afterwards the numbers of rows and hours, the observations that the hours count and the sums of the temperatures of both tables are those of the file. The stream's time is that of the same records, of other cities, from the same file to the live topic and by the live job to both tables.`;

/** @returns seconds from the first record's publishing until both tables hold all of them */
async function measureStream(stack: WholeStack, { path, from, to, totals }: RecordFile): Promise<number> {
  const part = { firstId: firstIdOf(SETS.stream), from, to };
  const startedAt = Date.now();
  const [endedAt] = await Promise.all([
    untilHeld(stack, part, totals.observations, startedAt),
    publishFileLive(stack, path, SETS.stream),
  ]);
  await checkTotals(stack, part, 'what the stream has stored', totals);
  console.error(`  stream: ${seconds((endedAt - startedAt) / 1_000)} s`);
  return (endedAt - startedAt) / 1_000;
}

const WARM_UP_MS = 10_000;

async function measureFreshness(
  stack: WholeStack,
  { records, liveRate: recordsPerSecond, idleSeconds }: Options,
): Promise<void> {
  const file = await writeRecordFile(stack, { records, daysAgo: 20 });
  const at = (sets: number) => ({ recordsPerSecond, sets });
  await publishSteadily(stack, at(SETS.warmUp), (elapsedMs) => elapsedMs >= WARM_UP_MS);
  const idle = await publishSteadily(stack, at(SETS.idle), (elapsedMs) => elapsedMs >= idleSeconds * 1_000);
  let isOver = false;
  const [backfill, beside] = await Promise.all([
    measureBackfill(stack, file).finally(() => {
      isOver = true;
    }),
    publishSteadily(stack, at(SETS.beside), () => isOver),
  ]);
  const { startedAt, endedAt } = backfill;
  const lived = await agesOf(stack, SETS.idle, idle.published);
  const besideAges = await agesOf(stack, SETS.beside, beside.published, { from: startedAt, until: endedAt });
  const mostLateMs = Math.max(idle.mostLateMs, beside.mostLateMs);
  writeSection(
    'Freshness beside a backfill',
    [
      await machineFacts(stack),
      `Live records, ${recordsPerSecond} a second in batches of 100 ms to the live topic of a whole stack: for ${idleSeconds} s after ${WARM_UP_MS / 1_000} s that are not counted, and then for the ${seconds(backfill.seconds)} s in which a backfill loads ${thousands(records)} records of older hours from a file. The publishing was never more than ${mostLateMs} ms late. Seconds from the record's Kafka timestamp to the time at which PostgreSQL stored the row; for an hour from its newest observation to the update that holds it. Wanted is a p99 of at most twice the idle one.`,
      freshnessTable(lived, besideAges),
    ].join('\n\n'),
  );
}

interface Ages {
  readonly what: string;
  readonly records: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Waits until all of the set are stored. @param during when those that count were published; all of them when left out */
async function agesOf(
  stack: WholeStack,
  sets: number,
  published: number,
  during = { from: new Date(0), until: new Date() },
): Promise<readonly Ages[]> {
  const firstId = firstIdOf(sets);
  const part = { firstId, from: new Date(0).toISOString(), to: new Date().toISOString() };
  await untilHeld(stack, part, published, Date.now());
  const { rows } = await stack.sql.query<Ages>(readBenchSql('ages-of-live-records'), [
    ...[firstId, firstId + IDS_OF_A_SET],
    ...[during.from, during.until],
  ]);
  return rows;
}

function freshnessTable(idle: readonly Ages[], beside: readonly Ages[]): string {
  const figures = ['p50', 'p95', 'p99', 'max'] as const;
  const rows = idle.flatMap((alone) => {
    const other = beside.find(({ what }) => what === alone.what);
    if (other === undefined) return [];
    const rowFor = (when: string, ages: Ages) => [
      ...[alone.what, when, thousands(ages.records)],
      ...figures.map((name) => ages[name].toFixed(2)),
    ];
    const ratios = figures.map((name) => `${(other[name] / alone[name]).toFixed(2)}×`);
    return [
      rowFor('idle', alone),
      rowFor('beside the backfill', other),
      [alone.what, 'ratio', '–', ...ratios],
    ];
  });
  return markdownTable(['row', 'when', 'rows', ...figures.map((name) => `${name} s`)], rows);
}

const questions = [
  { name: 'throughput', ask: measureThroughput },
  { name: 'freshness', ask: measureFreshness },
] as const;

const command = new Command('bench:backfill')
  .description('A backfill from a file: throughput, memory, and live records beside it')
  .option('--records <number>', 'how many records the file holds', wholeNumber, 1_000_000)
  .option('--live-rate <number>', 'live records a second', wholeNumber, 100)
  .option('--idle-seconds <number>', 'how long live records are measured alone', wholeNumber, 60)
  .option('--only <names>', `some of: ${questions.map(({ name }) => name).join(', ')}`, names)
  .action(async (options: Options) => {
    const chosen = choose(questions, options.only);
    await withWholeStack(async (stack) => {
      for (const { ask } of chosen) await ask(stack, options);
    });
  });

await runCommand(command);
