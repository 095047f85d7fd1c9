/** Owns the two ways in which routes ask for weather: what is served at present, and what is, was or will be at a moment. */
import type { MockCity } from './cities.ts';
import { newestObservationTime } from './publication.ts';
import type { MockWorld } from './route.ts';
import { type MockWeather, weatherAt } from './weather.ts';

type Seeded = Pick<MockWorld, 'seed' | 'stepSeconds'>;

/** The newest observation that is published. */
export function presentWeather(city: MockCity, nowMs: number, { seed, stepSeconds }: Seeded): MockWeather {
  const published = newestObservationTime({ seed, cityId: city.id, atSeconds: nowMs / 1000, stepSeconds });
  return weatherAt({ seed, city, atSeconds: published, stepSeconds });
}

/** The weather of exactly this second, with the second as its `dt`. A forecast is what will happen: the mock knows it. */
export function momentWeather(
  city: MockCity,
  atSeconds: number,
  { seed }: Pick<Seeded, 'seed'>,
): MockWeather {
  return weatherAt({ seed, city, atSeconds, stepSeconds: 1 });
}
