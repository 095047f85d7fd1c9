import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { ownIdentity, writeState } from './data-dir.ts';
import { deletables, deleteAll, requireNothingRuns } from './reset.ts';
import { writeScrapeTargets } from './scrape-targets.ts';

const temporaryDirectory = temporaryDirectories();

function dataDirectory(): string {
  const dataDir = join(temporaryDirectory(), 'data');
  for (const directory of ['kafka/logs', 'logs', 'postgres'])
    mkdirSync(join(dataDir, directory), { recursive: true });
  writeFileSync(join(dataDir, 'kafka/logs/segment'), Buffer.alloc(2_000));
  writeFileSync(join(dataDir, 'source'), 'mock\n');
  return dataDir;
}

const names = (dataDir: string) => deletables(dataDir).map(({ path }) => path.slice(dataDir.length + 1));

describe('what a reset deletes', () => {
  test('is what a stack makes and is there, with its size', () => {
    const dataDir = dataDirectory();
    expect(names(dataDir)).toEqual(['postgres', 'kafka', 'logs', 'source']);
    expect(deletables(dataDir).find(({ path }) => path.endsWith('kafka'))?.bytes).toBe(2_000);
    expect(names(join(dataDir, 'none'))).toEqual([]);
  });

  test('is gone afterwards, with the directory itself', () => {
    const dataDir = dataDirectory();
    expect(deleteAll(dataDir, deletables(dataDir))).toEqual([]);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('is also what each start writes, and what a kill leaves of it', () => {
    const dataDir = dataDirectory();
    const service = { spec: { name: 'worker', metricsPort: 9_464 }, status: () => ({ phase: 'ready' }) };
    writeScrapeTargets(dataDir, [service as never]);
    mkdirSync(join(dataDir, 'postgres.partial'));
    for (const name of ['postgres.password', 'state.json.new', 'prometheus-targets.json.new'])
      writeFileSync(join(dataDir, name), 'half');
    expect(deleteAll(dataDir, deletables(dataDir))).toEqual([]);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('is nothing in a directory that no stack has taken, whatever is called as a stack would call it', () => {
    const dataDir = dataDirectory();
    for (const content of ['', 'see github.com\n']) {
      writeFileSync(join(dataDir, 'source'), content);
      expect(names(dataDir)).toEqual([]);
    }
  });

  test('is never what somebody else put there, or what a link leads to', () => {
    const dataDir = dataDirectory();
    const elsewhere = temporaryDirectory();
    writeFileSync(join(elsewhere, 'mine'), 'mine');
    symlinkSync(elsewhere, join(dataDir, 'flink'));
    writeFileSync(join(dataDir, 'notes.txt'), 'mine');
    mkdirSync(join(dataDir, 'cache'));
    expect(deleteAll(dataDir, deletables(dataDir)).slice().sort()).toEqual(['cache', 'notes.txt']);
    expect(readdirSync(elsewhere)).toEqual(['mine']);
  });
});

describe('a reset is refused', () => {
  const state = async (supervisor: { pid: number; startedAt: string }, services: object[] = []) => ({
    ...{ supervisor, phase: 'ready' as const, source: 'mock', startedAt: '', urls: {} },
    services: services as never,
  });

  test('while a stack runs, with the command that stops it', async () => {
    const dataDir = dataDirectory();
    writeState(dataDir, await state(await ownIdentity()));
    await expect(requireNothingRuns(dataDir)).rejects.toThrow(/Nothing was deleted: .*`npx hourglass down`/);
  });

  test('while a service of a stack that was killed runs', async () => {
    const dataDir = dataDirectory();
    const gone = { pid: 2 ** 22 + 1, startedAt: 'never' };
    const kafka = { name: 'kafka', phase: 'ready', process: await ownIdentity(), restarts: 0 };
    writeState(dataDir, await state(gone, [kafka]));
    await expect(requireNothingRuns(dataDir)).rejects.toThrow(/was killed still run/);
  });

  test('not when nothing of it runs any more', async () => {
    const dataDir = dataDirectory();
    writeState(dataDir, await state({ pid: 2 ** 22 + 1, startedAt: 'never' }));
    await expect(requireNothingRuns(dataDir)).resolves.toBeUndefined();
  });
});
