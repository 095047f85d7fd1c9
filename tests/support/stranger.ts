/** Somebody who has just cloned the project: a copy of it without packages, terminals in it, and the commands of its documentation. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import pg from 'pg';
import { postgresAddress } from '../../config/addresses.ts';
import { type Config, loadConfig } from '../../config/load.ts';
import { documentedCommands, pages } from './documentation.ts';
import type { Outcome } from './documented-effects.ts';
import { copyFiles } from './guide.ts';

/** A command that goes on in a terminal of its own. */
export interface Terminal {
  /** All that it has written so far, without colours. */
  text(): string;
  /** Interrupts everybody in it as Ctrl-C does, and returns when they have ended. */
  interrupt(): Promise<void>;
  /** @returns the exit code, once it has ended */
  ended(): Promise<number | null>;
}

export interface Stranger {
  readonly directory: string;
  /**
   * The command of this page, as it stands there, that is or contains these words; each is taken once, in the order of the page.
   * @throws Error where the page has none that is left
   */
  take(file: string, words: string): string;
  /** Of these commands, those that nobody has taken. */
  notTaken(concerned: (command: string) => boolean): readonly string[];
  type(command: string): Promise<Outcome>;
  leave(command: string): Terminal;
  config(): Config;
  sql<Row extends object>(text: string): Promise<Row[]>;
  remove(): void;
}

/** @param settings of its `.env` */
export function createStranger(settings: Readonly<Record<string, string>>): Stranger {
  const home = mkdtempSync(join(tmpdir(), 'hourglass-test-'));
  // PostgreSQL's own user must be able to pass.
  chmodSync(home, 0o755);
  const directory = join(home, 'hourglass');
  copyFiles(directory);
  const dotenv = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(directory, '.env'), dotenv.join(''));
  const { PATH = '', HOME = '', HOURGLASS_CACHE_DIR } = process.env;
  const env = { PATH, HOME, ...(HOURGLASS_CACHE_DIR === undefined ? {} : { HOURGLASS_CACHE_DIR }) };
  const loadSettings = (): Config =>
    loadConfig({
      environment: { HOURGLASS_DATA_DIR: join(directory, '.stack') },
      envFile: join(directory, '.env'),
    });
  const left = pages.flatMap(documentedCommands);

  return {
    directory,
    take(file, words) {
      const here = (holds: (command: string) => boolean): number =>
        left.findIndex((each) => each.file === file && holds(each.command));
      const whole = here((command) => command === words);
      const index = whole < 0 ? here((command) => command.includes(words)) : whole;
      const [found] = index < 0 ? [] : left.splice(index, 1);
      if (found === undefined) throw new Error(`${file} has no further command with "${words}"`);
      // The same command on other pages is taken with it.
      for (let at = left.length - 1; at >= 0; at--)
        if (left[at]?.command === found.command) left.splice(at, 1);
      return found.command;
    },
    notTaken: (concerned) => left.map(({ command }) => command).filter(concerned),
    type: (command) =>
      new Promise((resolve) => {
        execFile('bash', ['-c', command], { cwd: directory, env }, (error, stdout, stderr) =>
          resolve({
            code: error === null ? 0 : Number(error.code),
            stdout: stripVTControlCharacters(stdout),
            stderr: stripVTControlCharacters(stderr),
          }),
        ).stdin?.end();
      }),
    leave: (command) => terminal(spawn('bash', ['-c', command], { cwd: directory, env, detached: true })),
    config: loadSettings,
    async sql<Row extends object>(text: string) {
      const client = new pg.Client({ ...postgresAddress(loadSettings()), options: '-c timezone=UTC' });
      await client.connect();
      try {
        return (await client.query<Row>(text)).rows;
      } finally {
        await client.end();
      }
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

function terminal(child: ChildProcess): Terminal {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      text += String(chunk);
    });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    text: () => stripVTControlCharacters(text),
    ended: () => exit,
    async interrupt() {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
      await exit;
    },
  };
}
