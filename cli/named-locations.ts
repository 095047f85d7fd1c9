/** Finds the locations that are named on the command line: by id, by name, or by name and country. */
import type { Queries } from '../clients/postgres.ts';
import { HourglassError } from '../domain/errors.ts';

export interface NamedLocation {
  readonly city_id: number;
  readonly name: string;
  readonly country: string;
}

/** Thrown for names that the registry does not have, or has more than once. Nothing was done. */
export class LocationNotChosenError extends HourglassError {}

/** In the registry of the pipeline, each once. @throws LocationNotChosenError for the first name that does not stand for one location */
export async function locationsNamed(
  database: Queries,
  pipeline: string,
  names: readonly string[],
): Promise<readonly NamedLocation[]> {
  const wanted = names.map((name) => ({ name, key: keyOf(name) }));
  const keys = wanted.map(({ key }) => key);
  const found = await database.query<NamedLocation>('locations-named', [keys], pipeline);
  const chosen = new Map<number, NamedLocation>();
  for (const { name, key } of wanted) {
    const location = only(
      name,
      found.filter((each) => isNamed(each, key)),
    );
    chosen.set(location.city_id, location);
  }
  return [...chosen.values()];
}

/** `Oslo, NO` and `oslo,no` are the same. */
const keyOf = (name: string): string => name.trim().toLowerCase().replace(/,\s+/g, ',');

const isNamed = ({ city_id, name, country }: NamedLocation, key: string): boolean =>
  [String(city_id), keyOf(name), keyOf(`${name},${country}`)].includes(key);

function only(name: string, found: readonly NamedLocation[]): NamedLocation {
  const [first, ...others] = found;
  if (first === undefined)
    throw new LocationNotChosenError(
      'LOCATION_UNKNOWN',
      `The registry has no location "${name}": \`npx hourglass locations list --all\` shows all that there are.`,
    );
  if (others.length > 0)
    throw new LocationNotChosenError(
      'LOCATION_AMBIGUOUS',
      `There are ${found.length} locations "${name}": ${found.map(locationText).join('; ')}. Give the id of one of them.`,
    );
  return first;
}

export const locationText = ({ city_id, name, country }: NamedLocation): string =>
  `${name}, ${country} (${city_id})`;
