import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBatchJob } from '../../clients/batch-job.ts';
import { createFlinkRestClient } from '../../clients/flink-rest.ts';
import { jobActor } from '../../clients/job-actor.ts';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import { accountFor, type DeadLetter } from '../../clients/record-accounts.ts';
import { flinkRestUrl, postgresAddress } from '../../config/addresses.ts';
import { ingestScheduleId, jobActorId, recordsScheduleId } from '../../domain/identities.ts';
import { addAccounts, emptyAccount } from '../../domain/record-accounts.ts';
import { contracts } from '../../pipelines/index.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { type Alert, alertSchema } from '../../schemas/alert.ts';
import type { BatchJobResult } from '../../schemas/batch-job.ts';
import type { JobState } from '../../schemas/job.ts';
import { isAlive } from '../../stack/process-identity.ts';
import { type AlertReceiver, startAlertReceiver } from '../support/alert-receiver.ts';
import { type CheckedLoad, createCheckedLoad } from '../support/checked-load.ts';
import { eventually } from '../support/eventually.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';
import { weatherTables } from '../support/weather-tables.ts';

/** How long the server is kept from coming back; by hand also once with five minutes. */
const AWAY_MS = Number(process.env['HOURGLASS_TEST_AWAY_SECONDS'] ?? 60) * 1_000;
/** The supervisor, Flink and the TaskManager each wait up to half a minute between two tries, one after the other. */
const COMEBACK_MS = 300_000;
const topic = weather.topics.live.name;
const ingestSchedule = ingestScheduleId('weather', 'mock', 0);

let stack: OwnStack;
let receiver: AlertReceiver;
let checked: CheckedLoad;
let database: Database;

beforeAll(async () => {
  receiver = await startAlertReceiver();
  stack = await startOwnStack({ ALERT_WEBHOOK_URL: receiver.origin });
  checked = createCheckedLoad(stack);
  database = connectDatabase(postgresAddress(stack.config), weatherTables);
});
afterAll(async () => {
  await checked?.close();
  await database?.close();
  await stack?.close();
  await receiver?.close();
});

const actor = () => stack.withTemporal((client) => jobActor(client, weather.job.name).status());
const count = async (from: string): Promise<number> =>
  Number((await stack.sql<{ count: string }>(`select count(*) from ${from}`))[0]?.count);

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

/** A day of long ago, which no record of the load falls into: what a batch job has to aggregate. */
const longAgo = { from: '1990-01-01T00:00:00Z', to: '1990-01-02T00:00:00Z', cities: 3_000, perHour: 6 };

const storeLongAgo = () =>
  stack.sql(
    `insert into observations (city_id, observed_at, temp, topic, partition_id, record_offset, published_at)
     select 8000000 + city, timestamptz '${longAgo.from}' + step * interval '10 minutes', city % 40 + step / 10.0,
       'by hand', 0, 0, now()
     from generate_series(1, ${longAgo.cities}) as city, generate_series(0, ${24 * longAgo.perHour - 1}) as step`,
  );

const alerts = (): readonly Alert[] =>
  receiver.deliveries.map(({ body }) => alertSchema.parse(JSON.parse(body)));

/** A figure for whoever runs this by hand. */
const say = (text: string): void => console.log(`  ${text}`);
const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;

describe(`PostgreSQL is away for ${AWAY_MS / 1_000} s while records keep coming`, () => {
  let before: Awaited<ReturnType<typeof actor>>;
  let backAt: number;
  let batchJob: string;

  test('rows are being stored, and the topic is ahead of the table', async () => {
    before = await eventually('the job is stable', actor, (state) => state?.phase === 'stable');
    await checked.begin(500);
    const first = await eventually('rows are stored', checked.stored, (rows) => rows > 2_000);
    await eventually('more rows are stored', checked.stored, (rows) => rows > first);
  });

  test('a batch job runs beside the stream', async () => {
    await storeLongAgo();
    const { from, to } = longAgo;
    batchJob = await stack.withTemporal(
      async (client) =>
        (await startBatchJob(client, { job: 'recompute-hours', parameters: { from, to } })).workflowId,
    );
    await eventually(
      'it writes hours',
      () => count(`weather_hourly where origin = 'batch'`),
      (hours) => hours > 0,
      { everyMs: 20 },
    );
  });

  test(
    'it is killed whenever it comes back; then it stays, and the job goes on by itself',
    async () => {
      const notYetStored = await eventually(
        'records are on their way',
        async () => {
          const ahead = checked.load.observations.size;
          return ahead - (await checked.stored());
        },
        (records) => records > 0,
        { everyMs: 50 },
      );
      const publishedBefore = await checked.logEnd();
      const awaySince = Date.now();
      const [kills, probes] = await Promise.all([
        keepAway(AWAY_MS),
        delay(500).then(() => watchAnswers(AWAY_MS - 1_000)),
      ]);
      const publishedMeanwhile = (await checked.logEnd()) - publishedBefore;
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
      const then = await checked.stored();
      await eventually('rows are stored again', checked.stored, (rows) => rows > then, {
        withinMs: COMEBACK_MS,
      });
      say(`rows are stored again ${seconds(backAt)} after its return`);
      await checked.pause();
    },
    AWAY_MS + 2 * COMEBACK_MS,
  );

  test('everything that was published is read, and the job was never given up', async () => {
    await checked.untilAllRead(COMEBACK_MS);
    say(`everything (${await checked.logEnd()} records) is read ${seconds(backAt)} after its return`);
    const after = await eventually('the job is stable again', actor, (state) => state?.phase === 'stable', {
      withinMs: COMEBACK_MS,
    });
    const submission = ({ version, attempt, jobId, restorePath }: JobState) => ({
      version,
      attempt,
      jobId,
      restorePath,
    });
    expect(submission(after as JobState)).toEqual(submission(before as JobState));
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

  test(
    'the batch job was submitted again, and ended with every hour of its range',
    async () => {
      const result = await stack.withTemporal(
        (client) => client.workflow.getHandle(batchJob).result() as Promise<BatchJobResult>,
      );
      say(`the batch job took ${result.attempts} Flink jobs and ended ${seconds(backAt)} after the return`);
      expect(result.attempts).toBeGreaterThan(1);
      const hours = 24 * longAgo.cities;
      expect(await count(`weather_hourly where origin = 'batch'`)).toBe(hours);
      const [same] = await stack.sql<{ count: string }>(
        `select count(*) from weather_hourly join (
         select city_id, date_trunc('hour', observed_at) as window_start, avg(temp) as temp, count(*) as observations
         from observations where topic = 'by hand' group by 1, 2
       ) as truth using (city_id, window_start)
       where abs(temp_avg - truth.temp) < 1e-9 and observation_count = observations`,
      );
      expect(Number(same?.count)).toBe(hours);
    },
    COMEBACK_MS,
  );

  test('a person was told that the job is unstable, and that it is no longer', async () => {
    const [raised, resolved, ...others] = await eventually(
      'both notices have come',
      async () => alerts(),
      (notices) => notices.some(({ status }) => status === 'resolved'),
      { withinMs: COMEBACK_MS },
    );
    expect(raised).toMatchObject({
      status: 'raised',
      kind: 'job-unstable',
      subject: jobActorId(weather.job.name),
    });
    expect(raised?.reason).not.toBe('');
    expect(resolved).toMatchObject({ status: 'resolved', id: raised?.id });
    expect(others).toEqual([]);
  });

  test('both tables are the truth, row by row, late hours too', async () => {
    const { observations, hours } = await checked.expectTruth();
    say(`${observations} observations, ${hours} hours`);
  });

  test('each poison is one dead letter with its bytes and its reason', async () => {
    await stack.withTemporal((client) => client.schedule.getHandle(recordsScheduleId('weather')).trigger());
    const end = await checked.logEnd();
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
    expect(letters.map(({ key }) => String(key)).sort()).toEqual([...checked.load.poison.keys()].sort());
    for (const { key, reason, raw_bytes: bytes } of letters) {
      const kind = checked.load.poison.get(String(key));
      expect(reason, kind?.name).toMatch(kind?.reason ?? /no such poison/);
      const isSame = bytes === null ? kind?.value === null : kind?.value?.equals(bytes);
      expect(isSame, kind?.name).toBe(true);
    }
  });

  test('the account is exact: read = stored + duplicates + dead letters', async () => {
    const inspect = contracts['weather'];
    const unaccounted: DeadLetter[] = [];
    let account = emptyAccount;
    for (const { partition, low: first, high: end } of await checked.kafka.watermarks(topic)) {
      const found = await accountFor(
        { database, kafka: checked.kafka },
        topic,
        { partition, first, end },
        { pipeline: 'weather', inspect: inspect as NonNullable<typeof inspect> },
        async (letters) => void unaccounted.push(...letters),
      );
      account = addAccounts(account, found);
    }
    expect(unaccounted.map(({ reason }) => reason)).toEqual([]);
    const end = await checked.logEnd();
    // The mock's first polls, before its schedule was paused: each brought something new.
    const polled = end - checked.load.published();
    expect(account).toEqual({
      read: end,
      stored: polled + checked.load.observations.size,
      duplicates: checked.load.published() - checked.load.observations.size - checked.load.poison.size,
      deadLetters: checked.load.poison.size,
      unaccounted: 0,
    });
  });

  test('no workflow has failed, and the ingestion goes on', async () => {
    await stack.withTemporal(async (client) => {
      const query =
        "ExecutionStatus = 'Failed' OR ExecutionStatus = 'Terminated' OR ExecutionStatus = 'TimedOut'";
      const failed: string[] = [];
      for await (const { workflowId, runId, status } of client.workflow.list({ query })) {
        const reason = await client.workflow
          .getHandle(workflowId, runId)
          .result()
          .catch((error: Error) => `${error.message}: ${error.cause}`);
        failed.push(`${workflowId} ${status.name}: ${reason}`);
      }
      expect(failed).toEqual([]);
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
