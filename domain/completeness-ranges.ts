/**
 * Decides which hours a scheduled check judges, and in which steps. Judging them is `clients/completeness-ledger.ts`'s; which older
 * hours have changed, or await the end of a repair, it is told.
 */
import type { CompletenessPolicy } from '../schemas/completeness.ts';
import { HOUR_MS } from './backfill-windows.ts';

/** Whole hours; the end does not belong to it. */
export interface JudgedRange {
  readonly from: Date;
  readonly to: Date;
}

type RangePolicy = Pick<CompletenessPolicy, 'graceMinutes' | 'rejudgeHours' | 'stepHours'>;

/** So many ranges are few enough for one payload. */
export const MOST_RANGES = 1_000;

/** The end of the last hour that is judged at an instant. */
export function judgedUntil(now: Date, { graceMinutes }: Pick<RangePolicy, 'graceMinutes'>): Date {
  return new Date(Math.floor((now.getTime() - graceMinutes * 60_000) / HOUR_MS) * HOUR_MS);
}

/**
 * The hours that every check judges: the newest ones, and whatever lies between the last check and now.
 * @param judgedTo up to where the last check that ended judged; undefined before the first
 */
export function newestHours(judgedTo: Date | undefined, now: Date, policy: RangePolicy): JudgedRange {
  const to = judgedUntil(now, policy);
  const rejudgedMs = to.getTime() - policy.rejudgeHours * HOUR_MS;
  return { from: new Date(Math.min(judgedTo?.getTime() ?? rejudgedMs, rejudgedMs)), to };
}

/**
 * The newest hours and the older ones, in steps: the newest first, none longer than the policy says, no hour in two of them. Of very many
 * that lie apart, some are joined with what lies between them.
 * @param older hours that begin before the newest ones, in any order and as often as may be
 */
export function stepsToJudge(
  newest: JudgedRange,
  older: readonly Date[],
  { stepHours }: Pick<RangePolicy, 'stepHours'>,
  most = MOST_RANGES,
): readonly JudgedRange[] {
  const hours = [...new Set(older.map((hour) => Math.floor(hour.getTime() / HOUR_MS)))]
    .filter((hour) => hour * HOUR_MS < newest.from.getTime())
    .sort((one, other) => other - one);
  const first = stepsOf([spanOf(newest)], stepHours);
  for (let gap = 0; ; gap = gap * 2 + 1) {
    const steps = [...first, ...stepsOf(spansOf(hours, gap, stepHours), stepHours)];
    // A gap as long as a step joins all that can be joined.
    if (steps.length <= most || gap >= stepHours) return steps.map(rangeOf);
  }
}

/** In hours since 1970. */
interface Span {
  readonly first: number;
  readonly end: number;
}

const spanOf = ({ from, to }: JudgedRange): Span => ({
  first: Math.floor(from.getTime() / HOUR_MS),
  end: Math.floor(to.getTime() / HOUR_MS),
});
const rangeOf = ({ first, end }: Span): JudgedRange => ({
  from: new Date(first * HOUR_MS),
  to: new Date(end * HOUR_MS),
});

/** Hours with no more than `gap` others between them, descending like the hours. */
function spansOf(descending: readonly number[], gap: number, stepHours: number): readonly Span[] {
  const spans: { first: number; end: number }[] = [];
  for (const hour of descending) {
    const open = spans.at(-1);
    // Without others between them, a longer one is cut into steps anyhow.
    const isNear = open !== undefined && open.first - hour - 1 <= gap;
    if (isNear && (gap === 0 || open.end - hour <= stepHours)) open.first = hour;
    else spans.push({ first: hour, end: hour + 1 });
  }
  return spans;
}

/** The newest first. */
function stepsOf(spans: readonly Span[], stepHours: number): readonly Span[] {
  return spans.flatMap(({ first, end }) => {
    const steps: Span[] = [];
    for (let to = end; to > first; to -= stepHours)
      steps.push({ first: Math.max(first, to - stepHours), end: to });
    return steps;
  });
}

/** Few ranges that hold exactly these hours, ascending. */
export function rangesOfHours(hours: readonly Date[], mostHours: number): readonly JudgedRange[] {
  const descending = [...new Set(hours.map((hour) => Math.floor(hour.getTime() / HOUR_MS)))].sort(
    (one, other) => other - one,
  );
  return stepsOf(spansOf(descending, 0, mostHours), mostHours)
    .map(rangeOf)
    .reverse();
}
