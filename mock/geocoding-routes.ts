/** Owns the mock's answers to `/geo/1.0`, the geocoder of its cities. https://openweathermap.org/api/geocoding-api */
import type { MockCity } from './cities.ts';
import { coordinatesOf, isZip, textOf } from './city-search.ts';
import { placeOf } from './places.ts';
import {
  invalidZipReply,
  jsonReply,
  type MockReply,
  notFoundReply,
  nothingToGeocodeReply,
} from './replies.ts';
import type { MockRequest, MockWorld } from './route.ts';

const mostPlaces = 5;
/** What is further away from every city is nowhere: the open sea has no name. */
const reachKm = 600;

/** The API takes any `limit`, and gives five at most. */
function limitOf(query: URLSearchParams): number {
  const limit = Number(textOf(query, 'limit') ?? mostPlaces);
  return Number.isInteger(limit) && limit >= 1 ? Math.min(limit, mostPlaces) : mostPlaces;
}

export function directGeocodingRoute({ query }: MockRequest, { directory }: MockWorld): MockReply {
  const q = textOf(query, 'q');
  if (q === undefined) return nothingToGeocodeReply;
  return jsonReply(directory.named(q).slice(0, limitOf(query)).map(geocodedPlace));
}

export function reverseGeocodingRoute({ query }: MockRequest, { directory }: MockWorld): MockReply {
  const place = coordinatesOf(query);
  if ('refusal' in place) return place.refusal;
  const near = directory.nearest(place, limitOf(query)).filter(({ distanceKm }) => distanceKm <= reachKm);
  return jsonReply(near.map(({ city }) => geocodedPlace(city)));
}

export function zipGeocodingRoute({ query }: MockRequest, { directory }: MockWorld): MockReply {
  const zip = textOf(query, 'zip');
  if (zip === undefined) return nothingToGeocodeReply;
  if (!isZip(zip)) return invalidZipReply;
  const city = directory.byZip(zip);
  if (city === undefined) return notFoundReply;
  const { name, lat, lon, country } = city;
  return jsonReply({ zip: zip.split(',')[0]?.trim(), name, lat, lon, country });
}

function geocodedPlace({ id, name, lat, lon, country }: MockCity): object {
  const { localNames, state } = placeOf(id);
  return {
    name,
    local_names: { en: name, ...localNames },
    lat,
    lon,
    country,
    ...(state && { state: state[1] }),
  };
}
