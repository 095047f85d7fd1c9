/**
 * Cuts the windows that a backfill creates into chunks: parts that are loaded, retried and recorded as one. Which windows those are is
 * decided in `domain/backfill-plan.ts`.
 */
import type { BackfillInput, BackfillOrder } from '../schemas/backfill.ts';
import { chunkKey } from './backfill-identities.ts';
import {
  countWindows,
  DAY_MS,
  type DayHours,
  dayNumberOf,
  dayOf,
  HOUR_MS,
  HOURS_PER_DAY,
  type Hours,
  listHours,
  NO_HOURS,
} from './backfill-windows.ts';

export const windowPaths = {
  stream: {
    description: 'The stream still owns the hour: records go to the topic of repairs, which it reads.',
  },
  batch: {
    description: 'The workflows own the hour: records are loaded by batch, and the hour is made anew.',
  },
} as const;
export type WindowPath = keyof typeof windowPaths;

/** Entities × consecutive days, and which hours of each: small enough for one row of the ledger and one payload. */
export interface ChunkWindows {
  /** `YYYY-MM-DD`, UTC. */
  readonly firstDay: string;
  readonly entities: readonly {
    readonly id: number;
    /** One for each day, from the first one on. */
    readonly hours: readonly Hours[];
  }[];
}

export interface BackfillChunk {
  /** Derived from the path and the windows. */
  readonly key: string;
  /** From 0, in the order in which chunks are loaded. */
  readonly position: number;
  readonly path: WindowPath;
  readonly windows: ChunkWindows;
  readonly windowCount: number;
  /** Calls of the source; 0 for an input that is not called. */
  readonly calls: number;
}

/** Less work than this is not worth a workflow of its own. */
export const LEAST_WORK_SECONDS = 30;
export const MOST_CALLS = 500;
/** Of the windows written as JSON: a payload is to stay under 100 KB. */
export const MOST_BYTES = 95_000;
/** `{"firstDay":"2026-01-31","entities":[]}`; then, at most, `{"id":,"hours":[]},` with the id, and `16777215,` for each day. */
const BYTES = { frame: 64, entity: 40, day: 9 } as const;

/** However long a span may be: a piece must fit into a chunk. */
const MOST_DAYS_OF_A_PIECE = 366;

export interface ChunkTerms {
  readonly input: BackfillInput;
  readonly order: BackfillOrder;
  /** The longest span that is fetched at once, and how many calls that may take. */
  readonly hoursPerSpan: number;
  readonly callsPerSpan: number;
  readonly callsPerMinute: number;
}

/** So many calls are at least 30 s of work; without calls a chunk is as large as it may be. */
export function leastCalls({ input, callsPerMinute }: ChunkTerms): number {
  const calls = input === 'history' ? Math.ceil((callsPerMinute * LEAST_WORK_SECONDS) / 60) : MOST_CALLS;
  return Math.min(MOST_CALLS, Math.max(1, calls));
}

/**
 * Chunks of one path, positions from `firstPosition` on. Each holds what comes next in the order until that is work enough, so only
 * the last one, or one that would become too large, holds less.
 */
export function cutChunks(
  windows: readonly DayHours[],
  path: WindowPath,
  terms: ChunkTerms,
  firstPosition: number,
): readonly BackfillChunk[] {
  const chunks: BackfillChunk[] = [];
  let open = emptyChunk(terms);
  const close = (): void => {
    const position = firstPosition + chunks.length;
    if (open.rows.size > 0) chunks.push(closed(open, path, position, terms));
    open = emptyChunk(terms);
  };
  for (const piece of piecesInOrder(windows, terms)) {
    if (!hasRoomFor(open, piece)) close();
    add(open, piece);
    if (open.calls >= leastCalls(terms)) close();
  }
  close();
  return chunks;
}

export interface SourceSpan {
  readonly entityId: number;
  /** Instants on the hour; the end does not belong to it. */
  readonly from: string;
  readonly to: string;
}

/** The fewest spans that cover a chunk's windows, ascending by entity and time. They may hold hours that are not the chunk's. */
export function spansOf({ firstDay, entities }: ChunkWindows, hoursPerSpan: number): readonly SourceSpan[] {
  const startMs = dayNumberOf(firstDay) * DAY_MS;
  const instant = (hour: number): string =>
    new Date(startMs + hour * HOUR_MS).toISOString().replace('.000', '');
  return entities.flatMap(({ id, hours }) => {
    const spans: { first: number; last: number }[] = [];
    for (const hour of hours.flatMap((ofDay, day) => listHours(ofDay).map((h) => day * HOURS_PER_DAY + h))) {
      const span = spans.at(-1);
      if (span !== undefined && hour - span.first < hoursPerSpan) span.last = hour;
      else spans.push({ first: hour, last: hour });
    }
    return spans.map(({ first, last }) => ({ entityId: id, from: instant(first), to: instant(last + 1) }));
  });
}

/** A chunk's windows day by day; days without any are left out. */
export function daysOfChunk({ firstDay, entities }: ChunkWindows): readonly DayHours[] {
  const first = dayNumberOf(firstDay);
  return entities.flatMap(({ id, hours }) =>
    hours.flatMap((ofDay, index) =>
      ofDay === NO_HOURS ? [] : [{ entityId: id, day: dayOf(first + index), hours: ofDay }],
    ),
  );
}

/** Hours of one entity on days that one span covers, where a span is a day or more. */
interface Piece {
  readonly entityId: number;
  readonly days: readonly { readonly dayNumber: number; readonly hours: Hours }[];
}

/** By stretches of days, each as long as a span, in the order; within a stretch by entity. */
function* piecesInOrder(windows: readonly DayHours[], { order, hoursPerSpan }: ChunkTerms): Generator<Piece> {
  const sign = order === 'oldest' ? 1 : -1;
  const byDay = new Map<string, DayHours[]>();
  for (const window of windows) {
    if (window.hours === NO_HOURS) continue;
    const ofDay = byDay.get(window.day);
    if (ofDay === undefined) byDay.set(window.day, [window]);
    else ofDay.push(window);
  }
  const days = [...byDay]
    .map(([day, ofDay]) => ({ dayNumber: dayNumberOf(day), ofDay }))
    .sort((one, other) => (one.dayNumber - other.dayNumber) * sign);
  const daysPerSpan = Math.min(MOST_DAYS_OF_A_PIECE, Math.max(1, Math.floor(hoursPerSpan / HOURS_PER_DAY)));
  for (let next = 0; next < days.length; ) {
    const first = days[next]?.dayNumber ?? 0;
    const pieces = new Map<number, { dayNumber: number; hours: Hours }[]>();
    for (; next < days.length; next += 1) {
      const { dayNumber, ofDay } = days[next] as (typeof days)[number];
      if (Math.abs(dayNumber - first) >= daysPerSpan) break;
      for (const { entityId, hours } of ofDay) {
        const piece = pieces.get(entityId);
        if (piece === undefined) pieces.set(entityId, [{ dayNumber, hours }]);
        else piece.push({ dayNumber, hours });
      }
    }
    const ids = [...pieces.keys()].sort((one, other) => one - other);
    for (const entityId of ids) yield { entityId, days: pieces.get(entityId) ?? [] };
  }
}

interface OpenChunk {
  readonly terms: ChunkTerms;
  readonly rows: Map<number, Map<number, Hours>>;
  /** The hour, since 1970, at which each entity's newest span begins: its first one in the order. */
  readonly spanEdges: Map<number, number>;
  calls: number;
  firstDay: number;
  lastDay: number;
}

const emptyChunk = (terms: ChunkTerms): OpenChunk => ({
  terms,
  rows: new Map(),
  spanEdges: new Map(),
  calls: 0,
  firstDay: Number.POSITIVE_INFINITY,
  lastDay: Number.NEGATIVE_INFINITY,
});

function hasRoomFor(chunk: OpenChunk, piece: Piece): boolean {
  if (chunk.rows.size === 0) return true;
  const numbers = piece.days.map(({ dayNumber }) => dayNumber);
  const days = Math.max(chunk.lastDay, ...numbers) - Math.min(chunk.firstDay, ...numbers) + 1;
  const rows = chunk.rows.size + (chunk.rows.has(piece.entityId) ? 0 : 1);
  const bytes = BYTES.frame + rows * (BYTES.entity + days * BYTES.day);
  return (
    bytes <= MOST_BYTES && chunk.calls + spansFor(chunk, piece).added * chunk.terms.callsPerSpan <= MOST_CALLS
  );
}

/** How many spans a piece adds, going through its hours in the order: as few as there can be. */
function spansFor(
  { spanEdges, terms }: OpenChunk,
  piece: Piece,
): { added: number; edge: number | undefined } {
  let edge = spanEdges.get(piece.entityId);
  let added = 0;
  for (const { dayNumber, hours } of piece.days) {
    const ofDay = listHours(hours);
    for (const hour of terms.order === 'oldest' ? ofDay : ofDay.reverse()) {
      const at = dayNumber * HOURS_PER_DAY + hour;
      if (edge !== undefined && Math.abs(at - edge) < terms.hoursPerSpan) continue;
      edge = at;
      added += 1;
    }
  }
  return { added, edge };
}

function add(chunk: OpenChunk, piece: Piece): void {
  const { added, edge } = spansFor(chunk, piece);
  if (edge !== undefined) chunk.spanEdges.set(piece.entityId, edge);
  chunk.calls += added * chunk.terms.callsPerSpan;
  const row = chunk.rows.get(piece.entityId) ?? new Map<number, Hours>();
  chunk.rows.set(piece.entityId, row);
  for (const { dayNumber, hours } of piece.days) {
    row.set(dayNumber, hours);
    chunk.firstDay = Math.min(chunk.firstDay, dayNumber);
    chunk.lastDay = Math.max(chunk.lastDay, dayNumber);
  }
}

function closed(chunk: OpenChunk, path: WindowPath, position: number, { input }: ChunkTerms): BackfillChunk {
  const days = Array.from(
    { length: chunk.lastDay - chunk.firstDay + 1 },
    (_, index) => chunk.firstDay + index,
  );
  const entities = [...chunk.rows]
    .sort(([one], [other]) => one - other)
    .map(([id, row]) => ({ id, hours: days.map((day) => row.get(day) ?? NO_HOURS) }));
  const windows = { firstDay: dayOf(chunk.firstDay), entities };
  return {
    key: chunkKey(path, windows),
    position,
    path,
    windows,
    windowCount: countWindows(daysOfChunk(windows)),
    calls: input === 'history' ? chunk.calls : 0,
  };
}
