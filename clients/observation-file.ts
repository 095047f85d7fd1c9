/**
 * The door to a file of observations, one JSON document a line, gzipped or not: its lines in order, read only as fast as they are
 * taken. What a line says is the pipeline's to read, what becomes of it the caller's.
 */
import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { HourglassError } from '../domain/errors.ts';
import type { UnitSystem } from '../schemas/backfill.ts';
import type { RegisteredLocation } from '../schemas/pipeline.ts';
import { type BytesOfLine, linesOf, longestLineBytes } from './file-lines.ts';

/** What one line says: an observation as it is published, or why it is none. */
export type LineReading =
  | {
      readonly kind: 'record';
      readonly entityId: number;
      readonly observedAt: Date;
      readonly body: string;
    }
  | { readonly kind: 'malformed'; readonly reason: string };

/** How a pipeline reads a line. Must not throw. */
export type ReadLine = (text: string) => LineReading;

/** What a pipeline's reading of lines is made with. */
export interface LineReaderOptions {
  /** Of all lines of the file. */
  readonly units: UnitSystem;
  /** The registry. What a line does not say of its location is taken from there. */
  locationOf(entityId: number): RegisteredLocation | undefined;
  /** The clock that tells a time in the future. */
  now(): Date;
}

type LineRecord = Extract<LineReading, { readonly kind: 'record' }>;

export type FileLine =
  | (LineRecord & { readonly line: number })
  | {
      readonly kind: 'malformed';
      /** From 1 on; blank lines count. */
      readonly line: number;
      readonly reason: string;
      /** The line's bytes as they stand in the file, without its end; of a line that is too long the first MiB. */
      readonly raw: Buffer;
    };

/** Thrown when a file is not there, is no file, or may not or cannot be read. It says nothing of the lines already given. */
export class UnreadableObservationFileError extends HourglassError {
  constructor(path: string, line: number, cause: Error) {
    super(
      'OBSERVATION_FILE_UNREADABLE',
      `The file ${path} cannot be read${line === 0 ? '' : ` beyond its line ${line}`}: ${cause.message}. The path must be that of a file which the worker can read.`,
      { cause },
    );
  }
}

/**
 * Thrown when a gzipped file ends too early or its data are corrupt. The lines given before are whole; others between them
 * and the damage may not have been given.
 */
export class DamagedObservationFileError extends HourglassError {
  /** The last line that was given, 0 for none. */
  readonly line: number;

  constructor(path: string, line: number, cause: Error) {
    super(
      'OBSERVATION_FILE_DAMAGED',
      `The gzipped file ${path} is ${isTruncation(cause) ? 'cut off' : 'damaged'} (${cause.message}); it was read as far as line ${line}. Fetch it again, or check it with gzip -t.`,
      { cause },
    );
    this.line = line;
  }
}

export interface ObservationFileOptions {
  /** Lines up to this one are passed over: their numbers count, but nobody reads what they say. From the first one unless told. */
  readonly afterLine?: number;
}

/**
 * The lines of a file that are not blank, in their order. Whether it is gzipped is seen by its first bytes, not by its name.
 * Nothing is read ahead of the caller but a few buffers; leaving the loop closes the file.
 * @throws UnreadableObservationFileError, DamagedObservationFileError, or the reason of the signal
 */
export async function* readObservationFile(
  path: string,
  readLine: ReadLine,
  signal: AbortSignal,
  { afterLine = 0 }: ObservationFileOptions = {},
): AsyncGenerator<FileLine, void, undefined> {
  const lines = linesOf(chunksOf(path));
  let reached = 0;
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await lines.next().catch((error: unknown) => {
        throw typedError(error, path, reached);
      });
      if (next.done === true) return;
      reached = next.value.line;
      if (reached > afterLine) yield readBytes(next.value, readLine);
    }
  } finally {
    // Closes the file when the caller has had enough.
    await lines.return();
  }
}

function readBytes({ line, bytes, isTooLong }: BytesOfLine, readLine: ReadLine): FileLine {
  const reading = isTooLong ? tooLong : isUtf8(bytes) ? readLine(bytes.toString('utf8')) : notUtf8;
  // A copy: the bytes are a part of a buffer that is much larger.
  return reading.kind === 'record' ? { line, ...reading } : { line, ...reading, raw: Buffer.from(bytes) };
}

const tooLong = {
  kind: 'malformed',
  reason: `The line has more than ${longestLineBytes} bytes, which no record has.`,
} as const;
const notUtf8 = { kind: 'malformed', reason: 'The line is not UTF-8.' } as const;

const chunkBytes = 65_536;

async function* chunksOf(path: string): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path);
  const isPacked = await startsAsGzip(file).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  const bytes = file.createReadStream({ start: 0, highWaterMark: chunkBytes });
  try {
    if (!isPacked) yield* bytes;
    else {
      const unpacked = createGunzip({ chunkSize: chunkBytes });
      // What a stream is piped into does not hear of its errors.
      bytes.on('error', (error) => unpacked.destroy(error));
      yield* bytes.pipe(unpacked);
    }
  } finally {
    bytes.destroy();
  }
}

/** RFC 1952, 2.3.1: the two bytes that every gzip file begins with. No JSON does. */
async function startsAsGzip(file: FileHandle): Promise<boolean> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '');

/** zlib's Z_BUF_ERROR: the input ended within a member. */
const isTruncation = (error: Error): boolean => codeOf(error) === 'Z_BUF_ERROR';

function typedError(error: unknown, path: string, line: number): unknown {
  if (!(error instanceof Error)) return error;
  if (codeOf(error).startsWith('Z_')) return new DamagedObservationFileError(path, line, error);
  return 'syscall' in error ? new UnreadableObservationFileError(path, line, error) : error;
}
