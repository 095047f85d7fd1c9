/** The command line as a process: without its packages, and with a reader that leaves. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../config/load.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';

const temporaryDirectory = temporaryDirectories();

describe('hourglass', () => {
  test('says what to type where its packages are not installed', () => {
    const checkout = temporaryDirectory();
    mkdirSync(join(checkout, 'cli'));
    for (const file of ['package.json', 'cli/bin.js', 'cli/main.ts'])
      cpSync(join(projectRoot, file), join(checkout, file));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['cli/bin.js', 'doctor'], {
      cwd: checkout,
      encoding: 'utf8',
    });
    expect(stderr).toBe(
      'hourglass: its packages are not installed here: run `npm ci` in the checkout, then this command again.\n',
    );
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });

  test('says that there is no log of a run before', () => {
    const dataDir = temporaryDirectory();
    mkdirSync(join(dataDir, 'logs'));
    writeFileSync(join(dataDir, 'logs/kafka.log'), 'a line\n');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(projectRoot, 'cli/bin.js'), 'logs', 'kafka', '--previous'],
      { encoding: 'utf8', env: { ...process.env, HOURGLASS_DATA_DIR: dataDir } },
    );
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^hourglass: There is no log of a run of kafka before this one .*\n$/);
  });

  test('ends in silence when its reader has left', async () => {
    const child = spawn(process.execPath, [join(projectRoot, 'cli/bin.js'), 'config', 'list'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let complaint = '';
    child.stderr.on('data', (text) => {
      complaint += text;
    });
    const [code] = await once(child, 'close');
    expect(complaint).toBe('');
    expect(code).toBe(0);
  });
});
