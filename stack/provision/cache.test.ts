import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectories } from '../../tests/support/temporary-directories.ts';
import { cached } from './cache.ts';

const temporaryDirectory = temporaryDirectories();

const fillWith = (content: string) => async (directory: string) =>
  writeFileSync(join(directory, 'jar'), content);

/** The id of a process that has run and ended. */
const deadPid = (): number => spawnSync(process.execPath, ['--version']).pid;

describe('an entry of the cache', () => {
  test('is filled, and what was filled is at its place', async () => {
    const cacheDir = join(temporaryDirectory(), 'not', 'made', 'yet');
    const entry = await cached(cacheDir, 'flink-2.2.1', fillWith('content'));
    expect(entry).toBe(join(cacheDir, 'flink-2.2.1'));
    expect(readFileSync(join(entry, 'jar'), 'utf8')).toBe('content');
    expect(readdirSync(cacheDir)).toEqual(['flink-2.2.1']);
  });

  test('that is complete is not filled again', async () => {
    const cacheDir = temporaryDirectory();
    await cached(cacheDir, 'entry', fillWith('first'));
    const entry = await cached(cacheDir, 'entry', async () => {
      throw new Error('filled again');
    });
    expect(readFileSync(join(entry, 'jar'), 'utf8')).toBe('first');
  });

  test('is not there while it is being filled', async () => {
    const cacheDir = temporaryDirectory();
    await cached(cacheDir, 'entry', async (directory) => {
      await fillWith('half')(directory);
      expect(existsSync(join(cacheDir, 'entry'))).toBe(false);
    });
  });

  test('whose filling throws leaves nothing, and is filled at the next try', async () => {
    const cacheDir = temporaryDirectory();
    const failing = cached(cacheDir, 'entry', async (directory) => {
      await fillWith('half')(directory);
      throw new Error('connection lost');
    });
    await expect(failing).rejects.toThrow('connection lost');
    expect(readdirSync(cacheDir)).toEqual([]);
    const entry = await cached(cacheDir, 'entry', fillWith('whole'));
    expect(readFileSync(join(entry, 'jar'), 'utf8')).toBe('whole');
  });

  test('that several fill at once is there for all of them, and no part of it remains beside it', async () => {
    const cacheDir = temporaryDirectory();
    let begun = 0;
    let allBegun = (): void => undefined;
    const untilAllBegun = new Promise<void>((resolve) => {
      allBegun = resolve;
    });
    const fill = async (directory: string): Promise<void> => {
      begun += 1;
      if (begun === 4) allBegun();
      await untilAllBegun;
      await fillWith('same')(directory);
    };
    const entries = await Promise.all(Array.from({ length: 4 }, () => cached(cacheDir, 'entry', fill)));
    expect(begun).toBe(4);
    expect(new Set(entries)).toEqual(new Set([join(cacheDir, 'entry')]));
    expect(readdirSync(cacheDir)).toEqual(['entry']);
    expect(readFileSync(join(cacheDir, 'entry', 'jar'), 'utf8')).toBe('same');
  });
});

describe('what interrupted provisions left', () => {
  test('is removed when its process is gone, and left alone while it runs', async () => {
    const cacheDir = temporaryDirectory();
    const abandoned = `kafka-4.3.1.partial-${deadPid()}-0a1b2c3d`;
    const growing = `kafka-4.3.1.partial-${process.pid}-0a1b2c3d`;
    for (const name of [abandoned, growing, 'other-entry'])
      mkdirSync(join(cacheDir, name, 'jars'), { recursive: true });
    await cached(cacheDir, 'entry', fillWith('content'));
    expect(readdirSync(cacheDir).sort()).toEqual(['entry', growing, 'other-entry']);
  });
});
