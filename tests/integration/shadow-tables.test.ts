import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../clients/migrations.ts';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import {
  columnsOfTables,
  compareWithShadow,
  databaseTime,
  dropShadowTables,
  makeShadowTables,
  sizeOfTables,
} from '../../clients/shadow-tables.ts';
import { postgresAddress } from '../../config/addresses.ts';
import { config, connectSql, stack } from '../support/shared-stack.ts';

const own = `shadowed_${randomBytes(3).toString('hex')}`;
const shadow = `shadow_of_${own}`;
const tables = ['observations', 'weather_hourly'];
const { POSTGRES_PIPELINE_USER: writer } = config.values;
const FROM = new Date('2026-01-31T00:00:00Z');
const TO = new Date('2026-02-01T00:00:00Z');
let sql: pg.Client;
let flink: pg.Client;
let database: Database;

beforeAll(async () => {
  sql = await connectSql();
  await sql.query(`create schema ${own}; set search_path = ${own}`);
  await migrate({ ...postgresAddress(config), schema: own }, writer);
  database = connectDatabase({ ...postgresAddress(config), schema: own, connections: 1 });
  const password = stack.environment['POSTGRES_PIPELINE_PASSWORD'];
  flink = await connectSql({ user: writer, password, options: `-c search_path=${shadow} -c timezone=UTC` });
});
afterAll(async () => {
  await flink?.end();
  await database?.close();
  await sql?.query(`drop schema if exists ${shadow} cascade; drop schema ${own} cascade`);
  await sql?.end();
});
beforeEach(async () => {
  await sql.query('truncate weather_hourly, observations');
  await makeShadowTables(database, { schema: shadow, tables, writer });
});

interface Hour {
  readonly city?: number;
  readonly hour?: string;
  readonly count?: number;
  readonly temp?: number | null;
  readonly origin?: string;
}

/** An upsert as Flink's sink writes it. */
const write = (client: pg.Client, { city = 1, hour = '10', count = 6, temp = 5, origin = 'stream' }: Hour) =>
  client.query(
    `insert into weather_hourly (city_id, window_start, window_end, observation_count, temp_avg, first_observed_at, last_observed_at, origin)
     values ($1, $2, $2::timestamptz + interval '1 hour', $3, $4, $2, $2, $5)
     on conflict (city_id, window_start) do update set
       observation_count = excluded.observation_count,
       temp_avg = excluded.temp_avg,
       first_observed_at = excluded.first_observed_at,
       last_observed_at = excluded.last_observed_at,
       origin = excluded.origin`,
    [city, `2026-01-31T${hour}:00:00Z`, count, temp, origin],
  );
const both = async (hour: Hour): Promise<void> => {
  await write(sql, hour);
  await write(flink, hour);
};
/** Whatever was written before now, however short a time ago. */
const later = async (): Promise<Date> => new Date((await databaseTime(database)).getTime() + 1_000);
const compare = async (writtenBefore?: Date) =>
  compareWithShadow(database, {
    ...{ schema: shadow, table: 'weather_hourly', from: FROM, to: TO },
    writtenBefore: writtenBefore ?? (await later()),
  });

describe('shadow tables', () => {
  test('are written by the role of the pipeline, and the real ones stay as they are', async () => {
    await write(flink, {});
    expect((await sql.query(`select from ${shadow}.weather_hourly`)).rowCount).toBe(1);
    expect((await sql.query('select from weather_hourly')).rowCount).toBe(0);
  });

  test('make of a row what the real ones make of it', async () => {
    await write(flink, { count: 6 });
    await write(flink, { count: 5 });
    const { rows } = await flink.query('select observation_count from weather_hourly');
    expect(rows).toEqual([{ observation_count: '6' }]);
    const insert = `insert into observations (city_id, observed_at, temp, topic, partition_id, record_offset, published_at)
       values (1, '2026-01-31T10:00:00Z', $1, 't', 0, 0, now())
       on conflict (city_id, observed_at) do update set temp = excluded.temp`;
    await flink.query(insert, [1]);
    await flink.query(insert, [2]);
    expect((await flink.query('select temp, revision from observations')).rows).toEqual([
      { temp: 1, revision: 0 },
    ]);
  });

  test('are empty when they are made again', async () => {
    await write(flink, {});
    await makeShadowTables(database, { schema: shadow, tables, writer });
    expect((await flink.query('select from weather_hourly')).rowCount).toBe(0);
  });

  test('are gone when they are dropped, and no other schema can be dropped so', async () => {
    await dropShadowTables(database, shadow);
    await dropShadowTables(database, shadow);
    expect((await sql.query('select from pg_namespace where nspname = $1', [shadow])).rowCount).toBe(0);
    for (const schema of ['public', own, 'shadow_; drop schema public'])
      await expect(dropShadowTables(database, schema)).rejects.toThrow(/is no candidate's/);
  });
});

describe('the windows of a candidate', () => {
  test('are equal, whoever summed up in which order, and however they came about', async () => {
    await both({});
    await write(sql, { city: 2, temp: 0.1 + 0.2 });
    await write(flink, { city: 2, temp: 0.3 });
    await both({ city: 3, temp: null });
    expect(await compare()).toEqual({ compared: 3, differences: [], ranges: [] });
  });

  test('differ by column, with the hours and both values', async () => {
    await write(sql, { temp: 5, count: 6 });
    await write(flink, { temp: 5.5, count: 6 });
    await write(sql, { city: 2, hour: '11', temp: 4 });
    await write(flink, { city: 2, hour: '11', temp: null });
    const hours = ['2026-01-31T10:00:00+00:00', '2026-01-31T11:00:00+00:00'];
    expect(await compare()).toEqual({
      compared: 2,
      differences: [
        {
          ...{ column: 'temp_avg', windows: 2 },
          examples: [
            { entity: '1', window: hours[0], real: 5, candidate: 5.5 },
            { entity: '2', window: hours[1], real: 4, candidate: null },
          ],
        },
      ],
      ranges: [{ from: '2026-01-31T10:00:00Z', to: '2026-01-31T12:00:00Z' }],
    });
  });

  test('differ when only one side has them', async () => {
    await write(sql, { city: 1 });
    await write(flink, { city: 2 });
    const { differences } = await compare();
    expect(
      differences.map(({ column, windows, examples }) => [column, windows, examples[0]?.entity]),
    ).toEqual([
      ['extra', 1, '2'],
      ['missing', 1, '1'],
    ]);
  });

  test('are not compared with what a batch has made, what lies outside, or what was written since', async () => {
    await write(sql, { city: 1, origin: 'batch', temp: 1 });
    await write(flink, { city: 1, temp: 2 });
    await sql.query(
      `insert into weather_hourly (city_id, window_start, window_end, observation_count, first_observed_at, last_observed_at, origin)
       values (1, '2026-02-01T00:00:00Z', '2026-02-01T01:00:00Z', 1, now(), now(), 'stream')`,
    );
    const before = await databaseTime(database);
    await write(sql, { city: 3, temp: 1 });
    await write(flink, { city: 3, temp: 2 });
    expect(await compare(before)).toEqual({ compared: 0, differences: [], ranges: [] });
    expect((await compare()).differences.map(({ column, windows }) => [column, windows])).toEqual([
      ['temp_avg', 1],
    ]);
  });

  test('that the candidate alone has written since are not counted as compared', async () => {
    await both({ city: 2 });
    await write(sql, { city: 1, temp: 1 });
    const before = await databaseTime(database);
    await write(flink, { city: 1, temp: 2 });
    expect(await compare(before)).toEqual({ compared: 1, differences: [], ranges: [] });
  });
});

test('of a table its columns, what a row needs, and its size with all partitions are known', async () => {
  const known = await columnsOfTables(database, ['weather_hourly', 'nowhere']);
  expect(known.get('nowhere')).toBeUndefined();
  expect(known.get('weather_hourly')?.columns).toContain('temp_avg');
  expect(known.get('weather_hourly')?.required).toEqual([
    ...['city_id', 'window_start', 'window_end', 'observation_count'],
    ...['first_observed_at', 'last_observed_at', 'origin'],
  ]);
  const bytes = await sizeOfTables(database, tables);
  expect(bytes).toBeGreaterThan(await sizeOfTables(database, ['weather_hourly']));
  expect(await sizeOfTables(database, ['nowhere'])).toBe(0);
});
