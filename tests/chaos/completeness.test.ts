/** A day of fifty locations with a gap of every kind: each is found, explained with its proof and repaired, and nothing else is touched. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import { kafkaBrokers, postgresAddress } from '../../config/addresses.ts';
import { projectRoot } from '../../config/load.ts';
import { GOOD_VERDICTS } from '../../domain/completeness-verdicts.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { type Mock, startMock } from '../../mock/server.ts';
import { defaultStepSeconds, weatherAt } from '../../mock/weather.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { Alert } from '../../schemas/alert.ts';
import { type AlertReceiver, startAlertReceiver } from '../support/alert-receiver.ts';
import { differencesFrom } from '../support/backfills.ts';
import { dayOfGaps, type Gap, kindOf, windowKey } from '../support/day-of-gaps.ts';
import { eventually } from '../support/eventually.ts';
import { pauseIngestion } from '../support/ingestion.ts';
import { seedCities } from '../support/many-cities.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';
import { type PartialHistory, servePartialHistory } from '../support/partial-history.ts';

const SEED = 'a day of gaps';
const CITIES = seedCities().slice(0, 50);
const HOUR_MS = 3_600_000;
const GRACE_MS = 10 * 60_000;
/** The newest hours that a check judges. */
const to = new Date(Math.floor((Date.now() - GRACE_MS) / HOUR_MS) * HOUR_MS);
const from = new Date(to.getTime() - 24 * HOUR_MS);
const day = dayOfGaps(SEED, CITIES, from.getTime() / 1_000);
const schedules = ['completeness/weather', 'watch-completeness/weather'];

let mock: Mock;
let history: PartialHistory;
let receiver: AlertReceiver;
let stack: OwnStack;
let database: Database;

const hourglass = async (...args: string[]): Promise<string> => {
  const { PATH = '', HOME = '' } = process.env;
  const env = {
    PATH,
    HOME,
    HOURGLASS_DATA_DIR: stack.config.values.HOURGLASS_DATA_DIR ?? '',
    OPENWEATHERMAP_BASE_URL: mock.url,
  };
  const { stdout } = await promisify(execFile)(process.execPath, ['cli/bin.js', ...args], {
    ...{ cwd: projectRoot, env },
  });
  return stdout;
};

beforeAll(async () => {
  mock = await startMock({
    ...{ port: 0, seed: SEED, stepSeconds: defaultStepSeconds, cities: seedCities(), callsPerMinute: 3_000 },
    // The log is to begin with the day: nothing is polled before.
    faults: { outages: [{ answer: 'serverError' }] },
  });
  history = await servePartialHistory(mock.url, day.history);
  receiver = await startAlertReceiver();
  stack = await startOwnStack({
    ...{ OPENWEATHERMAP_BASE_URL: mock.url, OPENWEATHERMAP_HISTORY_URL: history.url },
    ...{ FIRST_START_HISTORY_HOURS: '0', ALERT_WEBHOOK_URL: `${receiver.origin}/alerts` },
  });
  database = connectDatabase(postgresAddress(stack.config));
  await pauseIngestion(stack);
  mock.replaceFaults({});
  await stack.withTemporal(async (client) => {
    for (const id of schedules) await client.schedule.getHandle(id).pause('a test checks when it is ready');
  });
  const watched = CITIES.map(({ id }) => id).join(', ');
  await stack.sql(`update locations set active_from = '2020-01-01' where city_id in (${watched})`);
  await stack.sql(
    `update locations set active_from = now() + interval '1 day' where city_id not in (${watched})`,
  );
});
afterAll(async () => {
  await database?.close();
  await stack?.close();
  await receiver?.close();
  await history?.close();
  await mock?.close();
});

const STAMPED_BY = 'message.timestamp.type';

/** By the broker's time now, or as they were published in the course of the day. */
async function publish(
  records: typeof day.records,
  stampedBy: 'CreateTime' | 'LogAppendTime',
): Promise<void> {
  const kafka = new Kafka({ brokers: [...kafkaBrokers(stack.config)], logLevel: logLevel.NOTHING });
  const topic = weather.topics.live.name;
  const admin = kafka.admin();
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
    const configured = async () =>
      (await admin.describeConfigs({ includeSynonyms: false, resources: [resource] })).resources[0]
        ?.configEntries ?? [];
    const entries = (await configured())
      .filter(({ isDefault, configName }) => !isDefault && configName !== STAMPED_BY)
      .map(({ configName, configValue }) => ({ name: configName, value: configValue }));
    const stamped = async (value: string) => {
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ ...resource, configEntries: [...entries, { name: STAMPED_BY, value }] }],
      });
      // It is answered before the broker goes by it.
      await eventually('the broker stamps as it is told', configured, (all) =>
        all.some(({ configName, configValue }) => configName === STAMPED_BY && configValue === value),
      );
    };
    await stamped(stampedBy);
    const messages = records.map(({ key, value, atMs }) => ({ key, value, timestamp: String(atMs) }));
    for (let at = 0; at < messages.length; at += 1_000)
      for (const { logAppendTime } of await producer.send({
        ...{ topic, acks: -1, messages: messages.slice(at, at + 1_000) },
      }))
        expect(logAppendTime === '-1' ? 'CreateTime' : 'LogAppendTime').toBe(stampedBy);
    await stamped('LogAppendTime');
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}

const inDay = (column: string): string =>
  `${column} >= '${from.toISOString()}' and ${column} < '${to.toISOString()}'`;

async function untilStored(observations: number): Promise<void> {
  await eventually(
    'all is stored and counted',
    () =>
      stack.sql<{ stored: number; counted: number }>(
        `select (select count(*)::integer from observations where ${inDay('observed_at')}) as stored,
           (select sum(observation_count)::integer from weather_hourly where ${inDay('window_start')}) as counted`,
      ),
    ([row]) => row?.stored === observations && row.counted === observations,
    { withinMs: 120_000 },
  );
}

/** A completed run in each minute of the day but the lost ones, with all that was not published. */
async function recordRuns(): Promise<void> {
  const minutes = Array.from({ length: 24 * 60 + 30 }, (_, minute) => from.getTime() / 1_000 + minute * 60);
  const runs = minutes
    .filter((at) => !day.lostRuns.has(at) && at * 1_000 < Date.now() - 60_000)
    .map((at) => ({
      at,
      unchanged: day.polls
        .filter((poll) => poll.at === at && poll.outcome === 'unchanged')
        .map(({ cityId }) => cityId),
    }));
  await stack.sql(
    `insert into ingest_runs (pipeline, source, shard, scheduled_at, started_at, finished_at, status, workflow_run_id, unchanged_ids)
     select 'weather', 'mock', 0, to_timestamp(at), to_timestamp(at), to_timestamp(at + 59), 'completed', 'a-run',
       array(select jsonb_array_elements_text(unchanged)::bigint)
     from jsonb_to_recordset('${JSON.stringify(runs)}') as run (at bigint, unchanged jsonb)
     on conflict do nothing`,
  );
  const exceptions = day.polls.filter(({ outcome }) => outcome === 'failed' || outcome === 'rejected');
  await stack.sql(
    `insert into ingest_exceptions (pipeline, source, shard, scheduled_at, entity_id, outcome, reason)
     select 'weather', 'mock', 0, to_timestamp(at), "cityId", outcome, 'so the source answered'
     from jsonb_to_recordset('${JSON.stringify(exceptions)}') as poll (at bigint, "cityId" bigint, outcome text)`,
  );
}

/** Started as somebody does by hand, and waited for. */
const check = (input: object = {}): Promise<unknown> =>
  stack.withTemporal((client) =>
    client.workflow.execute('checkCompleteness', {
      ...{ workflowId: `completeness/weather-by-hand-${Date.now()}`, taskQueue: taskQueues.control },
      args: [
        { pipeline: 'weather', source: 'mock', from: from.toISOString(), to: to.toISOString(), ...input },
      ],
    }),
  );

/** As its schedule starts it. Returns when it has ended, and the backfills that it began. */
async function checkBySchedule(): Promise<void> {
  const ended = async () =>
    (
      await stack.sql<{ checks: number }>(
        'select count(ended_at)::integer as checks from completeness_checks',
      )
    )[0]?.checks ?? 0;
  const before = await ended();
  await stack.withTemporal((client) => client.schedule.getHandle('completeness/weather').trigger());
  await eventually('the check has ended', ended, (checks) => checks > before, { withinMs: 240_000 });
  await untilRepaired();
}

async function untilRepaired(): Promise<void> {
  await eventually(
    'no backfill runs',
    () => stack.sql(`select backfill_id from backfills where status in ('planned', 'running', 'paused')`),
    (running) => running.length === 0,
    { withinMs: 240_000 },
  );
}

interface Window {
  readonly verdict: string;
  readonly reason: string | null;
  readonly key: string;
}

const keyed = `entity_id || '/' || extract(epoch from window_start)::bigint as key`;
const ledger = async (): Promise<ReadonlyMap<string, Window>> =>
  new Map(
    (
      await stack.sql<Window>(
        `select ${keyed}, verdict, reason from window_completeness where ${inDay('window_start')}`,
      )
    ).map((window) => [window.key, window]),
  );
/** Verdicts and reasons of each window, in their order. */
async function changes(): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await stack.sql<Window>(
    `select ${keyed}, verdict, reason from window_completeness_changes where ${inDay('window_start')} order by changed_at`,
  );
  const byKey = new Map<string, string[]>();
  for (const { key, verdict, reason } of rows)
    byKey.set(key, [...(byKey.get(key) ?? []), reason === null ? verdict : `${verdict}/${reason}`]);
  return byKey;
}

const keyOf = ({ city, hourStart }: Gap): string => windowKey(city.id, hourStart);
const isBrokenOnlyLater = (gap: Gap): boolean => kindOf(gap).damage !== undefined;
const broken = new Set(day.gaps.map(keyOf));
/** In part lost, an hour may be whole again with the one observation that the history has of it. */
const leftOf = (gap: Gap): string => {
  const stored = day.truth.filter(({ id, dt }) => windowKey(id, dt) === keyOf(gap)).length;
  return kindOf(gap).left === 'complete_at_source' && stored >= 4 ? 'repaired' : kindOf(gap).left;
};
const labelled = (gap: Gap, value: unknown): string => `${gap.name}, ${keyOf(gap)}: ${String(value)}`;

describe('a day with a gap of every kind', () => {
  test('is judged to be behind where the stream has not read what may mend it, and nothing is repaired before', async () => {
    const late = day.records.filter(({ isLate }) => isLate);
    const poisoned = day.polls.filter(({ outcome }) => outcome === 'poisoned').length;
    const published = day.records.filter(({ isLate }) => !isLate);
    await publish(published, 'CreateTime');
    await recordRuns();
    await untilStored(published.length - poisoned);
    await eventually(
      'poison has its dead letters',
      () => stack.sql(`select record_offset from dead_letters`),
      (letters) => letters.length === poisoned,
      { withinMs: 180_000 },
    );
    await hourglass('job', 'suspend', 'weather-stream', '--wait');
    await publish(late, 'LogAppendTime');
    await check({ policy: { waitForStreamSeconds: 0 } });
    const found = await ledger();
    expect(found.size).toBe(24 * CITIES.length);
    const expected = day.gaps.map((gap) =>
      labelled(gap, isBrokenOnlyLater(gap) ? 'complete/null' : 'behind/not_yet_processed'),
    );
    const actual = day.gaps.map((gap) => {
      const { verdict, reason } = found.get(keyOf(gap)) ?? {};
      return labelled(gap, `${verdict}/${reason}`);
    });
    expect(actual).toEqual(expected);
    const untouched = [...found].filter(([key]) => !broken.has(key));
    expect(untouched.filter(([, { verdict }]) => verdict !== 'complete')).toEqual([]);
    expect(await stack.sql('select backfill_id from backfills')).toEqual([]);
  });

  test('has each gap found with its own reason, and everything repaired that can be', async () => {
    for (const gap of day.gaps)
      for (const text of kindOf(gap).damage ?? [])
        await stack.sql(
          text.replaceAll('$1', String(gap.city.id)).replaceAll('$2', `to_timestamp(${gap.hourStart})`),
        );
    await hourglass('job', 'resume', 'weather-stream', '--wait');
    await checkBySchedule();
    const seen = await changes();
    const wrong = day.gaps
      .filter((gap) => !(seen.get(keyOf(gap)) ?? []).some((one) => one.endsWith(kindOf(gap).found)))
      .map((gap) => labelled(gap, seen.get(keyOf(gap))));
    expect(wrong).toEqual([]);
    // By hand more is repaired at a time than an hour's check begins; a pause before another attempt is over at once.
    for (let round = 0; round < 4; round += 1) {
      await stack.sql(`update window_completeness set repair_begun_at = repair_begun_at - interval '2 days'`);
      await check({ policy: { mostConcurrentRepairs: 30 } });
      await untilRepaired();
    }
    const found = await ledger();
    const others = day.gaps
      .filter((gap) => found.get(keyOf(gap))?.verdict !== leftOf(gap))
      .map((gap) => labelled(gap, JSON.stringify(found.get(keyOf(gap)))));
    expect(others).toEqual([]);
  });

  test('is the aggregate of every observation that the source can still return, figure by figure', async () => {
    expect(await differencesFrom(stack, day.truth, from, to)).toEqual([]);
  });

  test('has no reason that is unknown, and windows that were never touched never changed', async () => {
    const seen = await changes();
    // What nothing on record explains is sought in the log, by the same check.
    const isLeft = (one: string, place: number, history: readonly string[]): boolean =>
      one.endsWith('/unknown') && !history[place + 1]?.endsWith('/published_not_stored');
    expect([...seen].filter(([, history]) => history.some(isLeft))).toEqual([]);
    expect([...seen].filter(([key]) => !broken.has(key))).toEqual([]);
    const untouched = [...(await ledger())].filter(([key]) => !broken.has(key));
    expect(untouched).toHaveLength(24 * CITIES.length - broken.size);
    expect(untouched.filter(([, { verdict }]) => verdict !== 'complete')).toEqual([]);
  });

  test('is told to a person once a check, not once a location', () => {
    const alerts = receiver.deliveries.map(({ body }) => JSON.parse(body) as Alert);
    const raised = alerts.filter(({ kind }) => kind === 'windows-incomplete');
    expect(raised[0]).toMatchObject({ status: 'raised', subject: 'completeness/weather' });
    expect(raised.length).toBeLessThanOrEqual(4);
  });

  test('that is judged twice at once, and once more, changes no more', async () => {
    const before = await changes();
    await Promise.all([
      check(),
      hourglass('completeness', 'check', '--from', from.toISOString(), '--to', to.toISOString()),
    ]);
    await check();
    expect(await changes()).toEqual(before);
  });
});

describe('the tour', () => {
  test('breaks an hour of the mock that is found, explained and mended within two minutes', async () => {
    const { seconds, verdicts, before, after } = JSON.parse(await hourglass('tour', '--yes', '--json'));
    expect(seconds).toBeLessThan(120);
    expect(verdicts).toContain('mismatched');
    expect(after).toMatchObject({
      stored: before.stored,
      row: { observation_count: before.row.observation_count, temp_max: before.row.temp_max },
    });
    expect(await differencesFrom(stack, day.truth, from, to)).toEqual([]);
  });
});

describe('hourly observations of years ago, loaded from a file', () => {
  test('lack exactly the hours that the file lacks', async () => {
    const [city] = CITIES as [(typeof CITIES)[number]];
    const first = Date.parse('2012-02-20T00:00:00Z') / 1_000;
    const hours = 60 * 24;
    // One hour, a night, three days, the last hours of a leap day, and the first and last hour of all.
    const lacking = new Set([0, 17, ...span(200, 8), ...span(400, 72), 238, 239, 240, hours - 1]);
    const lines = Array.from({ length: hours }, (_, hour) => hour)
      .filter((hour) => !lacking.has(hour))
      .map((hour) => weatherAt({ seed: SEED, city, atSeconds: first + hour * 3_600 + 600 }))
      .map((observation) => JSON.stringify(observation));
    const directory = mkdtempSync(join(tmpdir(), 'hourglass-file-'));
    const file = join(directory, 'hours.ndjson');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const range = ['--from', instant(first), '--to', instant(first + hours * 3_600)];
    try {
      await stack.sql(
        `update locations set active_from = '2010-01-01', cadence_minutes = 60, min_observations_per_hour = 1 where city_id = ${city.id}`,
      );
      const only = ['--city', String(city.id)];
      await hourglass(
        ...['backfill', 'start', ...range, ...only, '--input', 'file', '--file', file, '--yes', '--wait'],
      );
      await hourglass(...['completeness', 'check', ...range, ...only, '--no-repair', '--wait']).catch(
        () => '',
      );
      const flawed = await stack.sql<{ hour: number; verdict: string }>(
        `select (extract(epoch from window_start)::bigint - ${first}) / 3600 as hour, verdict from window_completeness
         where entity_id = ${city.id} and window_start < '2013-01-01' and verdict <> all(array['${GOOD_VERDICTS.join("', '")}'])
         order by window_start`,
      );
      expect(flawed.map(({ hour, verdict }) => `${verdict} ${hour}`)).toEqual(
        [...lacking].sort((one, other) => one - other).map((hour) => `missing ${hour}`),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

const span = (start: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => start + index);
const instant = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');
