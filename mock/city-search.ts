/** Owns which of the mock's cities a request means: by id, by name, by postal code or by the nearest place. */
import type { MockCity } from './cities.ts';
import type { CityDirectory } from './city-directory.ts';
import {
  cityNotFoundReply,
  invalidIdReply,
  invalidZipReply,
  type MockReply,
  notACityIdReply,
  nothingToGeocodeReply,
  wrongLatitudeReply,
  wrongLongitudeReply,
} from './replies.ts';
import type { Coordinates } from './solar.ts';

export interface Refused {
  refusal: MockReply;
}

export interface FoundCity {
  city: MockCity;
  /** What the answer calls the place: the coordinates asked for, else the city's own. */
  coord: Coordinates;
}

export type CitySearch = (query: URLSearchParams) => FoundCity | Refused;

/** A search that answers `id`, `q`, `zip` or `lat` and `lon`, the first that is given. */
export function createCitySearch(directory: CityDirectory): CitySearch {
  return (query) => {
    const id = textOf(query, 'id');
    if (id !== undefined) return /^\d+$/.test(id) ? ofId(directory, id) : { refusal: notACityIdReply(id) };
    const q = textOf(query, 'q');
    if (q !== undefined) return found(directory.named(q)[0]);
    const zip = textOf(query, 'zip');
    if (zip !== undefined) return isZip(zip) ? found(directory.byZip(zip)) : { refusal: invalidZipReply };
    return nearestCity(query, directory);
  };
}

/** The city nearest to `lat` and `lon`, the only way some paths take. However far it is, its weather stands for the place. */
export function nearestCity(query: URLSearchParams, directory: CityDirectory): FoundCity | Refused {
  const coord = coordinatesOf(query);
  if ('refusal' in coord) return coord;
  return found(directory.nearest(coord, 1)[0]?.city, coord);
}

/** `lat` and `lon`, rounded to four decimals as the API gives them back. */
export function coordinatesOf(query: URLSearchParams): Coordinates | Refused {
  const [lat, lon] = [textOf(query, 'lat'), textOf(query, 'lon')];
  if (lat === undefined || lon === undefined) return { refusal: nothingToGeocodeReply };
  if (!isWithin(lat, 90)) return { refusal: wrongLatitudeReply };
  if (!isWithin(lon, 180)) return { refusal: wrongLongitudeReply };
  return { lat: tenThousandths(Number(lat)), lon: tenThousandths(Number(lon)) };
}

/** "94040" or "94040,us": what the API takes for a postal code. */
export function isZip(text: string): boolean {
  return /^[a-z0-9][a-z0-9 -]{0,11}(,\s*[a-z]{2})?$/i.test(text);
}

/** A parameter without the spaces around it; undefined when it is absent or empty. */
export function textOf(query: URLSearchParams, name: string): string | undefined {
  return query.get(name)?.trim() || undefined;
}

function ofId(directory: CityDirectory, id: string): FoundCity | Refused {
  return Number.isSafeInteger(Number(id)) ? found(directory.byId(Number(id))) : { refusal: invalidIdReply };
}

function found(city: MockCity | undefined, coord?: Coordinates): FoundCity | Refused {
  if (city === undefined) return { refusal: cityNotFoundReply };
  return { city, coord: coord ?? { lat: city.lat, lon: city.lon } };
}

function isWithin(text: string, limit: number): boolean {
  return Math.abs(Number(text)) <= limit;
}

/** Adding zero turns -0 into 0. */
function tenThousandths(value: number): number {
  return Math.round(value * 10_000) / 10_000 + 0;
}
