/** Puts windows into blocks, hours in a row of a set of locations, as few as can be told easily. Why they are put together is the caller's. */
import { HOUR_MS } from './backfill-windows.ts';

export interface Window {
  readonly entityId: number;
  readonly windowStart: Date;
}

/** Every hour in [from, to) of each of these locations. */
export interface WindowBlock {
  /** Written like `2026-01-31T17:00:00Z`. */
  readonly from: string;
  readonly to: string;
  /** Ascending. */
  readonly entities: readonly number[];
}

/** What a window is known by in a set. */
export const windowKey = ({ entityId, windowStart }: Window): string =>
  `${entityId}/${windowStart.getTime()}`;

/** Blocks that hold exactly these windows: hours in a row are one when they have the same locations. Ascending by hour. */
export function blocksOf(windows: readonly Window[]): readonly WindowBlock[] {
  const blocks: Open[] = [];
  for (const { hour, entities } of byHour(windows)) {
    const open = blocks.at(-1);
    if (open?.end === hour && isSame(open.entities, entities)) open.end = hour + 1;
    else blocks.push({ first: hour, end: hour + 1, entities });
  }
  return blocks.map(blockOf);
}

/** A block of more windows than this takes long to be looked through. */
const MOST_WINDOWS_LOOKED_THROUGH = 50_000;

/**
 * Blocks that hold these windows, each once, none with more of them than `most`. Hours in a row become one block also when their
 * locations differ, as long as all of the others that it holds then may be held.
 * @param mayHold whether a block may hold a window that was not asked for; none may when left out
 */
export function blocksToFetch(
  windows: readonly Window[],
  most: number,
  mayHold: (key: string) => boolean = () => false,
): readonly WindowBlock[] {
  const asked = new Set(windows.map(windowKey));
  const isFree = (entityId: number, hour: number): boolean => {
    const key = windowKey({ entityId, windowStart: new Date(hour * HOUR_MS) });
    return asked.has(key) || mayHold(key);
  };
  // Of an hour that had to be cut no block grows: it would hold windows of the others.
  const blocks: (Open & { count: number; isCut: boolean })[] = [];
  for (const { hour, entities } of byHour(windows)) {
    const open = blocks.at(-1);
    const joined =
      open?.end === hour &&
      !open.isCut &&
      open.count + entities.length <= most &&
      join(open, entities, isFree);
    if (open !== undefined && joined) {
      Object.assign(open, { end: hour + 1, entities: joined, count: open.count + entities.length });
      continue;
    }
    for (let at = 0; at < entities.length; at += most) {
      const part = entities.slice(at, at + most);
      const isCut = entities.length > most;
      blocks.push({ first: hour, end: hour + 1, entities: part, count: part.length, isCut });
    }
  }
  return blocks.map(blockOf);
}

/** Hours since 1970. */
interface Open {
  first: number;
  end: number;
  entities: readonly number[];
}

/** The locations of a block that has grown by the hour behind it; undefined when it would hold what it must not. */
function join(
  { first, end, entities }: Open,
  more: readonly number[],
  isFree: (entityId: number, hour: number) => boolean,
): readonly number[] | undefined {
  const all = [...new Set([...entities, ...more])].sort((one, other) => one - other);
  if (all.length * (end + 1 - first) > MOST_WINDOWS_LOOKED_THROUGH) return undefined;
  const known = new Set(entities);
  const isAllowed = all.every((entityId) => {
    if (!isFree(entityId, end)) return false;
    if (known.has(entityId)) return true;
    for (let hour = first; hour < end; hour += 1) if (!isFree(entityId, hour)) return false;
    return true;
  });
  return isAllowed ? all : undefined;
}

/** Each hour with its locations, both ascending. */
function byHour(windows: readonly Window[]) {
  const hours = new Map<number, Set<number>>();
  for (const { entityId, windowStart } of windows) {
    const hour = Math.floor(windowStart.getTime() / HOUR_MS);
    const entities = hours.get(hour) ?? new Set();
    entities.add(entityId);
    hours.set(hour, entities);
  }
  return [...hours]
    .map(([hour, entities]) => ({ hour, entities: [...entities].sort((one, other) => one - other) }))
    .sort((one, other) => one.hour - other.hour);
}

const isSame = (some: readonly number[], others: readonly number[]): boolean =>
  some.length === others.length && some.every((entityId, place) => entityId === others[place]);

const blockOf = ({ first, end, entities }: Open): WindowBlock => ({
  from: instant(first),
  to: instant(end),
  entities,
});
const instant = (hour: number): string => new Date(hour * HOUR_MS).toISOString().replace('.000Z', 'Z');
