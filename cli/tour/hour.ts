/** Chooses the hour of a tour, breaks it, and looks at it. Finding and mending what was broken is the check's. */
import type { Queries } from '../../clients/postgres.ts';
import { DAY_MS, HOUR_MS } from '../../domain/backfill-windows.ts';
import { GOOD_VERDICTS } from '../../domain/completeness-verdicts.ts';
import type { PipelineDefinition } from '../../schemas/pipeline.ts';
import type { NamedLocation } from '../named-locations.ts';

/** An hour is judged so long after its end. */
const GRACE_MS = 10 * 60_000;

export interface TourHour {
  readonly pipeline: string;
  readonly location: NamedLocation;
  readonly from: Date;
  /** Does not belong to it. */
  readonly to: Date;
  /** So many observations it is to have, at least; so many it has. */
  readonly expected: number;
  readonly stored: number;
}

/** The newest that is over and true, has enough observations where there is one, and can be loaded again from the log. */
export async function chooseHour(
  database: Queries,
  { name: pipeline, topics }: Pick<PipelineDefinition, 'name' | 'topics'>,
  locations: readonly NamedLocation[] | undefined,
  now: Date,
): Promise<TourHour | undefined> {
  const [row] = await database.query<
    NamedLocation & { window_start: Date; expected: number; stored: number }
  >('hour-for-tour', [
    new Date(now.getTime() - GRACE_MS),
    new Date(now.getTime() - DAY_MS),
    [topics.live.name, topics.repairs.name],
    locations?.map(({ city_id }) => city_id) ?? null,
    GOOD_VERDICTS,
    pipeline,
  ]);
  if (row === undefined) return undefined;
  const { city_id, name, country, window_start: from, expected, stored } = row;
  const to = new Date(from.getTime() + HOUR_MS);
  return { pipeline, location: { city_id, name, country }, from, to, expected, stored };
}

export interface TakenObservation {
  readonly observed_at: Date;
  readonly topic: string;
  readonly partition_id: number;
  readonly record_offset: number;
}

/** So many are taken that fewer are left than there are to be. */
export const countToTake = ({ stored, expected }: Pick<TourHour, 'stored' | 'expected'>): number =>
  Math.max(1, stored - expected + 1);

/** @returns what was taken; nothing where the weather of the database is not invented */
export const breakHour = (database: Queries, hour: TourHour): Promise<readonly TakenObservation[]> =>
  database.query<TakenObservation>('break-hour', [hour.location.city_id, hour.from, countToTake(hour)]);

export interface HourFigures {
  readonly stored: number;
  /** The hour's row; null when there is none. */
  readonly row: Readonly<Record<string, unknown>> | null;
}

export async function hourOf(database: Queries, { location, from }: TourHour): Promise<HourFigures> {
  const [found] = await database.query<HourFigures>('hour-of-location', [location.city_id, from]);
  return found ?? { stored: 0, row: null };
}

/** The names of the figures in which the hour's row is not the aggregate of its observations. */
export async function differencesOf(
  database: Queries,
  { pipeline, location, from, to }: TourHour,
): Promise<readonly string[]> {
  const hours = await database.query<{ entity_id: number; differences: object }>(
    'audit-hours',
    [null, from, to],
    pipeline,
  );
  return hours
    .filter(({ entity_id }) => entity_id === location.city_id)
    .flatMap(({ differences }) => Object.keys(differences));
}
