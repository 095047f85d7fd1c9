/**
 * Decides what the windows of a candidate say about it: which of them can be compared, whether all of their
 * differences are accepted, and what has to be made anew for them. Reading the tables is left to `clients/shadow-tables.ts`.
 */
import { counted } from './replay-estimate.ts';

export interface DifferenceExample {
  readonly entity: string;
  /** When the window begins. */
  readonly window: string;
  readonly real: unknown;
  readonly candidate: unknown;
}

/** A column of the windows in which they differ; `missing` and `extra` are windows that only one of them has. */
export interface ColumnDifference {
  readonly column: string;
  readonly windows: number;
  readonly examples: readonly DifferenceExample[];
}

/** Whole hours, as the parameters of a batch job are written: 2026-01-31T10:00:00Z. */
export interface HourRange {
  readonly from: string;
  readonly to: string;
}

export interface ShadowComparison {
  readonly from: string;
  readonly to: string;
  /** How many windows of the stream lie between and were written by neither since. */
  readonly compared: number;
  readonly differences: readonly ColumnDifference[];
  /** Where they lie: what is to be made anew when they are accepted. */
  readonly ranges: readonly HourRange[];
}

const HOUR_MS = 3_600_000;
const MOST_EXAMPLES = 20;

/**
 * The first window that lies wholly in the log. What is published is at most so much younger or older than what it tells as clocks
 * differ, so a window counts from the hour after the oldest record that is left.
 * @param oldest when the oldest record of each partition that has lost any was published; none when the log is whole
 */
export function firstWholeWindow(oldest: readonly Date[]): Date {
  if (oldest.length === 0) return new Date(0);
  const latest = Math.max(...oldest.map((at) => at.getTime()));
  return new Date((Math.ceil(latest / HOUR_MS) + 1) * HOUR_MS);
}

/** The windows that begin before then are over. */
export const lastWindowEnd = (now: Date): Date => new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS);

/** At most twenty, of each column in turn: a page of one column would hide the others. */
export function withFewExamples(differences: readonly ColumnDifference[]): ColumnDifference[] {
  const taken = differences.map(() => 0);
  let left = MOST_EXAMPLES;
  for (let round = 0; left > 0; round += 1) {
    const open = differences.flatMap(({ examples }, index) => (examples.length > round ? [index] : []));
    if (open.length === 0) break;
    for (const index of open.slice(0, left)) taken[index] = round + 1;
    left -= Math.min(open.length, left);
  }
  return differences.map((each, index) => ({ ...each, examples: each.examples.slice(0, taken[index]) }));
}

/** What of a comparison nobody has accepted; a comparison of nothing is one of these, too. */
export function notAccepted(
  { compared, differences }: ShadowComparison,
  accepted: readonly string[],
): string[] {
  const open = [...(compared === 0 ? ['uncompared'] : []), ...differences.map(({ column }) => column)];
  return accepted.includes('all') ? [] : open.filter((name) => !accepted.includes(name));
}

/** Each is a batch job, one after the other. */
const MOST_RANGES = 24;

/**
 * These hours as ranges: as few as they make, and at most so many that each can be a job of its own; then some hours lie in between that
 * need not be made anew, which changes nothing but who has made them.
 */
export function rangesOf(hours: readonly string[], most: number = MOST_RANGES): readonly HourRange[] {
  const starts = [...new Set(hours.map((hour) => new Date(hour).getTime()))].sort((a, b) => a - b);
  const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? start));
  // The widest gaps part the ranges; one of an hour is none.
  const parting = gaps
    .map((gap, index) => ({ gap, index }))
    .filter(({ gap }) => gap > HOUR_MS)
    .sort((a, b) => b.gap - a.gap)
    .slice(0, most - 1)
    .map(({ index }) => index);
  const lasts = [...parting, ...(starts.length === 0 ? [] : [starts.length - 1])].sort((a, b) => a - b);
  return lasts.map((last, place) => {
    const first = place === 0 ? 0 : (lasts[place - 1] ?? 0) + 1;
    return { from: hourText(starts[first] ?? 0), to: hourText((starts[last] ?? 0) + HOUR_MS) };
  });
}

/**
 * What is to be made anew once the job has gone on with accepted differences: the hours that differ, and all that were not compared,
 * which also hold what the version before has made of them.
 * @param written the hours that either has written since the candidate had read the log: a comparison leaves these windows out
 * @param now the hours from the end of the comparison up to the one that runs then were not over
 */
export function rangesToMakeAnew(
  { to, ranges }: Pick<ShadowComparison, 'to' | 'ranges'>,
  written: readonly string[],
  now: Date,
): readonly HourRange[] {
  if (ranges.length === 0) return [];
  const untilNow = { from: to, to: hourText(lastWindowEnd(now).getTime() + HOUR_MS) };
  return rangesOf([...[...ranges, untilNow].flatMap(hoursOf), ...written]);
}

const hoursOf = ({ from, to }: HourRange): string[] => {
  const start = new Date(from).getTime();
  const count = Math.max(0, (new Date(to).getTime() - start) / HOUR_MS);
  return Array.from({ length: count }, (_, index) => hourText(start + index * HOUR_MS));
};

/** As a batch job's parameter is written. */
const hourText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** What was compared, in one sentence. */
export function comparisonText({ from, to, compared, differences }: ShadowComparison): string {
  if (compared === 0)
    return 'no window lies wholly in the log and came from the stream: nothing could be compared';
  const range = from.startsWith('1970') ? `before ${to}` : `from ${from} to ${to}`;
  if (differences.length === 0) return `${counted(compared, 'window')} ${range} compared: all are equal`;
  const columns = differences.map(({ column, windows }) => `${column} in ${windows}`);
  return `${counted(compared, 'window')} ${range} compared: they differ in ${columns.join(', ')}`;
}

/** Each example on a line: the window, of which entity, the column, and both values. */
export function exampleLines({ differences }: ShadowComparison): string[] {
  return differences.flatMap(({ column, examples }) =>
    examples.map(({ entity, window, real, candidate }) => {
      const place = `${new Date(window).toISOString().slice(0, 16)}Z  ${entity}`;
      if (column === 'missing') return `${place}  the candidate has no such window`;
      if (column === 'extra') return `${place}  only the candidate has this window`;
      return `${place}  ${column}: ${JSON.stringify(real)}, the candidate says ${JSON.stringify(candidate)}`;
    }),
  );
}
