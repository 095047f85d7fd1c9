/** Reads what is given on the command line. */
import { InvalidArgumentError } from 'commander';

/** @throws InvalidArgumentError, which commander shows with the option's name */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Expected a whole number, for example 42.');
  return Number(text);
}

const HOUR_MS = 3_600_000;

/**
 * `12h` or `3d`: so many hours or days before the running hour began, which is a whole hour whatever the minute is.
 * @returns undefined for any other text
 */
export function timeAgo(text: string, now: Date): Date | undefined {
  const [, count, unit] = /^(\d{1,5})([hd])$/i.exec(text) ?? [];
  if (count === undefined) return undefined;
  const hours = Number(count) * (unit?.toLowerCase() === 'd' ? 24 : 1);
  return new Date((Math.floor(now.getTime() / HOUR_MS) - hours) * HOUR_MS);
}

/** As {@link timeAgo}, and `now` for the beginning of the running hour, where a range of whole hours can end. */
export const hourAgo = (text: string, now: Date): Date | undefined =>
  timeAgo(text.toLowerCase() === 'now' ? '0h' : text, now);

/** A time like `2026-01-31T00:00:00Z`, or `12h` ago. @throws InvalidArgumentError, as above */
export function instant(text: string): Date {
  const time = timeAgo(text, new Date()) ?? new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError(
      'Expected a time, for example 2026-01-31T00:00:00Z, or 12h for 12 hours ago.',
    );
  return time;
}

/** Of an option that can be repeated. @throws InvalidArgumentError, as above */
export function collected(text: string, before: readonly string[] = []): readonly string[] {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a name or an id, for example Oslo.');
  return [...before, text];
}

/**
 * A whole hour like `2026-01-31T17`, `2026-01-31T17:00:00Z` or `2026-01-31T17:00+01:00`, or a day for its midnight, or one of {@link hourAgo}. What names no
 * zone is UTC.
 * @throws InvalidArgumentError, as above
 */
export function hour(text: string): Date {
  const ago = hourAgo(text, new Date());
  if (ago !== undefined) return ago;
  const [, day, time = '00', minutes = ':00', zone = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2})(:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?(Z|[+-]\d{2}:\d{2})?)?$/i.exec(
      text,
    ) ?? [];
  const at = new Date(`${day}T${time}${minutes}${zone.toUpperCase()}`);
  const midnight = new Date(`${day}T00:00:00Z`);
  // A day that the month does not have would be read as one of the next month.
  const isDay = !Number.isNaN(midnight.getTime()) && midnight.toISOString().slice(0, 10) === day;
  if (!isDay || Number.isNaN(at.getTime()) || at.getTime() % HOUR_MS !== 0)
    throw new InvalidArgumentError(
      'Expected a whole hour, for example 2026-01-31T17, or a day, in UTC unless it says otherwise; or 12h, 3d or now.',
    );
  return at;
}
