import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../tests/support/eventually.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { followFile, lastLinesOf, placeOf } from './log-file.ts';

const temporaryDirectory = temporaryDirectories();
const fileWith = (text: string): string => {
  const file = join(temporaryDirectory(), 'service.log');
  writeFileSync(file, text);
  return file;
};

describe('the last lines of a file', () => {
  test('are as many as asked for, or all that there are', () => {
    const file = fileWith('one\ntwo\nthree\n');
    expect(lastLinesOf(file, 2)).toEqual(['two', 'three']);
    expect(lastLinesOf(file, 9)).toEqual(['one', 'two', 'three']);
    expect(lastLinesOf(file, 0)).toEqual([]);
    expect(lastLinesOf(fileWith(''), 3)).toEqual([]);
  });

  test('count one that has no end yet, and empty ones', () => {
    expect(lastLinesOf(fileWith('one\n\nthree'), 2)).toEqual(['', 'three']);
  });

  test('are whole where they are longer than what is read at once, letters of several bytes among them', () => {
    const long = 'ü°'.repeat(40_000);
    expect(lastLinesOf(fileWith(`first\n${long}\nlast\n`), 2)).toEqual([long, 'last']);
  });
});

describe('following a file', () => {
  test('leaves out nothing of what is written while the last lines are shown', async () => {
    const file = fileWith('one\n');
    const end = placeOf(file)!;
    appendFileSync(file, 'two\n');
    expect(lastLinesOf(file, 5, end.size)).toEqual(['one']);
    const stop = new AbortController();
    let seen = '';
    const write = (text: string): void => {
      seen += text;
      stop.abort();
    };
    await followFile(file, write, stop.signal, end);
    expect(seen).toBe('two\n');
  });

  test('tells what is written, and begins anew with a file that took its place', async () => {
    const file = fileWith('old\n');
    const stop = new AbortController();
    let seen = '';
    const following = followFile(
      file,
      (text) => {
        seen += text;
      },
      stop.signal,
    );
    const until = (text: string) =>
      eventually(
        `"${text}" is seen`,
        async () => seen,
        (now) => now.endsWith(text),
      );
    appendFileSync(file, 'new\n');
    await until('new\n');
    renameSync(file, `${file}.1`);
    writeFileSync(file, 'another\n');
    await until('another\n');
    stop.abort();
    await following;
    expect(seen).toBe('new\nanother\n');
  });
});
