/** How the job commands write times, stretches of time, and tables whose rows carry a line of text. */
import { renderTable } from '../table.ts';

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** The largest unit and, above an hour, the one below it: `4 s`, `12 min`, `5 h 58 min`, `2 d 3 h`. */
export function stretch(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const index = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[index] ?? UNITS[3];
  const whole = `${Math.floor(seconds / size)} ${unit}`;
  const next = UNITS[index + 1];
  if (next === undefined || size < 3_600) return whole;
  const rest = Math.floor((seconds % size) / next[1]);
  return rest === 0 ? whole : `${whole} ${rest} ${next[0]}`;
}

/** In UTC, to the second. */
export const instant = (at: Date | number): string => new Date(at).toISOString().slice(0, 19);

/** A text that is part of a sentence brings no full stop of its own. */
export const withoutStop = (text: string): string => text.replace(/\.$/, '');

export interface NotedRow {
  readonly cells: readonly string[];
  /** Too long for a column, and what one came for: it has a line of its own below the row. */
  readonly note: string;
}

export function renderNotedTable(
  head: readonly string[],
  rows: readonly NotedRow[],
  columns?: number,
): string {
  const [title = '', ...lines] = renderTable(
    head,
    rows.map(({ cells }) => cells),
    columns,
  ).split('\n');
  const noted = lines.flatMap((line, index) => {
    const { note = '' } = rows[index] ?? {};
    return note === '' ? [line] : [line, `    ${note}`];
  });
  return [title, ...noted].join('\n');
}

/** Names on the left, what they stand for on the right; what is undefined is left out. */
export function renderFacts(facts: readonly (readonly [string, string | undefined])[]): string {
  const told = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
  const width = Math.max(...told.map(([name]) => name.length));
  return told.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n');
}

/**
 * When the job entered the state it is in: commands are events too, and change nothing in it.
 * @param events the newest first; where they do not reach back far enough, the oldest of them counts
 */
export function enteredAt(
  state: string,
  events: readonly { readonly state: string; readonly happened_at: Date }[],
): Date | undefined {
  const other = events.findIndex((event) => event.state !== state);
  return (other === -1 ? events : events.slice(0, other)).at(-1)?.happened_at;
}
