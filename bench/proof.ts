/**
 * The question: does the hand-written consumer lose or double anything? Every observation is published several times, the later
 * copies with another temperature, so that one that wins shows; the process is killed three times in the middle of transactions.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { MockWeather } from '../mock/weather.ts';
import { CONSUMER_APPLICATION } from './handwritten/store.ts';
import { countObservations } from './support/completion.ts';
import { type ConsumerProcess, startConsumer } from './support/consumer-process.ts';
import { StalledRunError } from './support/errors.ts';
import { machineFacts } from './support/machine.ts';
import { inputBatches } from './support/records.ts';
import { markdownTable, thousands, writeSection } from './support/results.ts';
import type { BenchStack } from './support/stack.ts';
import { checkAgainstTruth, createTables, createTruth, dropTables, type Truth } from './support/tables.ts';
import { type BenchTopics, createTopics, publish } from './support/topics.ts';

const SCHEMA = 'proof';
const COPIES = 2;
const KILLS = 3;
/** One observation in so many lacks its humidity or wind: the hour's mean counts fewer than the hour does. */
const GAP_EVERY = 50;
/** Small, so that there are many transactions to be killed in, and between. */
const BYTES_PER_PARTITION = 2 ** 18;
const DEADLINE_MS = 300_000;

interface Kill {
  /** Transactions that PostgreSQL was in when the signal was sent. */
  readonly openTransactions: number;
  readonly stored: number;
  /** Stored, but their offsets not yet committed: they come again. */
  readonly cameAgain: number;
}

/** @throws WrongResultError */
export async function proveConsumer(stack: BenchStack, records: number): Promise<void> {
  const topics = await createTopics(stack, 'proof');
  const truth = await publishWithCopies(stack, topics, records);
  await createTables(stack, SCHEMA);
  const run = { topics, schema: SCHEMA, bytesPerPartition: BYTES_PER_PARTITION };
  const kills: Kill[] = [];
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const consumer = await startConsumer(stack, run);
    kills.push(await killInFlight(stack, topics, consumer, (truth.observations * kill) / (KILLS + 1)));
    console.error(`  proof: kill ${kill}, ${JSON.stringify(kills.at(-1))}`);
  }
  const consumer = await startConsumer(stack, run);
  await untilCommitted(stack, topics, consumer);
  await consumer.end('SIGTERM');
  await checkAgainstTruth(stack, SCHEMA, truth);
  await dropTables(stack, SCHEMA);
  writeSection('Proof of the hand-written consumer', await proofText(stack, truth, kills));
}

async function publishWithCopies(stack: BenchStack, topics: BenchTopics, records: number): Promise<Truth> {
  const truth = await createTruth(stack);
  let index = 0;
  for (const batch of inputBatches({ records, endSeconds: Math.floor(Date.now() / 1_000) })) {
    const documents = batch.map((document) => withGap(document, index++));
    await truth.add(documents);
    await publish(stack, topics, documents);
    for (let copy = 1; copy <= COPIES; copy += 1)
      await publish(
        stack,
        topics,
        documents.map((document) => warmer(document, copy)),
      );
  }
  return truth.finish();
}

function withGap(document: MockWeather, index: number): object {
  if (index % GAP_EVERY !== 0) return document;
  const { humidity, ...main } = document.main;
  return index % (2 * GAP_EVERY) === 0
    ? { ...document, main }
    : { ...document, wind: { deg: document.wind.deg }, main: { ...main, humidity } };
}

const warmer = (document: object, degrees: number): object => {
  const { main } = document as MockWeather;
  return { ...document, main: { ...main, temp: main.temp + degrees } };
};

/** Kills it while PostgreSQL works for it, as soon as so many observations are stored. */
async function killInFlight(
  { sql, kafka }: BenchStack,
  { live }: BenchTopics,
  consumer: ConsumerProcess,
  storedAtLeast: number,
): Promise<Kill> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    consumer.expectHealthy();
    const stored = await countObservations(sql, SCHEMA);
    const openTransactions = stored < storedAtLeast ? 0 : await countOpenTransactions(sql);
    if (openTransactions > 0) {
      await consumer.end('SIGKILL');
      const committed = await kafka.committedOffsets(SCHEMA, live.name);
      return { openTransactions, stored, cameAgain: await countStoredAhead(sql, committed) };
    }
    if (Date.now() > deadline)
      throw new StalledRunError(SCHEMA, stored, storedAtLeast, 'no transaction was seen open');
    await delay(20);
  }
}

async function countOpenTransactions(sql: BenchStack['sql']): Promise<number> {
  const { rows } = await sql.query<{ open: number }>(
    `select count(*)::integer as open from pg_stat_activity where application_name = $1 and state = 'active' and query like '%weather_hourly%'`,
    [CONSUMER_APPLICATION],
  );
  return rows[0]?.open ?? 0;
}

async function countStoredAhead(
  sql: BenchStack['sql'],
  committed: ReadonlyMap<number, number>,
): Promise<number> {
  const { rows } = await sql.query<{ ahead: number }>(
    `select count(*)::integer as ahead
    from ${SCHEMA}.observations
    left join unnest($1::integer[], $2::bigint[]) as c (partition_id, next_offset) using (partition_id)
    where record_offset >= coalesce(next_offset, 0)`,
    [[...committed.keys()], [...committed.values()]],
  );
  return rows[0]?.ahead ?? 0;
}

async function untilCommitted(
  { kafka }: BenchStack,
  { live }: BenchTopics,
  consumer: ConsumerProcess,
): Promise<void> {
  const ends = await kafka.watermarks(live.name);
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    consumer.expectHealthy();
    const committed = await kafka.committedOffsets(SCHEMA, live.name);
    const left = ends.reduce((sum, { partition, high }) => sum + high - (committed.get(partition) ?? 0), 0);
    if (left === 0) return;
    if (Date.now() > deadline)
      throw new StalledRunError(SCHEMA, 0, left, `${left} records are not committed in time`);
    await delay(500);
  }
}

async function proofText(stack: BenchStack, truth: Truth, kills: readonly Kill[]): Promise<string> {
  const rows = kills.map(({ openTransactions, stored, cameAgain }, index) => [
    index + 1,
    openTransactions,
    thousands(stored),
    thousands(cameAgain),
  ]);
  return [
    await machineFacts(stack),
    `${thousands(truth.observations)} observations, each published ${COPIES + 1} times, the later copies with another temperature; one in ${GAP_EVERY} lacks a figure. The consumer was killed with SIGKILL ${KILLS} times and started again. Afterwards both tables were equal to the truth computed from the first copies, row by row and column by column: nothing lost, nothing doubled, the first record kept.`,
    markdownTable(
      [
        'kill',
        'transactions at work',
        'observations stored before',
        'of them with uncommitted offsets, so read again',
      ],
      rows,
    ),
  ].join('\n\n');
}
