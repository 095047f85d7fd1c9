/** `hourglass locations list`: the registry, and what ingestion last had of each location. */
import { loadConfig } from '../../config/load.ts';
import type { RegisteredLocation } from '../../domain/locations.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { stretch } from '../job/format.ts';
import { renderTable } from '../table.ts';
import { withDatabase } from '../with-database.ts';

interface ListedLocation extends RegisteredLocation {
  readonly state: 'planned' | 'active' | 'ended';
  readonly polled_at: Date | null;
  readonly observed_at: Date | null;
}

export interface ListOptions {
  readonly all?: boolean;
  readonly country?: string;
  readonly search?: string;
  readonly json?: boolean;
}

export async function listLocations({ all = false, country, search, json }: ListOptions): Promise<void> {
  const now = new Date();
  const { WEATHER_SOURCE } = loadConfig().values;
  const locations = await withDatabase((database) =>
    database.query<ListedLocation>('list-locations', [
      weather.name,
      WEATHER_SOURCE,
      now,
      all,
      country?.toUpperCase() ?? null,
      search ?? null,
    ]),
  );
  if (json) console.log(JSON.stringify(locations, undefined, 2));
  else if (locations.length === 0)
    console.log(`There is no such location${all ? '' : ' that is active or planned'}.`);
  else console.log(`${table(locations, now)}\n\n${locations.length} locations`);
}

const table = (locations: readonly ListedLocation[], now: Date): string =>
  renderTable(
    [
      'City id',
      'Name',
      '',
      'State',
      'Every',
      'Least/h',
      'Last observation',
      'Polled',
      'From',
      'To',
      'Time zone',
    ],
    locations.map((location) => [
      String(location.city_id),
      location.name,
      location.country,
      location.state,
      `${location.cadence_minutes} min`,
      String(location.min_observations_per_hour),
      location.observed_at?.toISOString().slice(0, 16) ?? '–',
      location.polled_at === null ? 'never' : `${stretch(now.getTime() - location.polled_at.getTime())} ago`,
      minuteText(location.active_from),
      location.active_to === null ? '–' : minuteText(location.active_to),
      location.timezone,
    ]),
    process.stdout.columns,
  );

const minuteText = (time: Date): string => time.toISOString().slice(0, 16);
