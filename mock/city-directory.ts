/** Owns finding the mock's cities: by id, by name, by postal code and by place. What a request asks for is `city-search.ts`'s. */
import type { MockCity } from './cities.ts';
import { placeOf } from './places.ts';
import type { Coordinates } from './solar.ts';

export interface CityDirectory {
  byId(id: number): MockCity | undefined;
  /**
   * Every city that "City", "City,CC", "City,State" or "City,State,CC" can mean, the one that comes first in the registry
   * first. Case, accents and points do not matter.
   */
  named(text: string): readonly MockCity[];
  /** Every city whose name begins so. */
  beginningWith(text: string): readonly MockCity[];
  /** The city of "code" (in the United States) or "code,CC". */
  byZip(text: string): MockCity | undefined;
  /** At most this many cities with their distance in km, the nearest first. */
  nearest(place: Coordinates, count: number): readonly { city: MockCity; distanceKm: number }[];
}

export function createCityDirectory(cities: readonly MockCity[]): CityDirectory {
  const byId = new Map(cities.map((city) => [city.id, city]));
  const byName = groupedBy(cities, ({ id, name }) =>
    [name, ...Object.values(placeOf(id).localNames ?? {})].map(folded),
  );
  const byZip = groupedBy(cities, ({ id, country }) =>
    placeOf(id).zips.map((zip) => `${folded(zip)},${folded(country)}`),
  );
  return {
    byId: (id) => byId.get(id),
    named(text) {
      const [name = '', ...regions] = partsOf(text);
      return (byName.get(name) ?? []).filter((city) => isIn(city, regions));
    },
    beginningWith(text) {
      const [beginning = '', ...regions] = partsOf(text);
      return cities.filter((city) => folded(city.name).startsWith(beginning) && isIn(city, regions));
    },
    byZip(text) {
      const [zip = '', country = 'us'] = partsOf(text);
      return byZip.get(`${zip},${country}`)?.[0];
    },
    nearest: (place, count) =>
      cities
        .map((city) => ({ city, distanceKm: distanceKm(city, place) }))
        .sort((a, b) => a.distanceKm - b.distanceKm)
        .slice(0, count),
  };
}

function groupedBy(cities: readonly MockCity[], keysOf: (city: MockCity) => readonly string[]) {
  const groups = new Map<string, MockCity[]>();
  for (const city of cities) {
    for (const key of new Set(keysOf(city))) groups.set(key, [...(groups.get(key) ?? []), city]);
  }
  return groups;
}

/** Without case, accents, points and apostrophes: the API finds "Sao paulo" too. */
function folded(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .replace(/ø/gi, 'o')
    .replace(/[.'’]/g, '')
    .trim()
    .toLowerCase();
}

/** The API's own examples write the United Kingdom so. */
const countryAliases: Readonly<Record<string, string>> = { uk: 'gb' };

function partsOf(text: string): string[] {
  const [name = '', ...regions] = text.split(',').map(folded);
  return [
    name,
    ...regions.filter((region) => region !== '').map((region) => countryAliases[region] ?? region),
  ];
}

/** Whether the city lies in "CC", in "State" or in "State,CC". A state is known in the United States alone, and believed elsewhere. */
function isIn({ id, country }: MockCity, [first, second]: readonly string[]): boolean {
  if (first === undefined) return true;
  const states = placeOf(id).state?.map(folded);
  if (second === undefined) return first === folded(country) || states?.includes(first) === true;
  return second === folded(country) && (states === undefined || states.includes(first));
}

const earthRadiusKm = 6_371;

/** The great-circle distance, by the haversine formula. */
function distanceKm(a: Coordinates, b: Coordinates): number {
  const radians = Math.PI / 180;
  const halfLat = Math.sin(((b.lat - a.lat) * radians) / 2);
  const halfLon = Math.sin(((b.lon - a.lon) * radians) / 2);
  const haversine = halfLat ** 2 + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * halfLon ** 2;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(haversine)));
}
