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
/** One observation in so many lacks its humidity or wind: the hour's mean counts fewer than the hour does. */
const GAP_EVERY = 50;
/** Small, so that there are many transactions to be killed in, and between. */
const BYTES_PER_PARTITION = 2 ** 18;
const DEADLINE_MS = 300_000;
const SETTLING_MS = 150;
const LOOK_MS = 20;

interface Kill {
  /** Transactions that were open when it was killed: PostgreSQL rolls them back. */
  readonly openTransactions: number;
  readonly stored: number;
  /** Stored by a transaction that was committed, but their offsets were not: they come again. */
  readonly storedAhead: number;
}

/** The moments a kill could do harm in, and when enough is stored for each. */
const KILLS = [
  { moment: 'in a transaction', isIt: ({ openTransactions }: Kill) => openTransactions > 0 },
  {
    moment: 'between a commit in PostgreSQL and the one in Kafka',
    isIt: ({ storedAhead }: Kill) => storedAhead > 0,
  },
  { moment: 'in a transaction', isIt: ({ openTransactions }: Kill) => openTransactions > 0 },
] as const;

/** @throws WrongResultError */
export async function proveConsumer(stack: BenchStack, records: number): Promise<void> {
  const topics = await createTopics(stack, 'proof');
  const truth = await publishWithCopies(stack, topics, records);
  await createTables(stack, SCHEMA);
  const run = { topics, schema: SCHEMA, bytesPerPartition: BYTES_PER_PARTITION };
  const kills: Kill[] = [];
  for (const [index, { isIt }] of KILLS.entries()) {
    const consumer = await startConsumer(stack, run);
    const storedAtLeast = (truth.observations * (index + 1)) / (KILLS.length + 2);
    kills.push(await killInFlight(stack, topics, consumer, storedAtLeast, isIt));
    console.error(`  proof: kill ${index + 1}, ${JSON.stringify(kills.at(-1))}`);
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

/**
 * Kills it at such a moment, once so many observations are stored. It is stopped, looked at, and goes on if the moment is
 * another: what is seen of a process that is stopped is still so when it is killed.
 */
async function killInFlight(
  { sql, kafka }: BenchStack,
  { live }: BenchTopics,
  consumer: ConsumerProcess,
  storedAtLeast: number,
  isRight: (kill: Kill) => boolean,
): Promise<Kill> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    consumer.expectHealthy();
    const stored = await countObservations(sql, SCHEMA);
    if (stored >= storedAtLeast) {
      consumer.signal('SIGSTOP');
      // What PostgreSQL has been sent it still does.
      await delay(SETTLING_MS);
      const kill = {
        openTransactions: await countOpenTransactions(sql),
        stored: await countObservations(sql, SCHEMA),
        storedAhead: await countStoredAhead(sql, await kafka.committedOffsets(SCHEMA, live.name)),
      };
      if (isRight(kill)) {
        await consumer.end('SIGKILL');
        return kill;
      }
      consumer.signal('SIGCONT');
    }
    if (Date.now() > deadline)
      throw new StalledRunError(SCHEMA, stored, storedAtLeast, 'the moment to kill it in never came');
    await delay(LOOK_MS);
  }
}

async function countOpenTransactions(sql: BenchStack['sql']): Promise<number> {
  const { rows } = await sql.query<{ open: number }>(
    "select count(*)::integer as open from pg_stat_activity where application_name = $1 and state <> 'idle'",
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
  const rows = kills.map(({ openTransactions, stored, storedAhead }, index) => [
    KILLS[index]?.moment ?? '',
    openTransactions,
    thousands(stored),
    thousands(storedAhead),
  ]);
  return [
    await machineFacts(stack),
    `${thousands(truth.observations)} observations, each published ${COPIES + 1} times, the later copies with another temperature; one in ${GAP_EVERY} lacks a figure. The consumer was killed with SIGKILL ${KILLS.length} times and started again. Afterwards both tables were equal to the truth computed from the first copies, row by row and column by column: nothing lost, nothing doubled, the first record kept.`,
    markdownTable(
      [
        'killed',
        'open transactions',
        'observations stored',
        'of them with uncommitted offsets, so read again',
      ],
      rows,
    ),
  ].join('\n\n');
}
