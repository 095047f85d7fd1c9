import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresAddress } from '../../config/addresses.ts';
import { loadConfig, projectRoot } from '../../config/load.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/free-ports.ts';

const hours = 24;
const locations = 60;
let dataDir: string;
let ports: Readonly<Record<string, string>>;

const hourglass = (...args: string[]): string =>
  execFileSync(process.execPath, ['cli/bin.js', ...args], {
    cwd: projectRoot,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      HOURGLASS_DATA_DIR: dataDir,
      WEATHER_SOURCE: 'mock',
      ...ports,
    },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

async function sql<Row extends object>(text: string): Promise<Row[]> {
  const config = loadConfig({
    environment: { HOURGLASS_DATA_DIR: dataDir },
    envFile: join(dataDir, 'no.env'),
  });
  const client = new pg.Client({ ...postgresAddress(config), options: '-c timezone=UTC' });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  ports = await freePorts();
  dataDir = mkdtempSync(join(tmpdir(), 'hourglass-test-'));
  // PostgreSQL's own user must be able to pass.
  chmodSync(dataDir, 0o755);
});
afterAll(() => {
  hourglass('down');
  rmSync(dataDir, { recursive: true, force: true });
});

describe('a start on an empty database with the mock', () => {
  let id: string;

  test('loads the last day by itself: every hour of it is there a minute later', async () => {
    const said = hourglass('up');
    const line = /History of weather: done, (.*)/.exec(said)?.[1] ?? said;
    expect(line).toContain(`the last ${hours} hours of ${locations} locations are being loaded`);
    id = /backfill show (\S+?)`/.exec(line)?.[1] ?? '';
    await eventually(
      'every hour is there',
      () =>
        sql<{ hours: number }>(
          `select count(*)::integer as hours from weather_hourly
           where window_start < (select (request ->> 'to')::timestamptz from backfills)`,
        ),
      ([row]) => row?.hours === hours * locations,
      { withinMs: 60_000 },
    );
    const [backfill] = await eventually(
      'it has ended',
      () => sql<{ backfill_id: string; status: string }>('select backfill_id, status from backfills'),
      ([row]) => row?.status === 'completed',
    );
    expect(backfill?.backfill_id).toBe(id);
    expect(JSON.parse(hourglass('backfill', 'show', id, '--json'))).toMatchObject({
      ...{ status: 'completed', windows: hours * locations },
      request: { reason: 'the hours before the first start' },
    });
  });

  test('and has it judged: the map is filled before the first hourly check', async () => {
    const { request } = JSON.parse(hourglass('backfill', 'show', id, '--json'));
    const range = ['--from', request.from, '--to', request.to];
    await eventually(
      'every hour is judged, and good',
      async () => JSON.parse(hourglass('completeness', 'show', ...range, '--json')).counts,
      ({ complete = 0, complete_at_source: atSource = 0 }: Readonly<Record<string, number>>) =>
        complete + atSource === hours * locations,
      { withinMs: 60_000 },
    );
    expect(hourglass('completeness', 'show')).toMatch(/^Completeness of weather/);
  });

  test('and a second start loads nothing more', async () => {
    hourglass('down');
    expect(hourglass('up')).not.toContain('History');
    expect(await sql('select backfill_id from backfills')).toEqual([{ backfill_id: id }]);
  });

  test('and a reset leaves nothing of what two runs have made', () => {
    hourglass('down');
    expect(hourglass('reset', '--yes')).toContain('the next start begins with nothing');
    expect(existsSync(dataDir)).toBe(false);
  });
});
