/** What tests ask the shared stack with: its configuration, plain SQL, and the command line as a user runs it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { postgresAddress } from '../../config/addresses.ts';
import { type Config, loadConfig, projectRoot } from '../../config/load.ts';

export const stack = inject('stack');

export const config: Config = loadConfig({
  environment: stack.environment,
  envFile: join(stack.dataDir, 'no.env'),
});

/** One connection with plain SQL: what is asked in a test is not a query of the product. */
export async function connectSql(options: Partial<pg.ClientConfig> = {}): Promise<pg.Client> {
  const client = new pg.Client({ ...postgresAddress(config), options: '-c timezone=UTC', ...options });
  await client.connect();
  return client;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `hourglass` in a process of its own, with the shared stack's data directory unless told otherwise. */
export function hourglass(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = { HOURGLASS_DATA_DIR: stack.dataDir },
): Promise<CliResult> {
  const { PATH = '', HOME = '' } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(projectRoot, 'cli/bin.js'), ...args],
      { cwd: projectRoot, env: { PATH, HOME, ...environment } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}
