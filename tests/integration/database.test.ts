import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../clients/migrations.ts';
import { connectDatabase } from '../../clients/postgres.ts';
import { postgresAddress } from '../../config/addresses.ts';
import { config, connectSql, stack } from '../support/shared-stack.ts';
import { weatherTables } from '../support/weather-tables.ts';

const schema = `database_${randomBytes(3).toString('hex')}`;
const { POSTGRES_PIPELINE_USER } = config.values;
let sql: pg.Client;
let flink: pg.Client;

beforeAll(async () => {
  sql = await connectSql();
  await sql.query(`create schema ${schema}`);
  await sql.query(`set search_path = ${schema}`);
  await migrate({ ...postgresAddress(config), schema }, POSTGRES_PIPELINE_USER);
  const password = stack.environment['POSTGRES_PIPELINE_PASSWORD'];
  flink = await connectSql({
    user: POSTGRES_PIPELINE_USER,
    password,
    options: `-c search_path=${schema} -c timezone=UTC`,
  });
});
afterAll(async () => {
  await flink?.end();
  await sql?.query(`drop schema ${schema} cascade`);
  await sql?.end();
});

const insertObservation = (client: pg.Client, cityId: number, at: string, temp: number, revision = 0) =>
  client.query(
    `insert into observations (city_id, observed_at, temp, topic, partition_id, record_offset, published_at, revision)
     values ($1, $2, $3, 't', 0, 0, now(), $4)
     on conflict (city_id, observed_at) do update set temp = excluded.temp, revision = excluded.revision`,
    [cityId, at, temp, revision],
  );

describe('observations', () => {
  test('the stored row wins over a later one, unless that carries a higher revision', async () => {
    const temp = async () => (await sql.query('select temp from observations where city_id = 1')).rows;
    await insertObservation(flink, 1, '2026-01-01T00:00:00Z', 1);
    await insertObservation(flink, 1, '2026-01-01T00:00:00Z', 2);
    expect(await temp()).toEqual([{ temp: 1 }]);
    await insertObservation(sql, 1, '2026-01-01T00:00:00Z', 3, 1);
    await insertObservation(flink, 1, '2026-01-01T00:00:00Z', 4);
    expect(await temp()).toEqual([{ temp: 3 }]);
  });

  test('any date is accepted; a partition made later takes over what the default one holds, and nothing else', async () => {
    const dates = [
      '1999-12-31T23:59:59Z',
      '2000-01-01T00:00:00Z',
      '2000-01-31T23:59:59Z',
      '2000-02-01T00:00:00Z',
    ];
    for (const [index, date] of dates.entries()) await insertObservation(flink, 2, date, index);
    const places = async () =>
      (
        await sql.query(
          'select tableoid::regclass::text as place, temp from observations where city_id = 2 order by observed_at',
        )
      ).rows.map(({ place, temp }) => [place.split('.').at(-1), temp]);
    expect(await places()).toEqual(dates.map((_, index) => ['observations_default', index]));
    const { rows } = await sql.query(
      "select ensure_partitions('observations', '2000-01-15', '2000-01-15') as made",
    );
    expect(rows).toEqual([{ made: 1 }]);
    expect(await places()).toEqual([
      ['observations_default', 0],
      ['observations_2000_01', 1],
      ['observations_2000_01', 2],
      ['observations_default', 3],
    ]);
    expect(
      (await sql.query("select ensure_partitions('observations', '2000-01-15', '2000-01-15') as made")).rows,
    ).toEqual([{ made: 0 }]);
  });

  test('the stored row also wins in a partition that was made later', async () => {
    await insertObservation(flink, 2, '2000-01-01T00:00:00Z', 77);
    const { rows } = await sql.query(
      "select temp from observations where city_id = 2 and observed_at = '2000-01-01T00:00:00Z'",
    );
    expect(rows).toEqual([{ temp: 1 }]);
  });

  test('partitions made twice at once, while rows are written, are made once and lose nothing', async () => {
    const database = connectDatabase({ ...postgresAddress(config), schema, connections: 4 }, weatherTables);
    try {
      const dates = Array.from(
        { length: 200 },
        (_, index) =>
          `2001-0${1 + (index % 6)}-10T00:${String(index % 60).padStart(2, '0')}:${String(index % 50).padStart(2, '0')}Z`,
      );
      const writers = await Promise.all(
        [0, 1, 2].map(() => connectSql({ options: `-c search_path=${schema}` })),
      );
      const writes = writers.map(async (writer, index) => {
        for (const date of dates.filter((_, place) => place % writers.length === index))
          await insertObservation(writer, 3, date, index);
        await writer.end();
      });
      const made = await Promise.all(
        [1, 2].map(() =>
          database.query<{ made: number }>('ensure-partitions', ['2001-01-01', '2001-06-01'], 'weather'),
        ),
      );
      await Promise.all(writes);
      expect(made.flat().reduce((sum, row) => sum + row.made, 0)).toBe(6);
      const { rows } = await sql.query('select count(*)::int as count from observations where city_id = 3');
      expect(rows).toEqual([{ count: new Set(dates).size }]);
    } finally {
      await database.close();
    }
  });
});

describe('weather_hourly', () => {
  const base = {
    observation_count: 3,
    temp_avg: 5,
    temp_min: 1,
    temp_max: 9,
    humidity_min: 10,
    humidity_max: 90,
    pressure_min: 1000,
    pressure_max: 1010,
    wind_min: 1,
    wind_max: 5,
    clouds_min: 0,
    clouds_max: 100,
    gust_max: 8,
    rain_mm: 1,
    snow_mm: 1,
    first_observed_at: '2026-05-01T10:05:00Z',
    last_observed_at: '2026-05-01T10:50:00Z',
    origin: 'stream',
  } as const;
  const upsert = async (
    client: pg.Client,
    cityId: number,
    change: Record<string, unknown> = {},
    windowStart = '2026-05-01T10:00:00Z',
  ) => {
    const row: Record<string, unknown> = {
      city_id: cityId,
      window_start: windowStart,
      window_end: new Date(Date.parse(windowStart) + 3_600_000),
      ...base,
      ...change,
    };
    const names = Object.keys(row);
    const updates = names.map((name) => `${name} = excluded.${name}`).join(', ');
    await client.query(
      `insert into weather_hourly (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})
       on conflict (city_id, window_start) do update set ${updates}`,
      Object.values(row),
    );
  };
  const stored = async (cityId: number) =>
    (await sql.query('select * from weather_hourly where city_id = $1', [cityId])).rows[0];

  const shrinking: readonly Record<string, unknown>[] = [
    { observation_count: 2 },
    { first_observed_at: '2026-05-01T10:06:00Z' },
    { last_observed_at: '2026-05-01T10:49:00Z' },
    ...['temp', 'humidity', 'pressure', 'wind', 'clouds'].flatMap((figure) => {
      const [low, high] = [`${figure}_min`, `${figure}_max`] as const;
      return [
        { [low]: Number((base as Record<string, unknown>)[low]) + 0.5 },
        { [high]: Number((base as Record<string, unknown>)[high]) - 0.5 },
        { [low]: null },
        { [high]: null },
      ];
    }),
    { gust_max: 7 },
    { gust_max: null },
    { rain_mm: null },
    { snow_mm: null },
  ];

  test.each(shrinking)('an upsert of the stream in which %o is ignored', async (change) => {
    await sql.query('truncate weather_hourly');
    await upsert(flink, 1);
    await upsert(flink, 1, { ...change, temp_avg: 6 });
    expect((await stored(1)).temp_avg).toBe(5);
  });

  test('an upsert of the stream in which nothing shrinks is stored, with the time of storing', async () => {
    await sql.query('truncate weather_hourly');
    await upsert(flink, 1);
    const before = (await stored(1)).updated_at;
    await upsert(flink, 1, {
      observation_count: 4,
      temp_avg: 6,
      temp_min: 0,
      rain_mm: 0.5,
      last_observed_at: '2026-05-01T10:55:00Z',
    });
    const after = await stored(1);
    expect(after).toMatchObject({ observation_count: '4', temp_avg: 6, temp_min: 0, rain_mm: 0.5 });
    expect(after.updated_at.getTime()).toBeGreaterThan(before.getTime());
  });

  test('a recompute may lower an hour; the stream may not write over it once it no longer owns the hour', async () => {
    await sql.query('truncate weather_hourly');
    await upsert(flink, 1);
    await upsert(sql, 1, { observation_count: 2, origin: 'batch' });
    expect(await stored(1)).toMatchObject({ observation_count: '2', origin: 'batch' });
    await upsert(flink, 1, { observation_count: 5 });
    expect(await stored(1)).toMatchObject({ observation_count: '2', origin: 'batch' });
    const recent = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000).toISOString();
    await upsert(sql, 2, { observation_count: 2, origin: 'batch' }, recent);
    await upsert(flink, 2, { observation_count: 5 }, recent);
    expect(await stored(2)).toMatchObject({ observation_count: '5', origin: 'stream' });
  });
});

describe('the database', () => {
  test('the pipeline’s role can write its tables and nothing else', async () => {
    for (const statement of [
      'delete from observations',
      'truncate weather_hourly',
      'select * from locations',
      'select * from flink_jobs',
      'create table mine ()',
      'drop table weather_hourly',
    ]) {
      await expect(flink.query(statement), statement).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('it belongs to the first source that asked, and the registry is seeded once', async () => {
    const database = connectDatabase({ ...postgresAddress(config), schema, connections: 1 }, weatherTables);
    try {
      expect(await database.query('claim-data-source', ['mock'])).toEqual([{ source: 'mock' }]);
      expect(await database.query('claim-data-source', ['openweathermap'])).toEqual([{ source: 'mock' }]);
      const place = {
        city_id: 1,
        name: 'Oslo',
        country: 'NO',
        lat: 59.9,
        lon: 10.7,
        timezone: 'Europe/Oslo',
        cadence_minutes: 10,
        min_observations_per_hour: 4,
      };
      const from = new Date('2026-01-31T06:00:00Z');
      expect(await database.query('seed-locations', [JSON.stringify([place]), from])).toHaveLength(1);
      expect(
        await database.query('seed-locations', [JSON.stringify([{ ...place, city_id: 2 }]), from]),
      ).toHaveLength(0);
      expect(await database.query('stored-locations', [[1, 2]])).toEqual([
        { ...place, active_from: from, active_to: null },
      ]);
    } finally {
      await database.close();
    }
  });

  test('a migration that was applied with another content is refused by name', async () => {
    await sql.query("update schema_migrations set checksum = 'other' where name = '0002_observations.sql'");
    await expect(migrate({ ...postgresAddress(config), schema }, POSTGRES_PIPELINE_USER)).rejects.toThrow(
      '0002_observations.sql was applied with another content',
    );
  });
});
