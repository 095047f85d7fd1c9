/** Runs one external program of the provision and returns what it printed; its failure carries the last lines. */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { systemEnvironment } from '../../config/system.ts';
import { ProvisionError } from '../errors.ts';

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The system user to run as; only root may set it. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** In a process group of its own: a terminal's Ctrl-C does not reach it. It is ended with this process. */
  readonly detached?: boolean;
  readonly onLine?: (line: string) => void;
}

/** @throws ProvisionError when the program cannot be started or ends with a code other than 0 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...systemEnvironment(), ...options.env },
      ...options.user,
      detached: options.detached ?? false,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // An interrupted start must not leave a Maven or a Go behind.
    const end = (): void => void child.kill();
    process.once('exit', end);
    let output = '';
    const collect = (chunk: Buffer): void => {
      const text = chunk.toString();
      output += text;
      for (const line of text.split('\n')) if (line.trim() !== '') options.onLine?.(line.trim());
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) =>
      reject(new ProvisionError(`${command} could not be run: ${error.message}`, error)),
    );
    child.once('close', (code) => {
      process.off('exit', end);
      if (code === 0) resolve(output);
      else
        reject(
          new ProvisionError(
            `\`${[command, ...args].join(' ')}\` ended with code ${code}:\n${lastLines(output)}`,
            undefined,
          ),
        );
    });
  });
}

/** The path of a program on PATH, or undefined. */
export function which(name: string): string | undefined {
  for (const directory of (systemEnvironment()['PATH'] ?? '').split(delimiter)) {
    const file = join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      // A directory may be entered, which is the same permission.
      if (statSync(file).isFile()) return file;
    } catch {
      // Not in this directory: the next one may have it.
    }
  }
  return undefined;
}

function lastLines(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .slice(-8)
    .map((line) => `  ${line}`)
    .join('\n');
}
