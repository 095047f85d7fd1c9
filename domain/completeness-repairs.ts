/**
 * Decides how windows that are not good are repaired, and when: which are made anew from what is stored, loaded from the log, or fetched
 * from the source's history. Doing it is `workflows/check-completeness.ts`'s; putting windows into few blocks is
 * `domain/completeness-blocks.ts`'s.
 */
import type { BackfillRequestInput } from '../schemas/backfill.ts';
import type { CompletenessPolicy } from '../schemas/completeness.ts';
import { HOUR_MS } from './backfill-windows.ts';
import { blocksOf, blocksToFetch, type Window, type WindowBlock, windowKey } from './completeness-blocks.ts';
import { rangesOfHours } from './completeness-ranges.ts';
import type { CompletenessReason, CompletenessVerdict } from './completeness-verdicts.ts';
import { flinkId } from './identities.ts';

/** What is known of a window that needs repair. */
export interface WindowToRepair extends Window {
  readonly verdict: CompletenessVerdict;
  readonly reason: CompletenessReason | null;
  readonly expected: number;
  readonly observed: number;
  /** Null when the hour has no row. */
  readonly aggregated: number | null;
  /** How often its repair was begun since it was good last, and when it was the last time. */
  readonly attempts: number;
  readonly repairBegunAt: Date | null;
}

export const remedies = {
  recompute: {
    description: 'The hour is made anew from the stored observations.',
  },
  reload: {
    description:
      'What the log holds of the hour is loaded, and then the hour is made anew, unless it still counts more than is stored.',
  },
  fetch: {
    description: "What is missing is fetched from the source's history, by a backfill of these windows.",
  },
  none: {
    description: "It was never published, and the source's history does not reach back to it.",
  },
} as const;
export type Remedy = keyof typeof remedies;

/** A little less than the hour between two checks: the next one tries again. */
export const FIRST_PAUSE_MS = 50 * 60_000;

/** Whether a window may be repaired now: at once the first time, then after a pause that doubles with each attempt. */
export function isDueForRepair(
  { attempts, repairBegunAt }: Pick<WindowToRepair, 'attempts' | 'repairBegunAt'>,
  now: Date,
): boolean {
  if (attempts === 0 || repairBegunAt === null) return true;
  return now.getTime() - repairBegunAt.getTime() >= FIRST_PAUSE_MS * 2 ** (attempts - 1);
}

/**
 * How a window is repaired. What the log may hold is loaded from there first: it costs no call, and an hour that counts more than is
 * stored must not be made anew before, or the evidence would be gone. What one attempt did not bring, the next seeks in the other place.
 * @param historyFrom from where on the source's history reaches; null when there is none
 */
export function remedyOf(window: WindowToRepair, historyFrom: Date | null): Remedy {
  const { verdict, reason, expected, observed, aggregated, attempts, windowStart } = window;
  const isInReach = historyFrom !== null && windowStart.getTime() >= historyFrom.getTime();
  const countsMore = (aggregated ?? 0) > observed;
  const mayBeInLog = reason === 'published_not_stored' || (verdict === 'mismatched' && countsMore);
  if (verdict === 'mismatched' && !mayBeInLog) return 'recompute';
  const canFetch = isInReach && observed < expected;
  if (mayBeInLog) return canFetch && attempts % 2 === 1 ? 'fetch' : 'reload';
  return canFetch ? 'fetch' : 'none';
}

/** Hours that are made anew, and the windows for whose sake. */
export interface HourRepair {
  /** Derived from what is repaired, and the attempt. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly blocks: readonly WindowBlock[];
  /** Whether some of the windows are tried for the last time. */
  readonly isLast: boolean;
}

export interface RepairPlan {
  readonly recompute: readonly HourRepair[];
  readonly reload: readonly HourRepair[];
  /** Each by a backfill of its own, until so many were begun as there is room for: one may be refused. */
  readonly fetch: readonly WindowBlock[];
  readonly room: number;
  /** Windows for which there is no remedy: they are not to be tried again. */
  readonly hopeless: readonly WindowBlock[];
}

export interface RepairQuestion {
  readonly pipeline: string;
  /** Windows that need repair and are due, each once. */
  readonly windows: readonly WindowToRepair[];
  /** Keys of all windows in the hours of these that have too few observations; undefined when they are too many to be told. */
  readonly incomplete: ReadonlySet<string> | undefined;
  /** Hours in which some location's row counts more observations than are stored, in milliseconds: made anew, they forget it. */
  readonly countingMore: ReadonlySet<number>;
  readonly historyFrom: Date | null;
  /** Whether the log was looked through for all that nothing else explains: what was not looked for is not hopeless. */
  readonly mayGiveUp: boolean;
  /** Backfills that repair now. */
  readonly running: number;
  readonly policy: Pick<
    CompletenessPolicy,
    'mostAttempts' | 'mostConcurrentRepairs' | 'mostWindowsOfARepair'
  >;
}

/** Each of these is a batch job or two, one after the other: a check comes to its end before the next. */
export const MOST_HOUR_REPAIRS = 24;
const MOST_HOURS_OF_A_REPAIR = 31 * 24;
/** So many are tried to be begun, as some may be refused: somebody else loads a part of them. */
export const MOST_FETCHES = 20;

/**
 * What is repaired now; the rest is left for the next check. The oldest hours come first: the log, and most histories, lose them first.
 * A fetched block may hold windows that are complete, which a backfill skips, but none that lacks observations and is not to be fetched.
 */
export function planRepairs(question: RepairQuestion): RepairPlan {
  const { windows, incomplete, countingMore, historyFrom, mayGiveUp, running, policy } = question;
  const by: Record<Remedy, WindowToRepair[]> = { recompute: [], reload: [], fetch: [], none: [] };
  const oldestFirst = windows.toSorted(
    (one, other) => one.windowStart.getTime() - other.windowStart.getTime(),
  );
  for (const window of oldestFirst) {
    const remedy = remedyOf(window, historyFrom);
    const isUnsafe = remedy === 'recompute' && countingMore.has(window.windowStart.getTime());
    by[isUnsafe ? 'reload' : remedy].push(window);
  }
  const most = policy.mostWindowsOfARepair;
  const wanted = new Set(by.fetch.map(windowKey));
  const mayHold = incomplete && ((key: string) => wanted.has(key) || !incomplete.has(key));
  const room = Math.max(0, policy.mostConcurrentRepairs - running);
  return {
    recompute: hourRepairs(question, 'recompute', by.recompute.slice(0, most)),
    reload: hourRepairs(question, 'reload', by.reload.slice(0, most)),
    fetch: blocksToFetch(by.fetch, most, mayHold).slice(0, room === 0 ? 0 : MOST_FETCHES),
    room,
    hopeless: mayGiveUp ? blocksOf(by.none.slice(0, most)) : [],
  };
}

function hourRepairs(
  { pipeline, policy }: Pick<RepairQuestion, 'pipeline' | 'policy'>,
  kind: 'recompute' | 'reload',
  windows: readonly WindowToRepair[],
): readonly HourRepair[] {
  const hours = windows.map(({ windowStart }) => windowStart);
  const ranges = rangesOfHours(hours, MOST_HOURS_OF_A_REPAIR).slice(0, MOST_HOUR_REPAIRS);
  return ranges.map(({ from, to }) => {
    const within = windows.filter(({ windowStart }) => windowStart >= from && windowStart < to);
    const blocks = blocksOf(within);
    const attempt = 1 + Math.max(...within.map(({ attempts }) => attempts));
    return {
      id: repairId(pipeline, kind, blocks, attempt),
      from: instant(from),
      to: instant(to),
      blocks,
      isLast: attempt >= policy.mostAttempts,
    };
  });
}

/** `reload-2-1f0c8a2b3d4e`: the same for the same windows of a pipeline and the same attempt. */
export function repairId(
  pipeline: string,
  kind: string,
  blocks: readonly WindowBlock[],
  attempt: number,
): string {
  return `${kind}-${attempt}-${flinkId(JSON.stringify([pipeline, kind, attempt, blocks])).slice(0, 12)}`;
}

/** What the backfill of a block is asked for. */
export const fetchRequest = (
  pipeline: string,
  { from, to, entities }: WindowBlock,
): BackfillRequestInput => ({
  ...{ pipeline, from, to, entities: [...entities] },
  ...{ input: 'history', purpose: 'repair', reprocess: 'missing', order: 'oldest' },
  reason: 'The completeness check found hours that lack observations.',
});

const instant = (time: Date): string => time.toISOString().replace('.000Z', 'Z');

/** The hours that a plan's repairs touch, to be judged again. */
export function touchedRanges(blocks: readonly WindowBlock[], mostHours: number) {
  const hours = blocks.flatMap(({ from, to }) => {
    const count = (Date.parse(to) - Date.parse(from)) / HOUR_MS;
    return Array.from({ length: count }, (_, index) => new Date(Date.parse(from) + index * HOUR_MS));
  });
  return rangesOfHours(hours, mostHours).map(({ from, to }) => ({ from: instant(from), to: instant(to) }));
}
