import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keepEarlier } from './kept-histories.ts';
import { temporaryDirectories } from './temporary-directories.ts';

const temporary = temporaryDirectories();

test('a history that the workflows of now do not follow is kept, under a name of its content', async () => {
  const directory = temporary();
  writeFileSync(join(directory, 'a.done.json'), 'old');
  const kept = await keepEarlier(directory, 'a.done', async (json) => json !== 'old');
  expect(kept).toMatch(/^a\.done\.[0-9a-f]{8}$/);
  expect(readFileSync(join(directory, 'earlier', `${kept}.json`), 'utf8')).toBe('old');
  expect(existsSync(join(directory, 'a.done.json'))).toBe(false);
});

test('one that they follow, or that was never recorded, is written over', async () => {
  const directory = temporary();
  writeFileSync(join(directory, 'a.done.json'), 'same');
  expect(await keepEarlier(directory, 'a.done', async () => true)).toBeUndefined();
  expect(await keepEarlier(directory, 'b.done', async () => false)).toBeUndefined();
  expect(readdirSync(directory)).toEqual(['a.done.json']);
});
