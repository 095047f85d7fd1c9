import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { temporaryDirectories } from '../../tests/support/temporary-directories.ts';
import { ProvisionError } from '../errors.ts';
import { run, which } from './run.ts';

const temporaryDirectory = temporaryDirectories();
afterEach(() => vi.unstubAllEnvs());

const node = (script: string, options?: Parameters<typeof run>[2]) =>
  run(process.execPath, ['-e', script], options);

describe('run', () => {
  test('returns what the program printed, on both of its outputs', async () => {
    const printed = await node('console.log("out"); console.error("err")');
    expect(printed.split('\n').sort()).toEqual(['', 'err', 'out']);
  });

  test('a failure names the command and its code, and carries the last lines alone', async () => {
    const failing = node('for (let i = 1; i <= 20; i += 1) console.log("line " + i); process.exitCode = 3');
    await expect(failing).rejects.toThrow(ProvisionError);
    const message = await failing.catch((error: Error) => error.message);
    expect(message).toContain(`\`${process.execPath} -e `);
    expect(message).toContain('ended with code 3:');
    expect(message).toContain('  line 13\n');
    expect(message).toContain('  line 20');
    expect(message).not.toContain('  line 12\n');
  });

  test('a program that is not there is a failure with its name', async () => {
    await expect(run('/nowhere/mvn', ['--version'])).rejects.toThrow(
      /^\/nowhere\/mvn could not be run: .*ENOENT/,
    );
  });

  test('tells each line as it comes, without the empty ones', async () => {
    const lines: string[] = [];
    await node('console.log("  one\\n\\ntwo")', { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(['one', 'two']);
  });

  test('adds to the environment and runs where it is told to', async () => {
    const cwd = temporaryDirectory();
    const printed = await node(
      'console.log(process.env.MARK, process.env.PATH !== undefined, process.cwd())',
      {
        env: { MARK: 'set' },
        cwd,
      },
    );
    expect(printed).toMatch(/^set true .*hourglass-unit-/);
  });
});

describe('which', () => {
  test('finds the first executable of the name on PATH, and no file that cannot be run', () => {
    const [notExecutable, first, second] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()];
    for (const directory of [notExecutable, first, second])
      writeFileSync(join(directory, 'tool'), '#!/bin/sh\n');
    for (const directory of [first, second]) chmodSync(join(directory, 'tool'), 0o755);
    vi.stubEnv('PATH', [notExecutable, '/nowhere', first, second].join(delimiter));
    expect(which('tool')).toBe(join(first, 'tool'));
    expect(which('other-tool')).toBeUndefined();
  });

  test('a directory of the name is no program', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'tool'));
    vi.stubEnv('PATH', directory);
    expect(which('tool')).toBeUndefined();
  });
});
