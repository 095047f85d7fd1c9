/** A checkout of the project that a test may change: what is built from it is another build. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { projectRoot } from '../../config/load.ts';
import type { CliResult } from './shared-stack.ts';

export interface Checkout {
  readonly directory: string;
  /** Replaces text in a file; what was there before is back after `restore`. */
  change(file: string, from: string | RegExp, to: string): void;
  restore(): void;
  hourglass(...args: string[]): Promise<CliResult>;
  /** The same as a process that can be killed. */
  spawn(...args: string[]): ReturnType<typeof spawn>;
  remove(): void;
}

/** @param environment of the commands that are run from it */
export function makeCheckout(environment: Readonly<Record<string, string>>): Checkout {
  const directory = mkdtempSync(join(tmpdir(), 'hourglass-checkout-'));
  chmodSync(directory, 0o755);
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  for (const file of files.trim().split('\n')) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    cpSync(join(projectRoot, file), join(directory, file));
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(directory, 'node_modules'));
  const originals = new Map<string, string>();
  const { PATH = '', HOME = '' } = process.env;
  const options = { cwd: directory, env: { PATH, HOME, ...environment } };
  return {
    directory,
    change(file, from, to) {
      const path = join(directory, file);
      const text = readFileSync(path, 'utf8');
      const changed = text.replace(from, to);
      if (changed === text) throw new Error(`${file} has no ${from}`);
      if (!originals.has(file)) originals.set(file, text);
      writeFileSync(path, changed);
    },
    restore() {
      for (const [file, text] of originals) writeFileSync(join(directory, file), text);
      originals.clear();
    },
    hourglass: (...args) =>
      new Promise((resolve) => {
        execFile(process.execPath, ['cli/bin.js', ...args], options, (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
        );
      }),
    spawn: (...args) => spawn(process.execPath, ['cli/bin.js', ...args], { ...options, stdio: 'pipe' }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
