import type { Client, ScheduleHandle } from '@temporalio/client';
import { Kafka, logLevel } from 'kafkajs';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectKafka } from '../../clients/kafka.ts';
import { seedFile } from '../../clients/sql-files.ts';
import { connectTemporal } from '../../clients/temporal.ts';
import { kafkaBrokers, temporalAddress } from '../../config/addresses.ts';
import { ingestScheduleId } from '../../domain/identities.ts';
import { loadCities } from '../../mock/cities.ts';
import { weatherAt } from '../../mock/weather.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { eventually } from '../support/eventually.ts';
import { config, connectSql } from '../support/shared-stack.ts';
import { type HourOfTruth, hoursOfTruth, rowOfTruth } from '../support/truth.ts';

const cities = new Map(loadCities(seedFile('locations.csv')).map((city) => [city.id, city]));
const { MOCK_SEED: seed, MOCK_STEP_SECONDS: stepSeconds } = config.values;
const topic = weather.topics.live.name;
/** Other tests replay records of places that the mock does not know. */
/** What is polled is young; older hours are loaded by other tests. */
const polled = (time: string): string =>
  `city_id in (select city_id from locations) and ${time} > now() - interval '3 hours'`;
let sql: pg.Client;

beforeAll(async () => {
  sql = await connectSql();
});
afterAll(async () => {
  await sql?.query('update locations set cadence_minutes = 10');
  await sql?.end();
  await withSchedule((schedule) => schedule.unpause());
});

async function withSchedule<T>(work: (schedule: ScheduleHandle, client: Client) => Promise<T>): Promise<T> {
  const client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  try {
    return await work(client.schedule.getHandle(ingestScheduleId('weather', 'mock', 0)), client);
  } finally {
    await client.connection.close();
  }
}

const count = async (query: string): Promise<number> =>
  Number((await sql.query<{ count: string }>(query)).rows[0]?.count);
const truthAt = (cityId: number, atSeconds: number) => {
  const city = cities.get(cityId);
  if (city === undefined) throw new Error(`the mock has no city ${cityId}`);
  return weatherAt({ seed, city, atSeconds, stepSeconds });
};

test('what the mock says goes by schedule, Kafka and Flink into PostgreSQL, every figure true', async () => {
  // Each minute's run polls every city, and the mock has something new for each of them.
  await sql.query('update locations set cadence_minutes = 1');
  await eventually(
    'two polls of every city are stored',
    () => count(`select count(*) from observations where ${polled('observed_at')}`),
    (rows) => rows >= 2 * cities.size,
    {
      withinMs: 220_000,
      everyMs: 1_000,
    },
  );
  await standStill();

  const records = await readTopic();
  const published = await count('select sum(published) as count from ingest_runs');
  expect(records.length).toBe(published);
  for (const { value } of records)
    expect(value).toEqual(JSON.parse(JSON.stringify(truthAt(value.id, value.dt))));

  const { rows: observations } = await sql.query(
    `select * from observations where ${polled('observed_at')} order by city_id, observed_at`,
  );
  expect(
    observations.map(({ city_id, observed_at }) => [Number(city_id), observed_at.getTime() / 1_000]),
  ).toEqual(
    records.map(({ value }) => [value.id, value.dt]).sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d),
  );
  const places = new Map(records.map((record) => [`${record.value.id}/${record.value.dt}`, record]));
  for (const { stored_at: _, ...row } of observations) {
    const record = places.get(`${row.city_id}/${row.observed_at.getTime() / 1_000}`);
    expect(row).toEqual({
      ...rowOfTruth(truthAt(Number(row.city_id), row.observed_at.getTime() / 1_000)),
      ...record?.place,
    });
  }

  const { rows: hours } = await sql.query<HourOfTruth>(
    `select * from weather_hourly where ${polled('window_start')} order by city_id, window_start`,
  );
  const expected = hoursOfTruth(records.map(({ value }) => truthAt(value.id, value.dt)));
  expect(hours.length).toBe(expected.length);
  for (const [index, hour] of hours.entries()) {
    for (const [name, value] of Object.entries(expected[index] ?? {})) {
      const found = (hour as unknown as Record<string, unknown>)[name];
      if (typeof value === 'number' && !name.endsWith('_id'))
        expect(Number(found), name).toBeCloseTo(value, 9);
      else expect(found, name).toEqual(name === 'city_id' ? String(value) : value);
    }
  }
});

/** No run under way, none to come, and everything that was published is stored. */
const standStill = (): Promise<void> =>
  withSchedule(async (schedule, client) => {
    await schedule.pause('the tables are compared');
    const running = "WorkflowType = 'ingestWeather' AND ExecutionStatus = 'Running'";
    await eventually(
      'no ingestion runs',
      () => client.workflow.count(running),
      (open) => open.count === 0,
    );
    const kafka = connectKafka(kafkaBrokers(config));
    const ends = (await kafka.watermarks(topic)).reduce((sum, { low, high }) => sum + high - low, 0);
    await kafka.close();
    const stored = () => count(`select count(*) from observations where ${polled('observed_at')}`);
    await eventually('all is stored', stored, (rows) => rows === ends);
    const counted = () =>
      count(`select sum(observation_count) as count from weather_hourly where ${polled('window_start')}`);
    await eventually('all is aggregated', counted, (rows) => rows === ends);
  });

interface TopicRecord {
  readonly value: ReturnType<typeof truthAt>;
  readonly place: { topic: string; partition_id: number; record_offset: string; published_at: Date };
}

async function readTopic(): Promise<TopicRecord[]> {
  const client = connectKafka(kafkaBrokers(config));
  const wanted = (await client.watermarks(topic)).reduce((sum, { low, high }) => sum + high - low, 0);
  await client.close();
  const consumer = new Kafka({ brokers: [...kafkaBrokers(config)], logLevel: logLevel.NOTHING }).consumer({
    groupId: 'end-to-end-test',
  });
  const records: TopicRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const value = JSON.parse(String(message.value));
      expect(String(message.key)).toBe(String(value.id));
      const place = {
        topic,
        partition_id: partition,
        record_offset: message.offset,
        published_at: new Date(Number(message.timestamp)),
      };
      records.push({ value, place });
    },
  });
  await eventually(
    'the whole topic is read',
    async () => records.length,
    (read) => read >= wanted,
  );
  await consumer.disconnect();
  return records;
}
