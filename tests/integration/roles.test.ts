import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, QuestionRefusedError, QuestionTooLongError } from '../../clients/reader.ts';
import { readerAddress } from '../../config/addresses.ts';
import { config, connectSql, stack } from '../support/shared-stack.ts';

const { POSTGRES_PIPELINE_USER, POSTGRES_READER_USER } = config.values;
const DENIED = '42501';
const READ_ONLY = '25006';

let owner: pg.Client;
let writer: pg.Client;
let reader: pg.Client;

beforeAll(async () => {
  owner = await connectSql();
  writer = await connectSql({
    user: POSTGRES_PIPELINE_USER,
    password: stack.environment['POSTGRES_PIPELINE_PASSWORD'],
  });
  reader = await connectSql({
    user: POSTGRES_READER_USER,
    password: stack.environment['POSTGRES_READER_PASSWORD'],
  });
});
afterAll(async () => {
  for (const client of [owner, writer, reader]) await client?.end();
});

async function refusals(client: pg.Client, statements: readonly string[]): Promise<Record<string, string>> {
  const codes: Record<string, string> = {};
  for (const statement of statements)
    codes[statement] = await client.query(statement).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
  return codes;
}

const all = (statements: readonly string[], code: string): Record<string, string> =>
  Object.fromEntries(statements.map((statement) => [statement, code]));

describe('the owner', () => {
  test('makes and changes tables of its database, and can do nothing to the server', async () => {
    await owner.query('begin');
    await owner.query('create table of_the_owner (one integer)');
    await owner.query('alter table locations add column of_the_owner integer');
    await owner.query('rollback');
    const statements = [
      'create role another',
      'create database another',
      "copy locations to '/tmp/locations'",
      "select pg_read_file('/etc/passwd')",
    ];
    expect(await refusals(owner, statements)).toEqual(all(statements, DENIED));
  });
});

describe('the pipeline writer', () => {
  test('reads, inserts and updates what Flink writes', async () => {
    await writer.query('begin');
    await writer.query(
      `insert into observations (city_id, observed_at, topic, partition_id, record_offset, published_at)
       values (-1, '2026-01-01', 't', 0, 0, now())
       on conflict (city_id, observed_at) do update set temp = excluded.temp`,
    );
    const { rowCount } = await writer.query('select from observations where city_id = -1');
    expect(rowCount).toBe(1);
    for (const table of ['weather_hourly', 'batch_reads']) await writer.query(`select from ${table} limit 1`);
    await writer.query('rollback');
  });

  test('deletes nothing, sees no other table, makes none, not even a temporary one', async () => {
    const statements = [
      'delete from observations',
      'truncate weather_hourly',
      'select * from locations',
      'select * from flink_jobs',
      'select * from api_budgets',
      "select grant_reading('hourglass_pipeline')",
      'create table mine ()',
      'create temporary table mine ()',
      'drop table weather_hourly',
    ];
    expect(await refusals(writer, statements)).toEqual(all(statements, DENIED));
  });
});

describe('the reader', () => {
  test('reads every table and view that there is', async () => {
    const { rows } = await owner.query<{ relname: string }>(
      `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')`,
    );
    expect(rows.length).toBeGreaterThan(20);
    for (const { relname } of rows) await reader.query(`select from "${relname}" limit 1`);
  });

  test('reads a table that a later migration makes', async () => {
    await owner.query('create table of_a_later_migration as select 1 as one');
    try {
      expect((await reader.query('select * from of_a_later_migration')).rows).toEqual([{ one: 1 }]);
    } finally {
      await owner.query('drop table of_a_later_migration');
    }
  });

  test('writes nothing, also where it says that it would not only read', async () => {
    expect(await refusals(reader, ['delete from locations'])).toEqual({ 'delete from locations': READ_ONLY });
    await reader.query('set default_transaction_read_only = off');
    const statements = [
      'insert into data_source values (false)',
      'update locations set name = name',
      'delete from locations',
      'truncate dead_letters',
      'create table mine ()',
      'create temporary table mine ()',
      'drop view observation_conditions',
      `select ensure_partitions('observations', current_date, current_date + 400)`,
      "select grant_reading('hourglass_reader')",
      'create role another',
      "select pg_read_file('/etc/passwd')",
    ];
    try {
      expect(await refusals(reader, statements)).toEqual(all(statements, DENIED));
    } finally {
      await reader.query('reset default_transaction_read_only');
    }
  });

  test('has a limit of time for a question that is forgotten', async () => {
    expect((await reader.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '1min' }]);
  });

  test('asks one statement at a time through its door, whose rows come one by one', async () => {
    const put = (question: string, seconds = 30) => {
      const rows: (readonly (string | null)[])[] = [];
      return ask(readerAddress(config), question, seconds, (row) => rows.push(row)).then((answer) => ({
        ...answer,
        rows,
      }));
    };
    expect(await put('select 1 as one, null as nothing')).toEqual({
      columns: [
        { name: 'one', kind: 'number' },
        { name: 'nothing', kind: 'text' },
      ],
      rowCount: 1,
      rows: [['1', null]],
    });
    expect((await put('select 1 as one where false')).columns).toHaveLength(1);
    await expect(put('select 1; commit; drop table locations')).rejects.toThrow(QuestionRefusedError);
    await expect(put('delete from locations')).rejects.toThrow(/refuses the question: cannot execute DELETE/);
    await expect(put('selec 1')).rejects.toThrow(/syntax error at or near "selec" \(at character 1\)/);
    await expect(put('select pg_sleep(5)', 0.1)).rejects.toThrow(QuestionTooLongError);
  });
});
