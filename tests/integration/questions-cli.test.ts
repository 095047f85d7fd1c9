import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectKafka } from '../../clients/kafka.ts';
import { kafkaBrokers } from '../../config/addresses.ts';
import { projectRoot } from '../../config/load.ts';
import { eventually } from '../support/eventually.ts';
import { config, connectSql, hourglass, stack } from '../support/shared-stack.ts';
import { temporaryDirectories } from '../support/temporary-directories.ts';

const temporaryDirectory = temporaryDirectories();

beforeAll(async () => {
  const sql = await connectSql();
  await eventually(
    'most cities have a row of an hour, and their conditions',
    () => sql.query('select from weather_hourly'),
    ({ rowCount }) => (rowCount ?? 0) > 30,
  );
  await sql.end();
}, 120_000);

/** Runs a command that goes on, until it has said enough, and then presses Ctrl-C. */
function untilSaid(args: readonly string[], isEnough: (said: string) => boolean) {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [join(projectRoot, 'cli/bin.js'), ...args], {
    cwd: projectRoot,
    env: { PATH, HOME, HOURGLASS_DATA_DIR: stack.dataDir },
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
    if (isEnough(said)) child.kill('SIGINT');
  });
  return new Promise<{ code: number | null; said: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, said })),
  );
}

describe('hourglass sql', () => {
  test('answers as a table, as CSV and as JSON, from the command line, from a file and from what is saved', async () => {
    const question = "select city_id, name from locations where name = 'Oslo'";
    const file = join(temporaryDirectory(), 'question.sql');
    writeFileSync(file, question);
    const [table, csv, json, saved] = await Promise.all([
      hourglass(['sql', question]),
      hourglass(['sql', '--csv', question]),
      hourglass(['sql', '--json', '--file', file]),
      hourglass(['sql', '--json', '--saved', 'hourly-weather']),
    ]);
    expect(table.stdout).toBe('city_id  name\n3143244  Oslo\n\n1 row\n');
    expect(csv.stdout).toBe('city_id,name\n3143244,Oslo\n');
    expect(JSON.parse(json.stdout)).toEqual([{ city_id: 3143244, name: 'Oslo' }]);
    const hours: { city: string; observations: number }[] = JSON.parse(saved.stdout);
    expect(hours.length).toBeGreaterThan(10);
    expect(hours.every(({ observations }) => observations > 0)).toBe(true);
  });

  test('refuses what writes, what is wrong and what takes too long, in a sentence each', async () => {
    const [writing, wrong, long, twice, unreadable, none] = await Promise.all([
      hourglass(['sql', 'drop table locations']),
      hourglass(['sql', 'select nam from locations']),
      hourglass(['sql', '--timeout', '0.2', 'select pg_sleep(9)']),
      hourglass(['sql', 'select 1', '--saved', 'freshness']),
      hourglass(['sql', '--file', '/none.sql']),
      hourglass(['sql', 'select 1'], { HOURGLASS_DATA_DIR: temporaryDirectory() }),
    ]);
    expect(writing).toMatchObject({ code: 1, stderr: expect.stringContaining('read-only') });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('Perhaps you meant') });
    expect(long).toMatchObject({ code: 1, stderr: expect.stringContaining('--timeout') });
    expect(twice).toMatchObject({ code: 2 });
    expect(unreadable).toMatchObject({ code: 1, stderr: expect.stringContaining('/none.sql') });
    expect(none).toMatchObject({ code: 3 });
    for (const { stderr } of [writing, wrong, long, twice, unreadable, none]) {
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).not.toContain(stack.environment['POSTGRES_READER_PASSWORD']);
    }
  });

  test('the unnested conditions of the original demo have a row for each condition', async () => {
    const { stdout } = await hourglass(['sql', '--json', '--saved', 'unnested-conditions']);
    const rows: { position: number; condition: string }[] = JSON.parse(stdout);
    expect(rows.length).toBeGreaterThan(10);
    for (const { position, condition } of rows)
      expect([position >= 1, condition]).toEqual([true, expect.stringMatching(/^[A-Z]/)]);
  });
});

describe('hourglass kafka', () => {
  test('tells the topics with their records, and how far the stream has read', async () => {
    const [topics, lag, text] = await Promise.all([
      hourglass(['kafka', 'topics', '--json']),
      hourglass(['kafka', 'lag', '--json']),
      hourglass(['kafka', 'lag']),
    ]);
    expect(JSON.parse(topics.stdout)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ role: 'live', partitions: 4, retentionMs: 604_800_000 }),
      ]),
    );
    const [live] = JSON.parse(topics.stdout);
    expect(live.records).toBeGreaterThan(0);
    const told = JSON.parse(lag.stdout);
    expect(told.partitions).toHaveLength(8);
    expect(told.lag).toBe(told.partitions.reduce((sum: number, each: { lag: number }) => sum + each.lag, 0));
    expect(text.stdout).toContain('hourglass-weather');
  });

  test('shows the newest records, whole in JSON, and those that come', async () => {
    const [tail, unknown] = await Promise.all([
      hourglass(['kafka', 'tail', 'live', '--limit', '5', '--json']),
      hourglass(['kafka', 'tail', 'nothing']),
    ]);
    const records = tail.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records).toHaveLength(5);
    for (const { key, value, headers } of records) {
      expect(JSON.parse(value).id).toBe(Number(key));
      expect(headers).toMatchObject({ source: 'mock' });
    }
    const times = records.map(({ publishedAt }) => publishedAt);
    expect(times).toEqual(times.slice().sort());
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('weather.observations.v1') });
    // Only batch jobs read this topic, and those by offsets.
    const kafka = connectKafka(kafkaBrokers(config));
    const publishing = setInterval(() => {
      void kafka.publish('weather.history.v1', [{ key: '1', value: 'one more', headers: {} }]);
    }, 1_000);
    const followed = await untilSaid(['kafka', 'tail', 'history', '--limit', '0', '-f'], (said) =>
      said.includes('one more'),
    );
    clearInterval(publishing);
    await kafka.close();
    expect(followed.code).toBe(0);
  });
});

describe('hourglass weather', () => {
  test('draws the day of a city, and has its 24 hours in JSON', async () => {
    const [text, json, unknown] = await Promise.all([
      hourglass(['weather', 'Oslo']),
      hourglass(['weather', '3143244', '--json']),
      hourglass(['weather', 'Atlantis']),
    ]);
    expect(text.stdout).toMatch(/^Oslo, NO: -?\d+\.\d °C, .*, humidity \d+ %/);
    expect(text.stdout).toContain('Hours in Europe/Oslo; the last one still runs.');
    const { hours, location } = JSON.parse(json.stdout);
    expect(location).toMatchObject({ city_id: 3143244, timezone: 'Europe/Oslo' });
    expect(hours).toHaveLength(24);
    expect(hours.some(({ observation_count }: { observation_count: number }) => observation_count > 0)).toBe(
      true,
    );
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('locations list --all') });
  });
});

describe('the commands about the stack itself', () => {
  test('logs lists the logs, shows the end of one, and follows it until Ctrl-C', async () => {
    const [list, worker, unknown, none] = await Promise.all([
      hourglass(['logs', '--json']),
      hourglass(['logs', 'worker', '--lines', '3', '--json']),
      hourglass(['logs', 'nothing']),
      hourglass(['logs'], { HOURGLASS_DATA_DIR: temporaryDirectory() }),
    ]);
    const services: string[] = JSON.parse(list.stdout).map(({ service }: { service: string }) => service);
    expect(services).toEqual(expect.arrayContaining(['kafka', 'postgres', 'flink-taskmanager', 'mock']));
    expect(JSON.parse(worker.stdout)).toMatchObject({ service: expect.stringMatching(/^worker-/) });
    expect(JSON.parse(worker.stdout).lines.length).toBeLessThanOrEqual(3);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('kafka') });
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('npx hourglass up') });
    const followed = await untilSaid(['logs', 'kafka', '-n', '1', '-f'], (said) => said.includes('\n'));
    expect(followed.code).toBe(0);
  });

  test('status --watch says it again when it changed, and ends with Ctrl-C', async () => {
    const watched = await untilSaid(['status', '--watch', '--json'], (said) => said.split('\n').length > 1);
    expect(watched.code).toBe(0);
    expect(JSON.parse(watched.said.split('\n')[0] ?? '')).toMatchObject({ phase: 'ready', source: 'mock' });
  });

  test('doctor finds that a start works here, and that the stack has its ports', async () => {
    const { code, stdout } = await hourglass(['doctor', '--json'], {
      HOURGLASS_DATA_DIR: stack.dataDir,
      ...(process.env['HOURGLASS_CACHE_DIR'] === undefined
        ? {}
        : { HOURGLASS_CACHE_DIR: process.env['HOURGLASS_CACHE_DIR'] }),
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({
        name: 'Ports',
        verdict: 'ok',
        found: expect.stringContaining('the stack runs'),
      }),
    );
  });

  test('doctor fails where a port that was set is taken', async () => {
    const { code, stdout } = await hourglass(['doctor'], {
      HOURGLASS_DATA_DIR: temporaryDirectory(),
      POSTGRES_PORT: String(stack.environment['POSTGRES_PORT']),
    });
    expect([code, stdout]).toEqual([1, expect.stringContaining('set another POSTGRES_PORT')]);
  });

  test('reset is refused while the stack runs, and nothing is deleted', async () => {
    const { code, stderr } = await hourglass(['reset', '--yes']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Nothing was deleted: a stack runs on')]);
    const sql = await connectSql();
    expect((await sql.query('select from locations')).rowCount).toBeGreaterThan(0);
    await sql.end();
  });

  test('reset says what it deletes and deletes nothing where nobody says yes', async () => {
    const dataDir = temporaryDirectory();
    writeFileSync(join(dataDir, 'source'), 'mock\n');
    const unasked = await hourglass(['reset'], { HOURGLASS_DATA_DIR: dataDir });
    expect(unasked).toMatchObject({ code: 1, stdout: expect.stringContaining(join(dataDir, 'source')) });
    const done = await hourglass(['reset', '--yes', '--json'], { HOURGLASS_DATA_DIR: dataDir });
    expect(JSON.parse(done.stdout)).toMatchObject({ dataDir, left: [] });
    expect(await hourglass(['reset'], { HOURGLASS_DATA_DIR: dataDir })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing to delete'),
    });
  });
});
