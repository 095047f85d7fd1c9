/**
 * The door to the ledger of backfills: plans, how far each is, and what became of each chunk. It writes only what
 * `domain/backfill-states.ts` lets happen; what is planned is decided in `domain/backfill-plan.ts`.
 */
import { type BackfillChunk, type ChunkWindows, daysOfChunk } from '../domain/backfill-chunks.ts';
import { backfillRequestKey, backfillWorkflowId } from '../domain/backfill-identities.ts';
import {
  type BackfillPlan,
  overlapsOf,
  type RunningBackfill,
  type SkipReason,
} from '../domain/backfill-plan.ts';
import { OverlappingBackfillError } from '../domain/backfill-refusals.ts';
import {
  type BackfillEvent,
  type BackfillState,
  backfillStates,
  backfillTransitions,
  CHUNK_STATES,
  type ChunkState,
  isOpen,
  OPEN_STATES,
} from '../domain/backfill-states.ts';
import { type DayHours, dayNumberOf, dayOf } from '../domain/backfill-windows.ts';
import { HourglassError } from '../domain/errors.ts';
import { type BackfillRequest, backfillRequestSchema } from '../schemas/backfill.ts';
import { type ChunkRecord, chunksOf, ENDED_CHUNKS, recordChunks, storableText } from './chunk-ledger.ts';
import type { Database, Queries } from './postgres.ts';

/** Thrown for an id under which no backfill is on record. */
export class UnknownBackfillError extends HourglassError {
  constructor(id: string) {
    super(
      'UNKNOWN_BACKFILL',
      `There is no backfill ${id} on record: list the backfills to see which there are.`,
    );
  }
}

/** Thrown when an identical backfill has ended since the plan was made: the plan may hold what is loaded by now. Nothing was stored. */
export class StalePlanError extends HourglassError {
  constructor(id: string) {
    super('BACKFILL_PLAN_STALE', `An identical backfill has ended since ${id} was planned: plan it again.`);
  }
}

interface LatestRow {
  readonly backfill_id: string;
  readonly repeat: number;
  readonly status: BackfillState;
}

/** Of how many identical backfills the next one is: one that was not started, or is running, counts as the same. */
export async function repeatOf(database: Queries, request: BackfillRequest): Promise<number> {
  return repeatAfter(await latestOf(database, request));
}

async function latestOf(database: Queries, request: BackfillRequest): Promise<LatestRow | undefined> {
  const [row] = await database.query<LatestRow>('latest-backfill-of-request', [backfillRequestKey(request)]);
  return row;
}

function repeatAfter(latest: LatestRow | undefined): number {
  if (latest === undefined) return 1;
  return latest.repeat + (backfillStates[latest.status].terminal ? 1 : 0);
}

export interface StoredPlan {
  readonly id: string;
  /** `attached`: an identical one is running; nothing was stored. */
  readonly kind: 'stored' | 'attached';
}

/** Chunks are written so many at a time: together they may be many megabytes. */
const CHUNKS_AT_ONCE = 100;

/** Takes the place of an identical plan that was not started. @throws StalePlanError */
export function storePlan(database: Database, plan: BackfillPlan): Promise<StoredPlan> {
  return database.transaction(async (queries) => {
    await queries.query('lock-backfills');
    const latest = await latestOf(queries, plan.request);
    if (latest !== undefined && isOpen(latest.status)) return { id: latest.backfill_id, kind: 'attached' };
    if (repeatAfter(latest) !== plan.repeat) throw new StalePlanError(plan.id);
    await queries.query('remove-backfill', [plan.id]);
    await queries.query('store-backfill', rowOf(plan));
    for (let next = 0; next < plan.chunks.length; next += CHUNKS_AT_ONCE) {
      const chunks = plan.chunks.slice(next, next + CHUNKS_AT_ONCE).map(chunkRowOf);
      await queries.query('store-backfill-chunks', [plan.id, JSON.stringify(chunks)]);
    }
    return { id: plan.id, kind: 'stored' };
  });
}

function rowOf({ id, request, repeat, created, skipped, chunks, calls, seconds }: BackfillPlan): unknown[] {
  const { pipeline, purpose, reason } = request;
  return [
    ...[id, pipeline, backfillRequestKey(request), repeat, JSON.stringify(request), purpose, reason],
    ...[created.stream + created.batch, JSON.stringify(skipped), chunks.length, calls, seconds],
    backfillWorkflowId(id),
  ];
}

function chunkRowOf({ key, position, path, windows, windowCount, calls }: BackfillChunk): object {
  const days = Math.max(1, windows.entities[0]?.hours.length ?? 0);
  return {
    ...{ key, position, path, windows, calls, window_count: windowCount },
    first_day: windows.firstDay,
    last_day: dayOf(dayNumberOf(windows.firstDay) + days - 1),
  };
}

/** How far a file was read: its last line that was read, and what became of the lines. */
export interface FilePosition {
  /** From 1 on; 0 before the first. */
  readonly line: number;
  readonly published: number;
  /** Records whose window the plan does not hold. */
  readonly skipped: number;
  /** Lines that are no record: they became dead letters. */
  readonly malformed: number;
}

/** A backfill as it is on record. */
export interface BackfillRecord {
  readonly id: string;
  readonly request: BackfillRequest;
  readonly repeat: number;
  readonly status: BackfillState;
  readonly windows: number;
  readonly skipped: Readonly<Record<SkipReason, number>>;
  readonly chunks: number;
  readonly chunksByStatus: Readonly<Record<ChunkState, number>>;
  readonly calls: number;
  readonly seconds: number;
  /** The workflow that runs it, or ran it last. */
  readonly workflowId: string;
  /** Null for one that reads no file, or has not begun to. */
  readonly file: FilePosition | null;
  readonly createdAt: Date;
  /** When it was started or retried last. */
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** Why it failed, in words. */
  readonly error: string | null;
}

interface BackfillRow {
  readonly backfill_id: string;
  readonly request: unknown;
  readonly repeat: number;
  readonly status: BackfillState;
  readonly windows: number;
  readonly skipped: Readonly<Record<SkipReason, number>>;
  readonly chunks: number;
  readonly chunks_by_status: Readonly<Partial<Record<ChunkState, number>>>;
  readonly calls: number;
  readonly seconds: number;
  readonly workflow_id: string;
  readonly file: FilePosition | null;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly error: string | null;
}

const byState = <T>(of: (state: ChunkState) => T): Record<ChunkState, T> =>
  Object.fromEntries(CHUNK_STATES.map((state) => [state, of(state)])) as Record<ChunkState, T>;

const recordOf = (row: BackfillRow): BackfillRecord => ({
  id: row.backfill_id,
  request: backfillRequestSchema.parse(row.request),
  repeat: row.repeat,
  status: row.status,
  windows: row.windows,
  skipped: row.skipped,
  chunks: row.chunks,
  chunksByStatus: byState((state) => row.chunks_by_status[state] ?? 0),
  calls: row.calls,
  seconds: row.seconds,
  workflowId: row.workflow_id,
  file: row.file,
  createdAt: row.created_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  error: row.error,
});

/** The newest first. @param pipeline all of them when left out */
export async function listBackfills(
  database: Queries,
  { pipeline, limit }: { readonly pipeline?: string; readonly limit: number },
): Promise<readonly BackfillRecord[]> {
  const rows = await database.query<BackfillRow>('list-backfills', [pipeline ?? null, null, limit]);
  return rows.map(recordOf);
}

/** @throws UnknownBackfillError */
export async function backfillOf(database: Queries, id: string): Promise<BackfillRecord> {
  const [row] = await database.query<BackfillRow>('list-backfills', [null, id, 1]);
  if (row === undefined) throw new UnknownBackfillError(id);
  return recordOf(row);
}

/** The plan as it was stored, with how far it is. @throws UnknownBackfillError */
export async function planOf(
  database: Queries,
  id: string,
): Promise<BackfillRecord & { readonly plan: readonly ChunkRecord[] }> {
  return { ...(await backfillOf(database, id)), plan: await chunksOf(database, id) };
}

/** Backfills that hold windows, with those they are still to load; what a new plan may not touch. */
export async function openBackfills(
  database: Queries,
  pipeline: string,
): Promise<readonly RunningBackfill[]> {
  const rows = await database.query<{
    backfill_id: string;
    request: unknown;
    windows: ChunkWindows | null;
  }>('open-backfills', [pipeline, OPEN_STATES, ENDED_CHUNKS]);
  const open = new Map<string, { request: BackfillRequest; remaining: DayHours[] }>();
  for (const { backfill_id: id, request, windows } of rows) {
    const known = open.get(id) ?? { request: backfillRequestSchema.parse(request), remaining: [] };
    open.set(id, known);
    if (windows !== null) for (const day of daysOfChunk(windows)) known.remaining.push(day);
  }
  return [...open].map(([id, known]) => ({ id, ...known }));
}

/** What a run of it knows of its file: how far it was read. */
export async function recordFilePosition(
  database: Queries,
  id: string,
  position: FilePosition,
): Promise<void> {
  await database.query('record-backfill-file', [id, JSON.stringify(position)]);
}

/**
 * Writes down what happened to a backfill; an event that means nothing in its state changes nothing. One that begins, or begins
 * again, must not share windows with another that is open.
 * @param error why, for `gaveUp`
 * @returns its state afterwards
 * @throws UnknownBackfillError, OverlappingBackfillError
 */
export function recordBackfill(
  database: Database,
  id: string,
  event: BackfillEvent,
  error?: string,
): Promise<BackfillState> {
  return database.transaction(async (queries) => {
    await queries.query('lock-backfills');
    const { status, request } = await backfillOf(queries, id);
    const next = backfillTransitions[status][event];
    if (next === status) return status;
    const begins = isOpen(next) && !isOpen(status);
    if (begins) await refuseOverlaps(queries, id, request.pipeline);
    await queries.query('record-backfill', [
      ...[id, next, begins, backfillStates[next].terminal],
      storableText(error),
    ]);
    return next;
  });
}

export interface BackfillClaim {
  readonly id: string;
  /** `retried` also has its chunks that failed or were cancelled tried again. */
  readonly event: 'started' | 'retried';
  /** Who is to run it. */
  readonly workflowId: string;
  /** Who was to run it when it was looked at: if that has changed, somebody else was faster. */
  readonly from: string;
}

/**
 * Begins a backfill, or goes on with one whose run broke off. No two workflows hold one at the same time.
 * @returns the record as it is then; its `workflowId` says who runs it
 * @throws UnknownBackfillError, OverlappingBackfillError
 */
export function claimBackfill(
  database: Database,
  { id, event, workflowId, from }: BackfillClaim,
): Promise<BackfillRecord> {
  return database.transaction(async (queries) => {
    await queries.query('lock-backfills');
    const before = await backfillOf(queries, id);
    if (isOpen(before.status) && before.workflowId !== from) return before;
    const status = backfillTransitions[before.status][event];
    if (!isOpen(status)) return before;
    if (!isOpen(before.status)) {
      await refuseOverlaps(queries, id, before.request.pipeline);
      await queries.query('record-backfill', [id, status, true, false, null]);
      if (event === 'retried') await recordChunks(queries, { backfillId: id, event });
    }
    await queries.query('record-backfill-owner', [id, workflowId]);
    return { ...before, status, workflowId };
  });
}

async function refuseOverlaps(queries: Queries, id: string, pipeline: string): Promise<void> {
  const rows = await queries.query<{ windows: ChunkWindows }>('windows-to-load', [id]);
  const own = rows.flatMap(({ windows }) => daysOfChunk(windows));
  const overlaps = overlapsOf(own, await openBackfills(queries, pipeline));
  if (overlaps.length > 0) throw new OverlappingBackfillError(overlaps);
}
