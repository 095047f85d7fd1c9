/** Owns the mock's answer to `/data/2.5/find`: the cities of a name, or those around a place. */
import type { MockCity } from './cities.ts';
import { coordinatesOf, textOf } from './city-search.ts';
import { presentWeather } from './moments.ts';
import { countOf } from './parameters.ts';
import { presentationOf } from './presentation.ts';
import { badQueryReply, jsonReply, type MockReply } from './replies.ts';
import type { MockRequest, MockWorld } from './route.ts';

/** A name of fewer letters is no question to the API. */
const fewestLetters = 3;

export function findRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const count = countOf(query, { byDefault: 5, most: 50, above: 'cut' });
  if (typeof count === 'object') return count.refusal;
  const cities = citiesOf(query, count, world);
  if ('refusal' in cities) return cities.refusal;
  const { dressed } = presentationOf(query);
  const list = cities.slice(0, count).map((city) => {
    const { id, name, coord, main, dt, wind, sys, rain, snow, clouds, weather } = dressed(
      presentWeather(city, nowMs, world),
    );
    return {
      id,
      name,
      coord: { lat: coord.lat, lon: coord.lon },
      main,
      dt,
      wind,
      sys: { country: sys.country },
      ...(rain && { rain }),
      ...(snow && { snow }),
      clouds,
      weather,
    };
  });
  return jsonReply({ message: messageOf(query), cod: '200', count: list.length, list });
}

/** `type=like` finds the beginning of a name, anything else the name itself. */
function messageOf(query: URLSearchParams): 'like' | 'accurate' {
  return query.get('type') === 'like' ? 'like' : 'accurate';
}

function citiesOf(
  query: URLSearchParams,
  count: number,
  { directory }: MockWorld,
): readonly MockCity[] | { refusal: MockReply } {
  const q = textOf(query, 'q');
  if (q !== undefined) {
    if (q.length < fewestLetters) return { refusal: badQueryReply };
    return messageOf(query) === 'like' ? directory.beginningWith(q) : directory.named(q);
  }
  const place = coordinatesOf(query);
  if ('refusal' in place) return place;
  return directory.nearest(place, count).map(({ city }) => city);
}
