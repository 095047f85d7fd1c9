/**
 * Owns how windows, which are hours (UTC) of entities, are held: a day's 24 in the bits of one number, so that a year of 2,000
 * entities fits in memory. Which of them are loaded is decided in `domain/backfill-plan.ts`.
 */

/** A set of the hours of one day: bit h stands for the hour that begins at h:00 UTC. */
export type Hours = number;

export const NO_HOURS: Hours = 0;
export const ALL_HOURS: Hours = 2 ** 24 - 1;
export const HOURS_PER_DAY = 24;
export const HOUR_MS = 3_600_000;
export const DAY_MS = HOURS_PER_DAY * HOUR_MS;

/** Some windows of one entity on one day. */
export interface DayHours {
  readonly entityId: number;
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
  readonly hours: Hours;
}

/** What is known of one entity on one day. */
export interface EntityDay {
  readonly entityId: number;
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
  /** Hours that lie wholly within the time in which the entity is active. */
  readonly expected: Hours;
  /** Hours with as many stored observations as the entity is to have. */
  readonly complete: Hours;
  /** Hours that a backfill has failed at, and none has loaded since. */
  readonly failed: Hours;
  /** Hours that a repair which has not ended is still to load. */
  readonly underRepair: Hours;
}

/** Days since 1970-01-01. */
export const dayNumberOf = (day: string): number => Math.floor(Date.parse(`${day}T00:00:00Z`) / DAY_MS);

export const dayOf = (dayNumber: number): string => new Date(dayNumber * DAY_MS).toISOString().slice(0, 10);

/** The hours of a day that lie wholly in [fromMs, toMs); either may be infinite. */
export function hoursWithin(dayNumber: number, fromMs: number, toMs: number): Hours {
  const hourOf = (ms: number): number => (ms - dayNumber * DAY_MS) / HOUR_MS;
  const bounded = (hour: number): number => Math.min(HOURS_PER_DAY, Math.max(0, hour));
  const first = bounded(Math.ceil(hourOf(fromMs)));
  const end = bounded(Math.floor(hourOf(toMs)));
  return end > first ? 2 ** end - 2 ** first : NO_HOURS;
}

export function countHours(hours: Hours): number {
  let count = 0;
  // Each round takes away the lowest hour.
  for (let left = hours; left !== NO_HOURS; left &= left - 1) count += 1;
  return count;
}

/** Ascending: 0 to 23. */
export function listHours(hours: Hours): number[] {
  const list: number[] = [];
  for (let hour = 0; hour < HOURS_PER_DAY; hour += 1) if ((hours >> hour) & 1) list.push(hour);
  return list;
}

export function countWindows(days: Iterable<DayHours>): number {
  let count = 0;
  for (const { hours } of days) count += countHours(hours);
  return count;
}
