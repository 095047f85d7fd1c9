/**
 * Decides what the registry of locations may hold: reads the texts of a row, fills in what is left out, and says what a row
 * changes. Where the texts come from, and writing the rows, is `cli/locations/`'s.
 */
import { isTimeZone } from './time-zones.ts';

/** A row of the table `locations`. */
export interface RegisteredLocation {
  readonly city_id: number;
  readonly name: string;
  readonly country: string;
  readonly lat: number;
  readonly lon: number;
  readonly timezone: string;
  readonly cadence_minutes: number;
  readonly min_observations_per_hour: number;
  readonly active_from: Date;
  readonly active_to: Date | null;
}

export type LocationColumn = keyof RegisteredLocation;

/** What may be left empty: a new location then has a default, a registered one keeps what it has. */
const optionalColumns = ['cadence_minutes', 'min_observations_per_hour', 'active_from', 'active_to'] as const;
type OptionalColumn = (typeof optionalColumns)[number];

/** A row as somebody gave it. */
export type GivenLocation = Omit<RegisteredLocation, OptionalColumn> & {
  readonly [Column in OptionalColumn]: NonNullable<RegisteredLocation[Column]> | undefined;
};

export type LocationTexts = Readonly<Partial<Record<LocationColumn, string>>>;

/** One value that cannot stand, and what was expected in its place. */
export interface LocationMistake {
  readonly column: LocationColumn;
  readonly value: string;
  readonly expected: string;
}

interface Reader<T> {
  readonly expected: string;
  /** @returns undefined for a text that is not what is expected */
  readonly read: (text: string) => T | undefined;
}

const columns: { readonly [Column in LocationColumn]: Reader<NonNullable<RegisteredLocation[Column]>> } = {
  city_id: wholeNumber(
    1,
    Number.MAX_SAFE_INTEGER,
    "the city's id in OpenWeatherMap, a positive whole number",
  ),
  name: {
    expected: 'a name of 1 to 200 characters',
    read: (text) => (text.length <= 200 && !/\p{Cc}/u.test(text) ? text : undefined),
  },
  country: {
    expected: "the country's code of two capital letters, such as NO",
    read: (text) => (/^[A-Z]{2}$/.test(text) ? text : undefined),
  },
  lat: degrees(90, 'degrees north, from -90 to 90'),
  lon: degrees(180, 'degrees east, from -180 to 180'),
  timezone: {
    expected: 'the name of a time zone in the IANA database, such as Europe/Oslo',
    read: (text) => (isTimeZone(text) ? text : undefined),
  },
  cadence_minutes: wholeNumber(1, 1_440, 'a whole number of minutes, from 1 to 1440'),
  min_observations_per_hour: wholeNumber(1, 60, 'a whole number from 1 to 60'),
  active_from: instant(),
  active_to: instant(),
};

export const locationColumns = Object.keys(columns) as readonly LocationColumn[];
const isOptional = (column: LocationColumn): boolean =>
  (optionalColumns as readonly string[]).includes(column);

export const requiredColumns = locationColumns.filter((column) => !isOptional(column));

/** Reads each text by itself; what depends on the other columns, and on the registry, is {@link mergeLocation}'s. */
export function readLocation(
  texts: LocationTexts,
): { readonly given: GivenLocation } | { readonly mistakes: readonly LocationMistake[] } {
  const mistakes: LocationMistake[] = [];
  const given: Record<string, unknown> = {};
  for (const column of locationColumns) {
    const { expected, read } = columns[column];
    const value = texts[column]?.trim() ?? '';
    given[column] = value === '' ? undefined : read(value);
    if (given[column] === undefined && !(value === '' && isOptional(column)))
      mistakes.push({ column, value, expected });
  }
  return mistakes.length === 0 ? { given: given as unknown as GivenLocation } : { mistakes };
}

const DEFAULT_CADENCE_MINUTES = 10;

/** So many polls fall into every hour, at least; a cadence of more than an hour gives some hours none. */
export const mostObservationsPerHour = (cadenceMinutes: number): number =>
  Math.max(1, Math.floor(60 / cadenceMinutes));

/** Two thirds of what the cadence gives, at least one: 4 of 6 at ten minutes, 1 of 1 at an hour. */
export const defaultObservationsPerHour = (cadenceMinutes: number): number =>
  Math.max(1, Math.floor((mostObservationsPerHour(cadenceMinutes) * 2) / 3));

export type LocationChange =
  | { readonly kind: 'new' | 'changed' | 'unchanged'; readonly location: RegisteredLocation }
  | { readonly kind: 'mistake'; readonly mistakes: readonly LocationMistake[] };

/** What a given row makes of the one that is registered under its id, if there is one. */
export function mergeLocation(
  given: GivenLocation,
  stored: RegisteredLocation | undefined,
  now: Date,
): LocationChange {
  const cadence = given.cadence_minutes ?? stored?.cadence_minutes ?? DEFAULT_CADENCE_MINUTES;
  // A smallest number that was chosen for one cadence says nothing at another.
  const kept = stored?.cadence_minutes === cadence ? stored.min_observations_per_hour : undefined;
  const location: RegisteredLocation = {
    ...given,
    cadence_minutes: cadence,
    min_observations_per_hour: given.min_observations_per_hour ?? kept ?? defaultObservationsPerHour(cadence),
    active_from: given.active_from ?? stored?.active_from ?? now,
    active_to: given.active_to ?? stored?.active_to ?? null,
  };
  const mistakes = mistakesOf(location);
  if (mistakes.length > 0) return { kind: 'mistake', mistakes };
  if (stored === undefined) return { kind: 'new', location };
  return { kind: isSame(location, stored) ? 'unchanged' : 'changed', location };
}

function mistakesOf(location: RegisteredLocation): readonly LocationMistake[] {
  const { cadence_minutes: cadence, min_observations_per_hour: least, active_from, active_to } = location;
  const most = mostObservationsPerHour(cadence);
  return [
    ...(least > most
      ? [
          {
            column: 'min_observations_per_hour' as const,
            value: String(least),
            expected: `at most ${most}, which is what a poll every ${cadence} min gives in an hour`,
          },
        ]
      : []),
    ...(active_to !== null && active_to <= active_from
      ? [
          {
            column: 'active_to' as const,
            value: active_to.toISOString(),
            expected: `a time after active_from, ${active_from.toISOString()}`,
          },
        ]
      : []),
  ];
}

function isSame(one: RegisteredLocation, other: RegisteredLocation): boolean {
  return locationColumns.every((column) => textOf(one, column) === textOf(other, column));
}

/** A value as it is written in a file. */
export function textOf(location: RegisteredLocation, column: LocationColumn): string {
  const value = location[column];
  if (value === null) return '';
  return value instanceof Date ? value.toISOString() : String(value);
}

export type ActivityChange =
  | { readonly kind: 'changed'; readonly location: RegisteredLocation }
  | { readonly kind: 'unchanged'; readonly reason: string }
  | { readonly kind: 'impossible'; readonly reason: string };

/** A location is expected and polled until `at`; its observations stay. */
export function deactivated(stored: RegisteredLocation, at: Date): ActivityChange {
  const { active_from, active_to } = stored;
  if (active_to !== null && active_to <= at)
    return { kind: 'unchanged', reason: `it ends at ${active_to.toISOString()} already` };
  if (at <= active_from)
    return {
      kind: 'impossible',
      reason: `it begins only at ${active_from.toISOString()}: give --at a time after that`,
    };
  return { kind: 'changed', location: { ...stored, active_to: at } };
}

/** A location that ended is expected and polled again from `from` on: what lies between is not expected. */
export function activated(stored: RegisteredLocation, from: Date, now: Date): ActivityChange {
  const { active_to } = stored;
  if (active_to === null || active_to > now)
    return {
      kind: 'unchanged',
      reason: active_to === null ? 'it has no end' : `it ends only at ${active_to.toISOString()}`,
    };
  return { kind: 'changed', location: { ...stored, active_from: from, active_to: null } };
}

/** Where the hours of a first start begin: with a whole hour, or now when none before it is expected. */
export function startOfFirstHistory(now: Date, hours: number): Date {
  if (hours === 0) return now;
  const hourMs = 3_600_000;
  return new Date((Math.floor(now.getTime() / hourMs) - hours) * hourMs);
}

function wholeNumber(least: number, most: number, expected: string): Reader<number> {
  return {
    expected,
    read: (text) => {
      const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? value : undefined;
    },
  };
}

function degrees(limit: number, expected: string): Reader<number> {
  return {
    expected,
    read: (text) => {
      const value = /^-?\d{1,3}(\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN;
      return Math.abs(value) <= limit ? value : undefined;
    },
  };
}

/** Two centuries: hours are enumerated from these times, and a slip of the pen must not make a million of them. */
const instantYears = { from: 1970, to: 2199 } as const;

function instant(): Reader<Date> {
  return { expected: 'a time such as 2026-01-31T00:00:00Z, of the years 1970 to 2199', read: readInstant };
}

/** A date alone is its midnight, UTC. @returns undefined for what is no such time */
export function readInstant(text: string): Date | undefined {
  const [, date] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.exec(text) ?? [];
  if (date === undefined) return undefined;
  const time = new Date(text);
  const midnight = new Date(date);
  // V8 takes the 30th of February for the 2nd of March.
  if (Number.isNaN(time.getTime()) || midnight.toISOString().slice(0, 10) !== date) return undefined;
  const year = time.getUTCFullYear();
  return year >= instantYears.from && year <= instantYears.to ? time : undefined;
}
