/** Owns which of the mock's cities a request means: by id, by name or by the nearest place. */
import type { MockCity } from './cities.ts';
import {
  cityNotFoundReply,
  type MockReply,
  notACityIdReply,
  nothingToGeocodeReply,
  wrongLatitudeReply,
  wrongLongitudeReply,
} from './replies.ts';

export type CitySearch = (query: URLSearchParams) => { city: MockCity } | { refusal: MockReply };

/** A search over these cities that answers `id`, `q` ("City" or "City,CC") or `lat` and `lon`, the first that is given. */
export function createCitySearch(cities: readonly MockCity[]): CitySearch {
  const byId = new Map(cities.map((city) => [city.id, city]));
  const byName = new Map<string, MockCity>();
  for (const city of cities) {
    // The first of two namesakes keeps the bare name, as the bigger place does in the API.
    for (const name of [city.name, `${city.name},${city.country}`]) {
      if (!byName.has(foldedName(name))) byName.set(foldedName(name), city);
    }
  }
  const found = (city: MockCity | undefined) =>
    city === undefined ? { refusal: cityNotFoundReply } : { city };

  return (query) => {
    const [id, q, lat, lon] = ['id', 'q', 'lat', 'lon'].map((name) => query.get(name)?.trim() || undefined);
    if (id !== undefined)
      return /^\d+$/.test(id) ? found(byId.get(Number(id))) : { refusal: notACityIdReply(id) };
    if (q !== undefined) return found(byName.get(foldedName(q)));
    if (lat === undefined || lon === undefined) return { refusal: nothingToGeocodeReply };
    if (!isWithin(lat, 90)) return { refusal: wrongLatitudeReply };
    if (!isWithin(lon, 180)) return { refusal: wrongLongitudeReply };
    return found(nearestCity(cities, Number(lat), Number(lon)));
  };
}

/** Without case, accents and the spaces around commas: the API finds "Sao paulo, br" too. */
function foldedName(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .replace(/ø/gi, 'o')
    .replace(/\s*,\s*/g, ',')
    .toLowerCase();
}

function isWithin(text: string, limit: number): boolean {
  return Math.abs(Number(text)) <= limit;
}

function nearestCity(cities: readonly MockCity[], lat: number, lon: number): MockCity | undefined {
  let nearest: MockCity | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const city of cities) {
    const distance = centralAngle(city, { lat, lon });
    if (distance < least) [nearest, least] = [city, distance];
  }
  return nearest;
}

/** The great-circle distance in radians, by the haversine formula. */
function centralAngle(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const radians = Math.PI / 180;
  const halfLat = Math.sin(((b.lat - a.lat) * radians) / 2);
  const halfLon = Math.sin(((b.lon - a.lon) * radians) / 2);
  const haversine = halfLat ** 2 + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * halfLon ** 2;
  return 2 * Math.asin(Math.min(1, Math.sqrt(haversine)));
}
