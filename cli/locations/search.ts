/** Finds a location by its name: asks OpenWeatherMap's geocoding, and the current weather there for the city's id. */
import { createInterface } from 'node:readline/promises';
import tzLookup from '@photostructure/tz-lookup';
import { createCallBudget, fingerprintOf } from '../../clients/call-budget.ts';
import { createOpenWeatherMapClient, type OpenWeatherMapClient } from '../../clients/openweathermap.ts';
import { RateLimitedError } from '../../clients/openweathermap-errors.ts';
import type { Database } from '../../clients/postgres.ts';
import { weatherApi } from '../../config/addresses.ts';
import type { Config } from '../../config/load.ts';
import { HourglassError } from '../../domain/errors.ts';
import type { LocationTexts } from '../../domain/locations.ts';
import { offsetSeconds } from '../../domain/time-zones.ts';
import { leaseTerms } from '../../pipelines/openweathermap-plans.ts';
import type { GeocodedPlace } from '../../schemas/openweathermap.ts';

/** Thrown when a search finds nothing, or several places of which none was chosen. */
export class PlaceNotChosenError extends HourglassError {}

export interface PlaceSearch {
  readonly text: string;
  /** The number of the hit, from 1; undefined when nobody chose yet. */
  readonly pick: number | undefined;
  /** The time zone, if the user names it. */
  readonly timezone: string | undefined;
}

export interface FoundLocation {
  readonly texts: LocationTexts;
  /** What the user should know of how it was found. */
  readonly notes: readonly string[];
}

const MOST_HITS = 5;
const BUDGET_WAIT_MS = 60_000;

/** @throws PlaceNotChosenError, OpenWeatherMapError, BudgetExhaustedError */
export async function findLocation(
  database: Database,
  config: Config,
  { text, pick, timezone }: PlaceSearch,
): Promise<FoundLocation> {
  const client = withinTheBudget(database, config);
  const places = await client.geocode(text, MOST_HITS);
  const place = await choose(places, text, pick);
  const { weather } = await client.currentWeatherAt(place);
  const zone = timezone ?? zoneAt(place, weather.timezone);
  return {
    texts: {
      city_id: String(weather.id),
      name: place.name,
      country: place.country,
      lat: decimalText(place.lat),
      lon: decimalText(place.lon),
      timezone: zone,
    },
    notes: [
      ...(weather.name === undefined || weather.name === place.name
        ? []
        : [`OpenWeatherMap's city at ${placeText(place)} is ${weather.id}, "${weather.name}".`]),
      ...(timezone === undefined
        ? [`The time zone ${zone} was found by the coordinates; --timezone names another.`]
        : []),
    ],
  };
}

type Searching = Pick<OpenWeatherMapClient, 'geocode' | 'currentWeatherAt'>;

/** These calls count against the key's limits like all others. */
function withinTheBudget(database: Database, config: Config): Searching {
  const api = weatherApi(config);
  const client = createOpenWeatherMapClient(api);
  const terms = leaseTerms(api.plan, config.values.BACKFILL_CALL_SHARE);
  const budget = createCallBudget(database, fingerprintOf(api.apiKey), terms);
  const leased = async <T>(call: () => Promise<T>): Promise<T> => {
    await budget.take('live', { deadlineMs: performance.now() + BUDGET_WAIT_MS });
    try {
      return await call();
    } catch (error) {
      if (error instanceof RateLimitedError) await budget.refused(error.retryAfterMs);
      throw error;
    }
  };
  return {
    geocode: (text, limit) => leased(() => client.geocode(text, limit)),
    currentWeatherAt: (place) => leased(() => client.currentWeatherAt(place)),
  };
}

/** @throws PlaceNotChosenError */
export async function choose(
  places: readonly GeocodedPlace[],
  text: string,
  pick: number | undefined,
  ask: ((question: string) => Promise<string>) | undefined = terminal(),
): Promise<GeocodedPlace> {
  if (places.length === 0)
    throw new PlaceNotChosenError(
      'NO_SUCH_PLACE',
      `OpenWeatherMap knows no place "${text}". Try the name in English, or with its country: "Oslo,NO".`,
    );
  const listed = places.map((place, index) => `  ${index + 1}  ${placeText(place)}`).join('\n');
  const said = `There are ${places.length} places "${text}":\n${listed}\n`;
  const answer =
    pick ?? (places.length === 1 ? 1 : ask && Number(await ask(`${said}Which one, 1 to ${places.length}? `)));
  const chosen = answer === undefined ? undefined : places[answer - 1];
  if (chosen === undefined)
    throw new PlaceNotChosenError('PLACE_NOT_CHOSEN', `${said}Choose one of them with --pick NUMBER.`);
  return chosen;
}

/** Undefined where nobody sits who could answer. */
function terminal(): ((question: string) => Promise<string>) | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  };
}

const placeText = ({ name, state, country, lat, lon }: GeocodedPlace): string =>
  [name, ...(state === undefined || state === name ? [] : [state]), `${country} (${lat}, ${lon})`].join(', ');

/** Four places after the point are eleven metres; an exponent, which no file of locations has, is never written. */
const decimalText = (degrees: number): string => String(Number(degrees.toFixed(4)));

/**
 * The zone at the coordinates, by a map that is coarse near borders: it must at least agree with the offset that the source gives.
 * @param offset seconds east of UTC, as the source has it now @throws PlaceNotChosenError when the two disagree
 */
export function zoneAt(
  { lat, lon }: { readonly lat: number; readonly lon: number },
  offset: number | undefined,
  now: Date = new Date(),
): string {
  const zone = tzLookup(lat, lon);
  const own = offsetSeconds(zone, now);
  if (offset !== undefined && offset !== own)
    throw new PlaceNotChosenError(
      'TIME_ZONE_UNSURE',
      `The time zone at latitude ${lat}, longitude ${lon} seems to be ${zone}, which is ${own} s east of UTC now, but OpenWeatherMap says ${offset} s. Name it with --timezone.`,
    );
  return zone;
}
