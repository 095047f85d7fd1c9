/** Decides which ranges of hours are made anew after windows were loaded. Making them anew is a batch job's. */
import {
  DAY_MS,
  type DayHours,
  dayNumberOf,
  dayOf,
  HOUR_MS,
  hoursWithin,
  listHours,
} from './backfill-windows.ts';

/** Instants on the hour, as a batch job takes them; the end does not belong to it. */
export interface HourRange {
  readonly from: string;
  readonly to: string;
}

/** One job that reads so many days of all entities is long enough: what fails is done again from its beginning. */
export const MOST_DAYS_OF_A_RECOMPUTE = 31;

/** Few ranges, ascending, that hold all of these windows; days without any are left out. */
export function rangesToRecompute(
  windows: readonly DayHours[],
  mostDays = MOST_DAYS_OF_A_RECOMPUTE,
): readonly HourRange[] {
  const ranges: { fromMs: number; toMs: number; firstDay: number; lastDay: number }[] = [];
  for (const { day, first, last } of spansByDay(windows)) {
    const [fromMs, toMs] = [day * DAY_MS + first * HOUR_MS, day * DAY_MS + (last + 1) * HOUR_MS];
    const open = ranges.at(-1);
    if (open !== undefined && day - open.lastDay <= 1 && day - open.firstDay < mostDays) {
      open.toMs = toMs;
      open.lastDay = day;
    } else ranges.push({ fromMs, toMs, firstDay: day, lastDay: day });
  }
  return ranges.map(({ fromMs, toMs }) => ({ from: instant(fromMs), to: instant(toMs) }));
}

/** All hours of a range, cut in the same way. */
export function rangesWithin(from: string, to: string): readonly HourRange[] {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const firstDay = Math.floor(fromMs / DAY_MS);
  const days = Array.from({ length: Math.ceil(toMs / DAY_MS) - firstDay }, (_, index) => firstDay + index);
  return rangesToRecompute(
    days.map((day) => ({ entityId: 0, day: dayOf(day), hours: hoursWithin(day, fromMs, toMs) })),
  );
}

const instant = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/** The first and the last hour that any entity has on each day, ascending by day. */
function spansByDay(windows: readonly DayHours[]) {
  const spans = new Map<number, { first: number; last: number }>();
  for (const { day, hours } of windows) {
    const list = listHours(hours);
    const [first, last] = [list[0], list.at(-1)];
    if (first === undefined || last === undefined) continue;
    const number = dayNumberOf(day);
    const known = spans.get(number) ?? { first, last };
    spans.set(number, { first: Math.min(known.first, first), last: Math.max(known.last, last) });
  }
  return [...spans].map(([day, span]) => ({ day, ...span })).sort((one, other) => one.day - other.day);
}
