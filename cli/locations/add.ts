/** `hourglass locations add`: registers one location, named by its id or found by a search. */
import type { Database } from '../../clients/postgres.ts';
import { type Config, loadConfig } from '../../config/load.ts';
import type { LocationColumn, LocationTexts } from '../../domain/locations.ts';
import { UsageError } from '../usage-error.ts';
import { withDatabase } from '../with-database.ts';
import { type Registered, registerLocations } from './register.ts';
import type { RegistryOutcome } from './registry.ts';
import { findLocation } from './search.ts';
import { expectation, locationName } from './words.ts';

/** Every text as it was given: what it may be is decided once, for files and for the command line. */
export interface AddOptions {
  readonly search?: string;
  readonly pick?: number;
  readonly name?: string;
  readonly country?: string;
  readonly lat?: string;
  readonly lon?: string;
  readonly timezone?: string;
  readonly cadence?: string;
  readonly minObservations?: string;
  readonly activeFrom?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Thrown when it is not clear whether a city is named or searched for. */
class NamedOrSearchedError extends UsageError {
  constructor() {
    super(
      'NAMED_OR_SEARCHED',
      'Give either a city id with --name, --country, --lat, --lon and --timezone, or --search with a name.',
    );
  }
}

/** Where on the command line each column is given. */
const optionOf: Readonly<Record<LocationColumn, string>> = {
  city_id: 'CITY_ID',
  name: '--name',
  country: '--country',
  lat: '--lat',
  lon: '--lon',
  timezone: '--timezone',
  cadence_minutes: '--cadence',
  min_observations_per_hour: '--min-observations',
  active_from: '--active-from',
  active_to: 'active_to',
};

export async function addLocation(cityId: string | undefined, options: AddOptions): Promise<void> {
  if ((cityId === undefined) === (options.search === undefined)) throw new NamedOrSearchedError();
  const config = loadConfig();
  const { dryRun = false, json } = options;
  await withDatabase(async (database) => {
    const { texts, notes } = await textsOf(database, config, cityId, options);
    const row = { texts, place: (column: LocationColumn) => optionOf[column] };
    const registered = await registerLocations(database, config, { rows: [row], now: new Date(), dryRun });
    if (json) console.log(JSON.stringify({ dryRun, notes, ...registered }, undefined, 2));
    else console.log([...describe(registered, dryRun), ...notes, registered.plan.explanation].join('\n'));
  });
}

async function textsOf(
  database: Database,
  config: Config,
  cityId: string | undefined,
  options: AddOptions,
): Promise<{ texts: LocationTexts; notes: readonly string[] }> {
  const { search, pick, timezone } = options;
  const found =
    search === undefined
      ? { texts: {}, notes: [] }
      : await findLocation(database, config, { text: search, pick, timezone });
  const given: Readonly<Partial<Record<LocationColumn, string | undefined>>> = {
    city_id: cityId,
    name: options.name,
    country: options.country,
    lat: options.lat,
    lon: options.lon,
    timezone,
    cadence_minutes: options.cadence,
    min_observations_per_hour: options.minObservations,
    active_from: options.activeFrom,
  };
  const named = Object.fromEntries(Object.entries(given).filter(([, text]) => text !== undefined));
  return { texts: { ...found.texts, ...named }, notes: found.notes };
}

function describe({ outcome }: RegistryOutcome<Registered>, dryRun: boolean): readonly string[] {
  const { new: added, changed, unchanged } = outcome;
  const [location] = [...added, ...changed, ...unchanged];
  if (location === undefined) return [];
  const done = added.length > 0 ? 'added' : changed.length > 0 ? 'changed' : 'there already, and unchanged';
  return [
    `${locationName(location)} ${dryRun ? 'would be' : 'is'} ${done}: ${expectation(location)}.`,
    ...(outcome.ended === 0
      ? []
      : [`It is not active: \`npx hourglass locations activate ${location.city_id}\` has it begin again.`]),
  ];
}
