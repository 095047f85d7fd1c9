import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { config, connectSql, hourglass, stack } from '../support/shared-stack.ts';

const name = `migrate_${randomBytes(3).toString('hex')}`;
const { POSTGRES_HOST = '', POSTGRES_PORT } = config.values;
const environment = {
  ...{ HOURGLASS_DATA_DIR: stack.dataDir, WEATHER_SOURCE: 'mock', FIRST_START_HISTORY_HOURS: '24' },
  ...{ POSTGRES_HOST, POSTGRES_PORT: String(POSTGRES_PORT), POSTGRES_DATABASE: name },
  ...{ POSTGRES_USER: `${name}_owner`, POSTGRES_PASSWORD: `it's the owner` },
  ...{ POSTGRES_PIPELINE_USER: `${name}_pipeline`, POSTGRES_PIPELINE_PASSWORD: 'the pipeline' },
  ...{ POSTGRES_READER_USER: `${name}_reader`, POSTGRES_READER_PASSWORD: 'the reader' },
  POSTGRES_SUPERUSER_PASSWORD: stack.superuserPassword,
};
const superuser = { user: 'postgres', password: stack.superuserPassword, database: 'postgres' };

const withSql = async <T>(options: pg.ClientConfig, ask: (sql: pg.Client) => Promise<T>): Promise<T> => {
  const sql = await connectSql(options);
  try {
    return await ask(sql);
  } finally {
    await sql.end();
  }
};

afterAll(() =>
  withSql(superuser, async (sql) => {
    await sql.query(`drop database if exists ${name}`);
    await sql.query(`drop role if exists ${name}_pipeline, ${name}_reader, ${name}_owner`);
  }),
);

describe('hourglass migrate --roles', () => {
  test('makes roles, database, schema and registry on a bare server, and does nothing the second time', async () => {
    const first = await hourglass(['migrate', '--roles'], environment);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^\d+ migrations, 60 locations\n$/);
    const second = await hourglass(['migrate', '--roles', '--json'], environment);
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toEqual({ done: 'schema is up to date' });
  });

  test('sets the passwords in force, of roles that are what they are in the native stack', async () => {
    const changed = { ...environment, POSTGRES_PIPELINE_PASSWORD: 'another' };
    expect((await hourglass(['migrate', '--roles'], changed)).code).toBe(0);
    const pipeline = { user: `${name}_pipeline`, password: 'another', database: name };
    await withSql(pipeline, async (sql) => {
      expect((await sql.query('select count(*)::integer as n from weather_hourly')).rows).toEqual([{ n: 0 }]);
      await expect(sql.query('delete from observations')).rejects.toThrow('permission denied');
      await expect(sql.query('create table mine (n integer)')).rejects.toThrow('permission denied');
    });
  });

  test('without the password of the superuser it says which variable is missing', async () => {
    const { POSTGRES_SUPERUSER_PASSWORD: _, ...without } = environment;
    const { code, stderr } = await hourglass(['migrate', '--roles'], {
      ...without,
      HOURGLASS_DATA_DIR: '/nowhere',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^hourglass: POSTGRES_SUPERUSER_PASSWORD is not set: .*\n$/);
  });
});
