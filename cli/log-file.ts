/** Reads the end of a text file of any size, and what is written to it from then on, also after it was begun anew. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as delay } from 'node:timers/promises';

const CHUNK_BYTES = 64 * 1_024;
const POLL_MS = 250;

/** The last lines of the first `end` bytes, without their line ends. Reads no more of the file than it needs. */
export function lastLinesOf(file: string, count: number, end = Number.POSITIVE_INFINITY): readonly string[] {
  if (count === 0) return [];
  const descriptor = openSync(file, 'r');
  try {
    let start = Math.min(fstatSync(descriptor).size, end);
    let tail = Buffer.alloc(0);
    // A line more than is wanted: the first may be half a one.
    while (start > 0 && newlinesIn(tail) <= count) {
      const length = Math.min(CHUNK_BYTES, start);
      start -= length;
      const chunk = Buffer.alloc(length);
      readSync(descriptor, chunk, 0, length, start);
      tail = Buffer.concat([chunk, tail]);
    }
    const lines = tail.toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-count);
  } finally {
    closeSync(descriptor);
  }
}

function newlinesIn(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte === 10) count += 1;
  return count;
}

/** Hands over what is written behind a place, until the signal fires. A file that is replaced or cut is read from its beginning. */
export async function followFile(
  file: string,
  write: (text: string) => void,
  signal: AbortSignal,
  from = placeOf(file),
): Promise<void> {
  let place = from;
  let decoder = new StringDecoder('utf8');
  while (!signal.aborted) {
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    const now = placeOf(file);
    if (now === undefined) continue;
    if (place === undefined || now.inode !== place.inode || now.size < place.size) {
      place = { inode: now.inode, size: 0 };
      decoder = new StringDecoder('utf8');
    }
    for (const chunk of chunksOf(file, place.size, now.size)) write(decoder.write(chunk));
    place = now;
  }
}

interface Place {
  readonly inode: number;
  readonly size: number;
}

/** The end of the file now. @returns undefined when there is none */
export function placeOf(file: string): Place | undefined {
  const found = existsSync(file) ? statSync(file, { throwIfNoEntry: false }) : undefined;
  return found === undefined ? undefined : { inode: found.ino, size: found.size };
}

function* chunksOf(file: string, from: number, to: number): Generator<Buffer> {
  if (to <= from) return;
  const descriptor = openSync(file, 'r');
  try {
    for (let at = from; at < to; at += CHUNK_BYTES) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, to - at));
      yield chunk.subarray(0, readSync(descriptor, chunk, 0, chunk.length, at));
    }
  } finally {
    closeSync(descriptor);
  }
}
