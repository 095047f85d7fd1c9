import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import {
  DamagedObservationFileError,
  type FileLine,
  type ReadLine,
  readObservationFile,
  UnreadableObservationFileError,
} from './observation-file.ts';

const temporaryDirectory = temporaryDirectories();
const never = new AbortController().signal;
const at = new Date('2026-01-01T00:00:00Z');

function fileOf(content: string | Buffer, name = 'observations.ndjson'): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return path;
}

/** A line that is a number is a record of that entity. */
const readNumber: ReadLine = (text) =>
  /^\d+$/.test(text)
    ? { kind: 'record', entityId: Number(text), observedAt: at, body: text }
    : { kind: 'malformed', reason: `"${text}" is no number.` };

async function linesIn(path: string): Promise<FileLine[]> {
  const lines: FileLine[] = [];
  for await (const line of readObservationFile(path, readNumber, never)) lines.push(line);
  return lines;
}

const record = (line: number, entityId: number) => ({
  ...{ line, kind: 'record', entityId },
  ...{ observedAt: at, body: String(entityId) },
});

const numbers = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${index + 1}\n`).join('');

/** Which do not pack well. */
const scatteredNumbers = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${Math.imul(index, 0x9e3779b1) >>> 0}\n`).join('');

const openFiles = (): number => readdirSync('/dev/fd').length;

describe('a file', () => {
  test('gives each line with its number, read or with the reason why not and its bytes', async () => {
    expect(await linesIn(fileOf('7\n\nseven\r\n8'))).toEqual([
      record(1, 7),
      { line: 3, kind: 'malformed', reason: '"seven" is no number.', raw: Buffer.from('seven') },
      record(4, 8),
    ]);
  });

  test.each(['observations.ndjson', 'observations.ndjson.gz'])(
    'is unpacked by what it begins with, be its name %s',
    async (name) => {
      const expected = [record(1, 7), record(2, 8)];
      expect(await linesIn(fileOf('7\n8\n', name))).toEqual(expected);
      expect(await linesIn(fileOf(gzipSync('7\n8\n'), name))).toEqual(expected);
    },
  );

  test('of several gzipped parts is read to its end, also when a line begins in one and ends in the next', async () => {
    const parts = Buffer.concat([gzipSync('7\n1'), gzipSync('2\n'), gzipSync('9')]);
    expect(await linesIn(fileOf(parts))).toEqual([record(1, 7), record(2, 12), record(3, 9)]);
  });

  test('with many buffers of lines gives every one, packed or not', async () => {
    const text = numbers(200_000);
    for (const content of [text, gzipSync(text)]) {
      let sum = 0;
      for await (const line of readObservationFile(fileOf(content), readNumber, never))
        sum += line.kind === 'record' ? line.entityId : Number.NaN;
      expect(sum).toBe((200_000 * 200_001) / 2);
    }
  });

  test.each(['', '\n\n', gzipSync('')])('without a record gives none', async (content) => {
    expect(await linesIn(fileOf(content))).toEqual([]);
  });

  test('may hold bytes that are no text: that is one line’s trouble', async () => {
    const odd = Buffer.from([0x37, 0xff, 0xfe]);
    expect(await linesIn(fileOf(Buffer.concat([odd, Buffer.from('\n8')])))).toEqual([
      { line: 1, kind: 'malformed', reason: 'The line is not UTF-8.', raw: odd },
      record(2, 8),
    ]);
  });

  test('may hold a line of more than a MiB: that is one line’s trouble', async () => {
    const [long, next] = await linesIn(fileOf(`${'1'.repeat(1_048_577)}\n8`));
    expect(long).toMatchObject({
      line: 1,
      kind: 'malformed',
      reason: 'The line has more than 1048576 bytes, which no record has.',
    });
    expect(long?.kind === 'malformed' && long.raw.length).toBe(1_048_576);
    expect(next).toEqual(record(2, 8));
  });
});

describe('a file of which a part was read before', () => {
  test('gives the lines behind that part, with their own numbers; those before it nobody reads', async () => {
    const read: string[] = [];
    const remember: ReadLine = (text) => {
      read.push(text);
      return readNumber(text);
    };
    const lines: FileLine[] = [];
    const path = fileOf(gzipSync('7\n\nseven\n8\n9\n'));
    for await (const line of readObservationFile(path, remember, never, { afterLine: 3 })) lines.push(line);
    expect(lines).toEqual([record(4, 8), record(5, 9)]);
    expect(read).toEqual(['8', '9']);
  });

  test('gives none when nothing is behind it', async () => {
    const lines = readObservationFile(fileOf('7\n8\n'), readNumber, never, { afterLine: 2 });
    expect(await lines.next()).toMatchObject({ done: true });
  });
});

describe('the bytes of a malformed line', () => {
  test('do not hold the buffer that they came in', async () => {
    const [line] = await linesIn(fileOf(`x\n${numbers(10_000)}`));
    expect(line?.kind === 'malformed' && line.raw.buffer.byteLength).toBeLessThan(65_536);
  });
});

describe('a file that cannot be read', () => {
  const failureOf = (path: string): Promise<unknown> => linesIn(path).catch((error: unknown) => error);

  test('because it is not there, or is a directory, is told with its path', async () => {
    const directory = temporaryDirectory();
    const before = openFiles();
    for (const [path, word] of [
      [join(directory, 'none'), 'ENOENT'],
      [directory, 'EISDIR'],
    ] as const) {
      const error = await failureOf(path);
      expect(error).toBeInstanceOf(UnreadableObservationFileError);
      expect(error).toMatchObject({ code: 'OBSERVATION_FILE_UNREADABLE', retryable: false });
      expect((error as Error).message).toContain(`The file ${path} cannot be read: ${word}`);
    }
    await expect.poll(openFiles).toBeLessThanOrEqual(before);
  });

  test.each([0.2, 0.5, 0.99])('because it ends at %d of its length names the line reached', async (share) => {
    const packed = gzipSync(scatteredNumbers(100_000));
    const path = fileOf(packed.subarray(0, packed.length * share));
    const lines: FileLine[] = [];
    const reading = (async () => {
      for await (const line of readObservationFile(path, readNumber, never)) lines.push(line);
    })();
    await expect(reading).rejects.toThrow(DamagedObservationFileError);
    await expect(reading).rejects.toMatchObject({
      code: 'OBSERVATION_FILE_DAMAGED',
      retryable: false,
      line: lines.length,
      message: expect.stringMatching(/is cut off .* as far as line \d+\. Fetch it again/),
    });
    // Of what was packed nearly all before the damage was given, and of a line that was cut nothing.
    expect(lines.length).toBeGreaterThan(100_000 * share - 20_000);
    expect(lines.every(({ kind }) => kind === 'record')).toBe(true);
    expect(lines.map(({ line }) => line)).toEqual(lines.map((_, index) => index + 1));
  });

  test('because its data are damaged is told as that', async () => {
    const packed = gzipSync(numbers(100_000));
    packed.fill(0xff, packed.length / 2, packed.length / 2 + 64);
    const error = await failureOf(fileOf(packed));
    expect(error).toBeInstanceOf(DamagedObservationFileError);
    expect((error as Error).message).toContain(' is damaged (');
  });
});

describe('a reader', () => {
  const path = () => fileOf(gzipSync(scatteredNumbers(200_000)));

  test('that has enough leaves the file closed', async () => {
    const file = path();
    const before = openFiles();
    for await (const { line } of readObservationFile(file, readNumber, never)) {
      expect(openFiles()).toBeGreaterThan(before);
      if (line === 10) break;
    }
    await expect.poll(openFiles).toBeLessThanOrEqual(before);
  });

  test('that is cancelled throws the reason before the next line, and leaves the file closed', async () => {
    const file = path();
    const before = openFiles();
    const controller = new AbortController();
    const reason = new Error('the worker stops');
    let last = 0;
    const reading = (async () => {
      for await (const { line } of readObservationFile(file, readNumber, controller.signal)) {
        last = line;
        if (line === 10) controller.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
    expect(last).toBe(10);
    await expect.poll(openFiles).toBeLessThanOrEqual(before);
  });

  test('that was cancelled before opens nothing', async () => {
    const lines = readObservationFile('/nowhere', readNumber, AbortSignal.abort(new Error('too late')));
    await expect(lines.next()).rejects.toThrow('too late');
  });

  test('that is slow is not run ahead of: what was taken from the end meanwhile is missed', async () => {
    const text = numbers(400_000);
    const file = fileOf(text);
    const lines = readObservationFile(file, readNumber, never);
    await lines.next();
    await delay(50);
    truncateSync(file, Math.floor(text.length / 2));
    let last = 0;
    for await (const { line } of lines) last = line;
    expect(last).toBeGreaterThan(1);
    expect(last).toBeLessThan(300_000);
  });

  test('that is slow is not run ahead of in a packed file either', async () => {
    const file = path();
    const lines = readObservationFile(file, readNumber, never);
    await lines.next();
    await delay(50);
    truncateSync(file, Math.floor(statSync(file).size / 2));
    await expect(lines.next()).resolves.toMatchObject({ value: { line: 2 } });
    const rest = async () => {
      for await (const _ of lines);
    };
    await expect(rest()).rejects.toThrow(DamagedObservationFileError);
  });
});
