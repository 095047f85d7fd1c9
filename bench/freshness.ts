/** The question: at a steady pace, how long after its publishing is an observation in its table, and in its hour? */
import { setTimeout as delay } from 'node:timers/promises';
import type { MockWeather } from '../mock/weather.ts';
import { untilStored } from './support/completion.ts';
import { startFlinkJob } from './support/flink-job.ts';
import { machineFacts } from './support/machine.ts';
import { inputBatches } from './support/records.ts';
import { markdownTable, writeSection } from './support/results.ts';
import { readBenchSql } from './support/sql.ts';
import type { BenchStack } from './support/stack.ts';
import { checkAgainstTruth, createTables, createTruth, dropTables } from './support/tables.ts';
import { type BenchTopics, createTopics, publish } from './support/topics.ts';

export interface Pace {
  readonly recordsPerSecond: number;
  readonly measuredSeconds: number;
}

const SCHEMA = 'freshness';
const TICK_MS = 100;
/** The first seconds of a job are the compiler's. */
const WARM_UP_SECONDS = 10;

/** @throws WrongResultError */
export async function measureFreshness(stack: BenchStack, pace: Pace): Promise<void> {
  const { recordsPerSecond, measuredSeconds } = pace;
  const topics = await createTopics(stack, 'freshness');
  const records = recordsPerSecond * (WARM_UP_SECONDS + measuredSeconds);
  const endSeconds = Math.floor(Date.now() / 1_000);
  const batches = [
    ...inputBatches({ records, endSeconds, batchSize: Math.ceil((recordsPerSecond * TICK_MS) / 1_000) }),
  ];
  const truth = await createTruth(stack);
  for (const batch of batches) await truth.add(batch);
  const finished = await truth.finish();
  await createTables(stack, SCHEMA);
  const job = await startFlinkJob(stack, { topics, schema: SCHEMA });
  const startedAt = Date.now();
  const late = await publishSteadily(stack, topics, batches);
  await untilStored(stack, SCHEMA, finished, job.runningAt, job.expectHealthy);
  await job.cancel();
  await checkAgainstTruth(stack, SCHEMA, finished);
  const from = new Date(startedAt + WARM_UP_SECONDS * 1_000);
  writeSection('Freshness', await freshnessText(stack, pace, from, late));
  await dropTables(stack, SCHEMA);
}

/** @returns how many milliseconds the publishing was ever behind its pace */
async function publishSteadily(
  stack: BenchStack,
  topics: BenchTopics,
  batches: readonly (readonly MockWeather[])[],
): Promise<number> {
  const startedAt = Date.now();
  let mostLateMs = 0;
  for (const [tick, batch] of batches.entries()) {
    const dueInMs = startedAt + tick * TICK_MS - Date.now();
    mostLateMs = Math.max(mostLateMs, -dueInMs);
    if (dueInMs > 0) await delay(dueInMs);
    await publish(stack, topics, batch);
  }
  return mostLateMs;
}

interface Ages {
  readonly what: string;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

async function freshnessText(
  stack: BenchStack,
  { recordsPerSecond, measuredSeconds }: Pace,
  from: Date,
  lateMs: number,
): Promise<string> {
  const { rows } = await stack.sql.query<Ages>(readBenchSql('freshness'), [from]);
  return [
    await machineFacts(stack),
    `Flink SQL, ${recordsPerSecond} records a second published in batches of ${TICK_MS} ms for ${measuredSeconds} s after ${WARM_UP_SECONDS} s that are not counted; the publishing was never more than ${lateMs} ms late. Seconds from the record's Kafka timestamp to the time at which PostgreSQL stored the row; for an hour from its newest observation to the update that holds it. The sinks flush each second.`,
    markdownTable(
      ['row', 'p50 s', 'p95 s', 'max s'],
      rows.map(({ what, ...ages }) => [what, ages.p50.toFixed(2), ages.p95.toFixed(2), ages.max.toFixed(2)]),
    ),
  ].join('\n\n');
}
