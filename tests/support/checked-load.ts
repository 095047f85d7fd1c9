/** A steady load on a stack of one's own, and the proof that both tables hold exactly what it published. */
import { expect } from 'vitest';
import { connectKafka, type KafkaClient } from '../../clients/kafka.ts';
import { kafkaBrokers } from '../../config/addresses.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { eventually } from './eventually.ts';
import { pauseIngestion } from './ingestion.ts';
import type { OwnStack } from './own-stack.ts';
import { rowDifferences } from './row-differences.ts';
import { hoursOfTruth, rowOfTruth } from './truth.ts';
import { createWeatherLoad, type Publishing, publishSteadily, type WeatherLoad } from './weather-load.ts';

const FIRST_CITY = 9_000_000;
const CITIES = 400;
const topic = weather.topics.live.name;

export interface CheckedLoad {
  readonly load: WeatherLoad;
  readonly kafka: KafkaClient;
  /** From now on the tables are to hold what is published here: the ingestion is paused. */
  begin(perSecond: number): Promise<void>;
  /** So many of the load's next records, at once. */
  publish(count: number): Promise<void>;
  /** Returns when the last record is acknowledged. */
  pause(): Promise<void>;
  stored(): Promise<number>;
  logEnd(): Promise<number>;
  untilStoredAgain(withinMs: number): Promise<void>;
  /** The longest time, in seconds, in which nothing was stored since then: how long readers saw nothing new. */
  longestPause(sinceMs: number): Promise<number>;
  untilAllRead(withinMs: number): Promise<void>;
  /** Both tables, row by row and column by column. */
  expectTruth(): Promise<{ observations: number; hours: number }>;
  close(): Promise<void>;
}

/** @param firstCity the load's cities are this one and those after it: two loads on one stack have cities of their own */
export function createCheckedLoad(
  stack: Pick<OwnStack, 'config' | 'sql' | 'withTemporal'>,
  firstCity: number = FIRST_CITY,
): CheckedLoad {
  const kafka = connectKafka(kafkaBrokers(stack.config));
  const load = createWeatherLoad({ firstCity, cities: CITIES });
  const isOurs = `city_id between ${firstCity} and ${firstCity + CITIES - 1}`;
  let publishing: Publishing | undefined;
  const stored = async (): Promise<number> => {
    const [row] = await stack.sql<{ count: string }>(`select count(*) from observations where ${isOurs}`);
    return Number(row?.count);
  };
  const pause = async (): Promise<void> => {
    await publishing?.stop();
    publishing = undefined;
  };
  return {
    load,
    kafka,
    stored,
    pause,
    async begin(perSecond) {
      // What a test that failed has left would never be read to its end.
      await pause();
      // A run that was under way when a service goes away would fail, and rightly so.
      await pauseIngestion(stack);
      publishing = await publishSteadily(load, { brokers: kafkaBrokers(stack.config), topic, perSecond });
    },
    async publish(count) {
      const records = load.next(count).map(({ key, value }) => ({
        ...{ key: String(key), value: String(value), headers: { source: 'mock' } },
      }));
      await kafka.publish(topic, records);
    },
    async logEnd() {
      return (await kafka.watermarks(topic)).reduce((sum, { high }) => sum + high, 0);
    },
    async untilStoredAgain(withinMs) {
      const before = await eventually('the table answers', stored, () => true, { withinMs });
      await eventually('rows are stored again', stored, (rows) => rows > before, { withinMs });
    },
    async longestPause(sinceMs) {
      const [row] = await stack.sql<{ seconds: string }>(
        `select max(extract(epoch from stored_at - before)) as seconds from (
           select stored_at, lag(stored_at) over (order by stored_at) as before
           from (select distinct stored_at from observations where ${isOurs}) as stores
         ) as pauses where stored_at > '${new Date(sinceMs).toISOString()}'`,
      );
      return Number(row?.seconds);
    },
    async untilAllRead(withinMs) {
      const ends = await kafka.watermarks(topic);
      await eventually(
        'everything is read',
        () => kafka.committedOffsets(weather.consumerGroup, topic),
        (committed) => ends.every(({ partition, high }) => committed.get(partition) === high),
        { withinMs },
      );
    },
    async expectTruth() {
      const observations = await stack.sql<Record<string, unknown>>(
        `select * from observations where ${isOurs}`,
      );
      const truth = [...load.observations.values()];
      const rows = truth.map((record) => ({ ...rowOfTruth(record), topic, rejected_values: null }));
      expect(rowDifferences(observations, rows, keyOf('observed_at'))).toEqual([]);
      const hours = await stack.sql<Record<string, unknown>>(`select * from weather_hourly where ${isOurs}`);
      expect(rowDifferences(hours, hoursOfTruth(truth), keyOf('window_start'))).toEqual([]);
      return { observations: observations.length, hours: hours.length };
    },
    async close() {
      await pause();
      await kafka.close();
    },
  };
}

const keyOf =
  (time: string) =>
  (row: Readonly<Record<string, unknown>>): string =>
    `${row['city_id']} at ${(row[time] as Date).toISOString()}`;
