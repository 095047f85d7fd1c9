import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../clients/migrations.ts';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import { postgresAddress } from '../../config/addresses.ts';
import { pipelines, tablesOf } from '../../pipelines/index.ts';
import { config, connectSql, stack } from '../support/shared-stack.ts';

const schema = `tables_${randomBytes(3).toString('hex')}`;
const { POSTGRES_PIPELINE_USER } = config.values;
let sql: pg.Client;
let flink: pg.Client;
let database: Database;

beforeAll(async () => {
  sql = await connectSql();
  await sql.query(`create schema ${schema}`);
  await sql.query(`set search_path = ${schema}`);
  await migrate({ ...postgresAddress(config), schema }, POSTGRES_PIPELINE_USER);
  flink = await connectSql({
    user: POSTGRES_PIPELINE_USER,
    password: stack.environment['POSTGRES_PIPELINE_PASSWORD'],
    options: `-c search_path=${schema} -c timezone=UTC`,
  });
  database = connectDatabase({ ...postgresAddress(config), schema, connections: 2 }, tablesOf);
});
afterAll(async () => {
  await database?.close();
  await flink?.end();
  await sql?.query(`drop schema ${schema} cascade`);
  await sql?.end();
});

describe.each(Object.values(pipelines))('the tables of $name', ({ name: pipeline, tables }) => {
  const { key, facts, windows, figures } = tables;
  const start = '2026-05-01T10:00:00Z';

  const observe = (id: number, at: string, offset: number, revision = 0) =>
    (revision > 0 ? sql : flink).query(
      `insert into ${facts} (${key}, observed_at, topic, partition_id, record_offset, published_at, revision)
       values ($1, $2, 't', 0, $3, now(), $4)
       on conflict (${key}, observed_at) do update set record_offset = excluded.record_offset, revision = excluded.revision`,
      [id, at, offset, revision],
    );
  const hour: Readonly<Record<string, unknown>> = {
    ...{ window_start: start, window_end: '2026-05-01T11:00:00Z', observation_count: 3, origin: 'stream' },
    ...{ first_observed_at: '2026-05-01T10:05:00Z', last_observed_at: '2026-05-01T10:50:00Z' },
    ...Object.fromEntries(figures.map((figure) => [figure, 5])),
  };
  const upsert = async (client: pg.Client, id: number, change: Readonly<Record<string, unknown>> = {}) => {
    const row = { [key]: id, ...hour, ...change };
    const names = Object.keys(row);
    await client.query(
      `insert into ${windows} (${names.join()}) values (${names.map((_, index) => `$${index + 1}`).join()})
       on conflict (${key}, window_start) do update set ${names.map((name) => `${name} = excluded.${name}`).join()}`,
      Object.values(row),
    );
  };
  const stored = async (id: number) =>
    (await sql.query(`select * from ${windows} where ${key} = $1`, [id])).rows[0];

  test('keep the stored row, unless a later one carries a higher revision', async () => {
    const offset = async () =>
      (await sql.query(`select record_offset::int as is from ${facts} where ${key} = 1`)).rows[0].is;
    await observe(1, start, 10);
    await observe(1, start, 11);
    expect(await offset()).toBe(10);
    await observe(1, start, 12, 1);
    expect(await offset()).toBe(12);
  });

  test('take any date, and move what a new month’s partition holds', async () => {
    await observe(2, '1999-12-31T23:59:59Z', 1);
    await observe(2, '2000-01-01T00:00:00Z', 2);
    const months = ['2000-01-01', '2000-02-01'];
    expect(await database.query('ensure-partitions', months, pipeline)).toEqual([{ made: 2 }]);
    expect(await database.query('ensure-partitions', months, pipeline)).toEqual([{ made: 0 }]);
    const { rows } = await sql.query(
      `select tableoid::regclass::text as place from ${facts} where ${key} = 2 order by observed_at`,
    );
    expect(rows.map(({ place }) => place.split('.').at(-1))).toEqual([
      `${facts}_default`,
      `${facts}_2000_01`,
    ]);
  });

  const shrinking: readonly Readonly<Record<string, unknown>>[] = [
    { observation_count: 2 },
    { first_observed_at: '2026-05-01T10:06:00Z' },
    { last_observed_at: '2026-05-01T10:49:00Z' },
    ...figures.flatMap((figure) => {
      // An average that is not known any more comes with a lowest and a highest value that are not known, too.
      if (figure.endsWith('_avg')) return [];
      const worse = { _min: [{ [figure]: 6 }], _max: [{ [figure]: 4 }] }[figure.slice(-4)] ?? [];
      return [...worse, { [figure]: null }];
    }),
  ];

  test('let no upsert of the stream take an hour backwards, in whatever figure', async () => {
    await upsert(flink, 3);
    for (const change of shrinking) {
      // Of the rest the upsert tells more than the stored row.
      await upsert(flink, 3, { observation_count: 4, ...change });
      const { observation_count: count } = await stored(3);
      expect([change, count]).toEqual([change, '3']);
    }
    await upsert(flink, 3, { observation_count: 4 });
    expect((await stored(3)).observation_count).toBe('4');
  });

  test('let a recompute lower an hour to what is stored, and no further', async () => {
    await upsert(flink, 4);
    for (const [index, minute] of ['05', '50'].entries())
      await observe(4, `2026-05-01T10:${minute}:00Z`, index);
    await upsert(sql, 4, { observation_count: 1, origin: 'batch' });
    expect(await stored(4)).toMatchObject({ observation_count: '3', origin: 'stream' });
    await upsert(sql, 4, { observation_count: 2, origin: 'batch' });
    expect(await stored(4)).toMatchObject({ observation_count: '2', origin: 'batch' });
    await upsert(flink, 4, { observation_count: 5 });
    expect(await stored(4)).toMatchObject({ observation_count: '2', origin: 'batch' });
  });

  test('tell the truth of an hour, and the audit finds the hour that is another', async () => {
    const range = [null, new Date(start), new Date('2026-05-01T11:00:00Z')];
    const { rows } = await sql.query(
      `select ${key} as id, observation_count from ${windows}_truth($1, $2, array[4]::bigint[])`,
      range.slice(1),
    );
    expect(rows).toEqual([{ id: '4', observation_count: '2' }]);
    const differing = await database.query<{ entity_id: number; differences: object }>(
      'audit-hours',
      range,
      pipeline,
    );
    const own = differing.find(({ entity_id: id }) => id === 4);
    // Nothing was measured: the row has figures, the observations none.
    expect(Object.keys(own?.differences ?? {}).sort()).toEqual([...figures].sort());
  });
});
