/** The input of the benches: the mock's weather of many invented cities, about six observations an hour each, in order of time. */
import { seedFile } from '../../clients/sql-files.ts';
import { loadCities, type MockCity } from '../../mock/cities.ts';
import { defaultStepSeconds, type MockWeather, weatherAt } from '../../mock/weather.ts';

export interface InputQuestion {
  readonly records: number;
  /** Unix seconds; no observation lies after it. */
  readonly endSeconds: number;
  readonly batchSize?: number;
}

const MOST_CITIES = 10_000;
/** Six hours at least, so that hours fill up and are left. */
const LEAST_OBSERVATIONS_PER_CITY = 36;
/** Above the ids of the real source. */
export const FIRST_ID = 1_000_000_000;
const SEED = 'bench';

export const citiesFor = (records: number): number =>
  Math.max(1, Math.min(MOST_CITIES, Math.floor(records / LEAST_OBSERVATIONS_PER_CITY)));

/** Each (city, time) once. The same question has the same answer. */
export function* inputBatches({
  records,
  endSeconds,
  batchSize = 1_500,
}: InputQuestion): Generator<MockWeather[]> {
  const cities = inventCities(citiesFor(records));
  const steps = Math.ceil(records / cities.length);
  const firstStep = Math.floor(endSeconds / defaultStepSeconds) - steps;
  let batch: MockWeather[] = [];
  for (let index = 0; index < records; index += 1) {
    const city = cities[index % cities.length] as MockCity;
    const atSeconds = (firstStep + Math.floor(index / cities.length)) * defaultStepSeconds;
    batch.push(weatherAt({ seed: SEED, city, atSeconds }));
    if (batch.length === batchSize) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** Around the cities of the registry's seed, within a degree. */
function inventCities(count: number): MockCity[] {
  const seeds = loadCities(seedFile('locations.csv'));
  return Array.from({ length: count }, (_, index) => {
    const seed = seeds[index % seeds.length] as MockCity;
    const ring = Math.floor(index / seeds.length);
    return {
      ...seed,
      id: FIRST_ID + index,
      name: `${seed.name} ${ring}`,
      lat: Number((seed.lat + Math.sin(ring)).toFixed(4)),
      lon: Number((seed.lon + Math.cos(ring)).toFixed(4)),
    };
  });
}
