/** A stack as a new user starts it, on a data directory of its own, for pictures: `hourglass up`, and `hourglass down` in the end. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { postgresAddress } from '../../config/addresses.ts';
import { type Config, loadConfig, projectRoot } from '../../config/load.ts';

export interface RunningStack {
  readonly config: Config;
  /** What a command prints, with the colours of a terminal. @throws with its message when it fails */
  hourglass(...args: string[]): Promise<string>;
  sql<Row extends object>(text: string): Promise<Row[]>;
  /** Asks until the answer has a row. @throws after five minutes */
  until(text: string): Promise<void>;
  close(): Promise<void>;
}

const WAIT_MS = 300_000;

export async function startStack(): Promise<RunningStack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'hourglass-pictures-'));
  // PostgreSQL's own user must be able to pass.
  chmodSync(dataDir, 0o755);
  const environment = { HOURGLASS_DATA_DIR: dataDir, WEATHER_SOURCE: 'mock', TZ: 'UTC', FORCE_COLOR: '1' };
  const hourglass = (...args: string[]): Promise<string> => run(args, environment);
  const close = async (): Promise<void> => {
    await hourglass('down');
    rmSync(dataDir, { recursive: true, force: true });
  };
  await hourglass('up').catch(async (error) => {
    await close();
    throw error;
  });
  const config = loadConfig({ environment, envFile: join(dataDir, 'no.env') });
  const sql = async <Row extends object>(text: string): Promise<Row[]> => {
    const client = new pg.Client({ ...postgresAddress(config), options: '-c timezone=UTC' });
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    ...{ config, hourglass, sql, close },
    async until(text) {
      const deadline = Date.now() + WAIT_MS;
      while ((await sql(text)).length === 0) {
        if (Date.now() > deadline) throw new Error(`nothing came in five minutes: ${text}`);
        await delay(500);
      }
    },
  };
}

function run(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<string> {
  const { PATH = '', HOME = '', HOURGLASS_CACHE_DIR = '' } = process.env;
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(projectRoot, 'cli/bin.js'), ...args],
      { cwd: projectRoot, env: { PATH, HOME, HOURGLASS_CACHE_DIR, ...environment } },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`hourglass ${args.join(' ')}: ${stderr || stdout}`));
      },
    );
  });
}
