import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFlinkRestClient } from '../../clients/flink-rest.ts';
import { jobActor } from '../../clients/job-actor.ts';
import { connectKafka, type KafkaClient } from '../../clients/kafka.ts';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import { accountFor, type DeadLetter } from '../../clients/record-accounts.ts';
import { flinkRestUrl, kafkaBrokers, postgresAddress } from '../../config/addresses.ts';
import { ingestScheduleId, recordsScheduleId } from '../../domain/identities.ts';
import { addAccounts, emptyAccount } from '../../domain/record-accounts.ts';
import { contracts } from '../../pipelines/index.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { isAlive } from '../../stack/process-identity.ts';
import { eventually } from '../support/eventually.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';
import { rowDifferences } from '../support/row-differences.ts';
import { hoursOfTruth, rowOfTruth } from '../support/truth.ts';
import { createWeatherLoad, type Publishing, publishSteadily } from '../support/weather-load.ts';

/** How long the server is kept from coming back; by hand also once with five minutes. */
const AWAY_MS = Number(process.env['HOURGLASS_TEST_AWAY_SECONDS'] ?? 60) * 1_000;
/** The supervisor, Flink and the TaskManager each wait up to half a minute between two tries, one after the other. */
const COMEBACK_MS = 300_000;
const FIRST_CITY = 9_000_000;
const topic = weather.topics.live.name;
const ingestSchedule = ingestScheduleId('weather', 'mock', 0);

let stack: OwnStack;
let kafka: KafkaClient;
let database: Database;
let publishing: Publishing;
const load = createWeatherLoad({ firstCity: FIRST_CITY, cities: 400 });

beforeAll(async () => {
  stack = await startOwnStack();
  kafka = connectKafka(kafkaBrokers(stack.config));
  database = connectDatabase(postgresAddress(stack.config));
});
afterAll(async () => {
  await publishing?.stop();
  await kafka?.close();
  await database?.close();
  await stack?.close();
});

const actor = () => stack.withTemporal((client) => jobActor(client, weather.job.name).status());
const logEnd = async (): Promise<number> =>
  (await kafka.watermarks(topic)).reduce((sum, { high }) => sum + high, 0);
const count = async (from: string): Promise<number> =>
  Number((await stack.sql<{ count: string }>(`select count(*) from ${from}`))[0]?.count);
const storedNow = (): Promise<number> => count(`observations where city_id >= ${FIRST_CITY}`);

const answers = (): Promise<boolean> =>
  stack.sql('select 1').then(
    () => true,
    () => false,
  );

/** Kills each server that the supervisor starts. @returns how many */
async function keepAway(forMs: number): Promise<number> {
  const until = Date.now() + forMs;
  let last: number | undefined;
  let kills = 0;
  while (Date.now() < until) {
    const server = stack.service('postgres').process;
    if (server !== undefined && server.pid !== last && (await isAlive(server))) {
      process.kill(server.pid, 'SIGKILL');
      last = server.pid;
      kills += 1;
    }
    await delay(20);
  }
  return kills;
}

/** How often the server answered within the time, of how many questions. */
async function watchAnswers(forMs: number): Promise<{ asked: number; answered: number }> {
  const until = Date.now() + forMs;
  let asked = 0;
  let answered = 0;
  while (Date.now() < until) {
    asked += 1;
    if (await answers()) answered += 1;
    await delay(250);
  }
  return { asked, answered };
}

/** A figure for whoever runs this by hand. */
const say = (text: string): void => console.log(`  ${text}`);
const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;

describe(`PostgreSQL is away for ${AWAY_MS / 1_000} s while records keep coming`, () => {
  let before: Awaited<ReturnType<typeof actor>>;
  let backAt: number;

  test('rows are being stored, and the topic is ahead of the table', async () => {
    // What the tables must hold is from now on what this test publishes.
    await stack.withTemporal((client) =>
      client.schedule.getHandle(ingestSchedule).pause('the test publishes'),
    );
    before = await actor();
    expect(before?.phase).toBe('running');
    publishing = await publishSteadily(load, {
      brokers: kafkaBrokers(stack.config),
      topic,
      perSecond: 500,
    });
    const first = await eventually('rows are stored', storedNow, (rows) => rows > 2_000);
    await eventually('more rows are stored', storedNow, (rows) => rows > first);
  });

  test(
    'it is killed whenever it comes back; then it stays, and the job goes on by itself',
    async () => {
      const notYetStored = await eventually(
        'records are on their way',
        async () => {
          const ahead = load.observations.size;
          return ahead - (await storedNow());
        },
        (records) => records > 0,
        { everyMs: 50 },
      );
      const publishedBefore = await logEnd();
      const awaySince = Date.now();
      const [kills, probes] = await Promise.all([
        keepAway(AWAY_MS),
        delay(500).then(() => watchAnswers(AWAY_MS - 1_000)),
      ]);
      const publishedMeanwhile = (await logEnd()) - publishedBefore;
      say(
        `killed ${kills} times with ${notYetStored} observations on their way; answered ${probes.answered} of ${probes.asked} questions`,
      );
      expect(kills).toBeGreaterThan(1);
      expect(probes.answered).toBeLessThan(probes.asked / 20);
      // At least half of what was meant: the machine may be busy.
      expect(publishedMeanwhile).toBeGreaterThan((AWAY_MS / 1_000) * 250);
      await eventually('it answers again', answers, (yes) => yes, { withinMs: COMEBACK_MS });
      backAt = Date.now();
      say(`away for ${seconds(awaySince)}, ${publishedMeanwhile} records published meanwhile`);
      const then = await storedNow();
      await eventually('rows are stored again', storedNow, (rows) => rows > then, { withinMs: COMEBACK_MS });
      say(`rows are stored again ${seconds(backAt)} after its return`);
      await publishing.stop();
    },
    AWAY_MS + 2 * COMEBACK_MS,
  );

  test('everything that was published is read, and the job was never given up', async () => {
    const ends = await kafka.watermarks(topic);
    await eventually(
      'everything is read',
      () => kafka.committedOffsets(weather.consumerGroup, topic),
      (committed) => ends.every(({ partition, high }) => committed.get(partition) === high),
      { withinMs: COMEBACK_MS },
    );
    say(`everything (${await logEnd()} records) is read ${seconds(backAt)} after its return`);
    const after = await actor();
    expect(after).toEqual(before);
    const job = await createFlinkRestClient(flinkRestUrl(stack.config)).job(after?.jobId ?? '');
    expect(job?.state).toBe('RUNNING');
    expect(job?.vertices.map(({ status }) => status)).toEqual(job?.vertices.map(() => 'RUNNING'));
  });

  test('the state tells of the restarts, and nothing else fell over', async () => {
    const restarts = Object.fromEntries(stack.services().map((service) => [service.name, service.restarts]));
    say(`restarts: ${JSON.stringify(restarts)}`);
    const { postgres, 'flink-taskmanager': taskManager, ...others } = restarts;
    expect(postgres).toBeGreaterThan(1);
    expect(taskManager).toBeGreaterThan(0);
    expect(Object.values(others)).toEqual(Object.values(others).map(() => 0));
  });

  test('observations are the truth, row by row', async () => {
    const rows = await stack.sql<{ city_id: string; observed_at: Date }>(
      `select * from observations where city_id >= ${FIRST_CITY}`,
    );
    const truth = [...load.observations.values()].map((record) => ({
      ...rowOfTruth(record),
      topic,
      rejected_values: null,
    }));
    say(`${truth.length} observations`);
    const differences = rowDifferences(
      rows,
      truth,
      (row) => `${row['city_id']} at ${time(row['observed_at'])}`,
    );
    expect(differences).toEqual([]);
  });

  test('weather_hourly is the truth, row by row, late hours too', async () => {
    const rows = await stack.sql<{ city_id: string; window_start: Date }>(
      `select * from weather_hourly where city_id >= ${FIRST_CITY}`,
    );
    const truth = hoursOfTruth([...load.observations.values()]);
    say(`${truth.length} hours`);
    const differences = rowDifferences(
      rows,
      truth,
      (row) => `${row['city_id']} from ${time(row['window_start'])}`,
    );
    expect(differences).toEqual([]);
  });

  test('each poison is one dead letter with its bytes and its reason', async () => {
    await stack.withTemporal((client) => client.schedule.getHandle(recordsScheduleId('weather')).trigger());
    const end = await logEnd();
    await eventually(
      'everything is accounted for',
      () =>
        stack.sql<{ accounted: string }>(
          `select sum(next_offset) as accounted from record_accounts where topic = '${topic}'`,
        ),
      ([row]) => Number(row?.accounted) === end,
      { withinMs: 180_000, everyMs: 1_000 },
    );
    say(`everything is accounted for ${seconds(backAt)} after its return`);
    const letters = await stack.sql<{ key: Buffer; reason: string; raw_bytes: Buffer | null }>(
      `select key, reason, raw_bytes from dead_letters where topic = '${topic}'`,
    );
    say(`${letters.length} dead letters`);
    expect(letters.map(({ key }) => String(key)).sort()).toEqual([...load.poison.keys()].sort());
    for (const { key, reason, raw_bytes: bytes } of letters) {
      const kind = load.poison.get(String(key));
      expect(reason, kind?.name).toMatch(kind?.reason ?? /no such poison/);
      const isSame = bytes === null ? kind?.value === null : kind?.value?.equals(bytes);
      expect(isSame, kind?.name).toBe(true);
    }
  });

  test('the account is exact: read = stored + duplicates + dead letters', async () => {
    const inspect = contracts['weather'];
    const unaccounted: DeadLetter[] = [];
    let account = emptyAccount;
    for (const { partition, low: first, high: end } of await kafka.watermarks(topic)) {
      const found = await accountFor(
        { database, kafka },
        topic,
        { partition, first, end },
        inspect as NonNullable<typeof inspect>,
        async (letters) => void unaccounted.push(...letters),
      );
      account = addAccounts(account, found);
    }
    expect(unaccounted.map(({ reason }) => reason)).toEqual([]);
    const end = await logEnd();
    // The mock's first polls, before its schedule was paused: each brought something new.
    const polled = end - load.published();
    expect(account).toEqual({
      read: end,
      stored: polled + load.observations.size,
      duplicates: load.published() - load.observations.size - load.poison.size,
      deadLetters: load.poison.size,
      unaccounted: 0,
    });
  });

  test('no workflow has failed, and the ingestion goes on', async () => {
    await stack.withTemporal(async (client) => {
      const failed = await client.workflow.count(
        "ExecutionStatus = 'Failed' OR ExecutionStatus = 'Terminated' OR ExecutionStatus = 'TimedOut'",
      );
      expect(failed.count).toBe(0);
      await stack.sql('update locations set cadence_minutes = 1');
      const schedule = client.schedule.getHandle(ingestSchedule);
      await schedule.unpause();
      await schedule.trigger();
    });
    const whole = `ingest_runs where scheduled_at > '${new Date(backAt).toISOString()}' and finished_at is not null and published > 0 and failed = 0`;
    await eventually(
      'a run has published',
      () => count(whole),
      (runs) => runs > 0,
      { withinMs: 180_000, everyMs: 1_000 },
    );
  });
});

const time = (instant: unknown): string => (instant as Date).toISOString();
