/** The part of the ledger that is about the chunks of one backfill; backfills themselves are in `clients/backfill-ledger.ts`. */
import type { BackfillChunk, ChunkWindows, WindowPath } from '../domain/backfill-chunks.ts';
import type { OffsetRanges } from '../domain/backfill-offsets.ts';
import {
  CHUNK_STATES,
  type ChunkEvent,
  type ChunkState,
  chunkStates,
  chunkTransitions,
} from '../domain/backfill-states.ts';
import { HourglassError } from '../domain/errors.ts';
import type { Database, Queries } from './postgres.ts';

/** Thrown for a key under which the ledger has no chunk of the backfill. */
export class UnknownChunkError extends HourglassError {
  constructor(backfillId: string, key: string) {
    super(
      'UNKNOWN_CHUNK',
      `The backfill ${backfillId} has no chunk ${key} on record: its plan was made anew, or the key is of another one.`,
    );
  }
}

/** Chunks in these states load nothing any more. */
export const ENDED_CHUNKS = CHUNK_STATES.filter((state) => chunkStates[state].terminal);

/** A location of which a chunk could not get the records. */
export interface ChunkFailure {
  readonly entityId: number;
  readonly reason: string;
}

/** A chunk as it is on record. */
export interface ChunkRecord extends BackfillChunk {
  readonly status: ChunkState;
  /** How often it was begun. */
  readonly attempts: number;
  /** How many records were published, or read from the log, for it; null as long as that is not known. */
  readonly records: number | null;
  /** Where in the topic of its path they are; null as long as that is not known. */
  readonly offsets: OffsetRanges | null;
  readonly failures: readonly ChunkFailure[];
  /** Why it failed, in words. */
  readonly error: string | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

interface OutlineRow {
  readonly chunk_key: string;
  readonly position: number;
  readonly path: WindowPath;
  readonly window_count: number;
  readonly calls: number;
}

interface ChunkRow extends OutlineRow {
  readonly windows: ChunkWindows;
  readonly status: ChunkState;
  readonly attempts: number;
  readonly records: number | null;
  readonly offsets: OffsetRanges | null;
  readonly failures: readonly ChunkFailure[];
  readonly error: string | null;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

/** A chunk without its windows, which whoever loads it reads for itself: small enough for a workflow. */
export type ChunkOutline = Omit<BackfillChunk, 'windows'>;

const outlineOf = (row: OutlineRow): ChunkOutline => ({
  key: row.chunk_key,
  position: row.position,
  path: row.path,
  windowCount: row.window_count,
  calls: row.calls,
});

const recordOf = (row: ChunkRow): ChunkRecord => ({
  ...outlineOf(row),
  // The database keeps no order of fields.
  windows: {
    firstDay: row.windows.firstDay,
    entities: row.windows.entities.map(({ id, hours }) => ({ id, hours })),
  },
  status: row.status,
  attempts: row.attempts,
  records: row.records,
  offsets: row.offsets,
  failures: row.failures,
  error: row.error,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
});

/** All of a backfill's chunks in their order, with their windows. */
export async function chunksOf(database: Queries, backfillId: string): Promise<readonly ChunkRecord[]> {
  return (await database.query<ChunkRow>('backfill-chunks', [backfillId, null])).map(recordOf);
}

/** @throws UnknownChunkError */
export async function chunkOf(database: Queries, backfillId: string, key: string): Promise<ChunkRecord> {
  const [row] = await database.query<ChunkRow>('backfill-chunks', [backfillId, key]);
  if (row === undefined) throw new UnknownChunkError(backfillId, key);
  return recordOf(row);
}

export interface NextChunks {
  readonly backfillId: string;
  /** The position of the last one that was begun; -1 for none. */
  readonly after: number;
  readonly limit: number;
}

/** What is to be begun, or begun again, in its order. */
export async function nextChunks(
  database: Queries,
  { backfillId, after, limit }: NextChunks,
): Promise<readonly ChunkOutline[]> {
  return (await database.query<OutlineRow>('next-backfill-chunks', [backfillId, after, limit])).map(
    outlineOf,
  );
}

export interface ChunkNews {
  readonly backfillId: string;
  readonly key: string;
  readonly event: ChunkEvent;
  readonly records?: number;
  readonly offsets?: OffsetRanges;
  readonly failures?: readonly ChunkFailure[];
  /** Why, for `gaveUp`. */
  readonly error?: string;
}

/**
 * Writes down what happened to a chunk; an event that means nothing in its state changes nothing. A chunk that is begun once more
 * while it is being fetched has one attempt more.
 * @returns its state afterwards
 * @throws UnknownChunkError
 */
export function recordChunk(
  database: Database,
  { backfillId, key, event, records, offsets, failures, error }: ChunkNews,
): Promise<ChunkState> {
  return database.transaction(async ({ query }) => {
    const [row] = await query<{ status: ChunkState }>('lock-backfill-chunk', [backfillId, key]);
    if (row === undefined) throw new UnknownChunkError(backfillId, key);
    const next = chunkTransitions[row.status][event];
    const isBegun = event === 'begun' && next === 'fetching';
    if (next === row.status && !isBegun) return next;
    await query('record-backfill-chunk', [
      ...[backfillId, key, next, isBegun, chunkStates[next].terminal],
      ...[records ?? null, storableText(error)],
      ...[offsets === undefined ? null : JSON.stringify(offsets)],
      ...[failures === undefined ? null : JSON.stringify(failures.map(storableFailure))],
    ]);
    return next;
  });
}

/**
 * Writes down what happened to several chunks at once; those to which it means nothing stay as they are.
 * @param keys all chunks of the backfill when left out
 * @returns how many have changed
 */
export async function recordChunks(
  database: Queries,
  {
    backfillId,
    event,
    keys,
    error,
  }: Pick<ChunkNews, 'backfillId' | 'event' | 'error'> & { readonly keys?: readonly string[] },
): Promise<number> {
  const changing = CHUNK_STATES.filter((state) => chunkTransitions[state][event] !== state);
  const next = changing.map((state) => chunkTransitions[state][event]);
  const changed = await database.query('record-backfill-chunks', [
    ...[backfillId, keys ?? null, changing, next],
    ...[next.map((state) => chunkStates[state].terminal), event === 'begun', storableText(error)],
  ]);
  return changed.length;
}

/** Chunks whose records are published, or loaded without their hours being made anew, with their windows. */
export async function chunksToLoad(
  database: Queries,
  backfillId: string,
  { most, keys }: { readonly most?: number; readonly keys?: readonly string[] },
): Promise<readonly ChunkRecord[]> {
  const rows = await database.query<ChunkRow>('backfill-chunks-to-load', [
    ...[backfillId, most ?? null],
    keys ?? null,
  ]);
  return rows.map(recordOf);
}

const MOST_CHARACTERS = 4_000;

/** PostgreSQL's texts cannot hold the NUL character, and a stack trace of another system may be long. */
export const storableText = (text: string | undefined): string | null =>
  text?.replaceAll('\u0000', '␀').slice(0, MOST_CHARACTERS) ?? null;

const MOST_CHARACTERS_OF_A_FAILURE = 300;

const storableFailure = ({ entityId, reason }: ChunkFailure): ChunkFailure => ({
  entityId,
  reason: storableText(reason)?.slice(0, MOST_CHARACTERS_OF_A_FAILURE) ?? '',
});

export interface ChunkCounts {
  readonly chunks: number;
  readonly windows: number;
  readonly calls: number;
  readonly records: number;
}

/** What there is of a backfill in each state of a chunk. */
export async function countsByStatus(
  database: Queries,
  backfillId: string,
): Promise<Readonly<Record<ChunkState, ChunkCounts>>> {
  const rows = await database.query<ChunkCounts & { status: ChunkState }>('count-backfill-chunks', [
    backfillId,
  ]);
  const counts = CHUNK_STATES.map((state) => {
    const row = rows.find(({ status }) => status === state);
    const { chunks = 0, windows = 0, calls = 0, records = 0 } = row ?? {};
    return [state, { chunks, windows, calls, records }];
  });
  return Object.fromEntries(counts) as Record<ChunkState, ChunkCounts>;
}
