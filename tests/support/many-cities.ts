/** A registry of many cities that only a test's own mock knows, beside the ones of the seed. */
import { seedFile } from '../../clients/sql-files.ts';
import { loadCities, type MockCity } from '../../mock/cities.ts';
import type { OwnStack } from './own-stack.ts';

const FIRST_ID = 90_000_001;

export const manyCities = (count: number): readonly MockCity[] =>
  Array.from({ length: count }, (_, index) => ({
    id: FIRST_ID + index,
    name: `Place ${index + 1}`,
    country: 'NO',
    lat: ((index * 7) % 120) - 60,
    lon: ((index * 13) % 360) - 180,
    timezone: 'UTC',
  }));

export const seedCities = (): readonly MockCity[] => loadCities(seedFile('locations.csv'));

/** Puts them into the registry, each polled in every minute, and polls the others as often. */
export async function watchEachMinute(stack: OwnStack, cities: readonly MockCity[]): Promise<void> {
  const rows = cities.map(
    ({ id, name, country, lat, lon, timezone }) =>
      `(${id}, '${name}', '${country}', ${lat}, ${lon}, '${timezone}', 1, 1)`,
  );
  if (rows.length > 0)
    await stack.sql(
      `insert into locations (city_id, name, country, lat, lon, timezone, cadence_minutes, min_observations_per_hour) values ${rows.join(', ')}`,
    );
  await stack.sql('update locations set cadence_minutes = 1');
}
