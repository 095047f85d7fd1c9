/** Owns the mock's answers to `/data/2.5/air_pollution` and its paths. They carry no `cod`. */
import { airQualityAt } from './air.ts';
import { type FoundCity, nearestCity } from './city-search.ts';
import { requiredSecondsOf } from './parameters.ts';
import { jsonReply, type MockReply } from './replies.ts';
import type { MockRequest, MockWorld } from './route.ts';

const hourSeconds = 3_600;
const forecastHours = 96;
/** 27 November 2020: there is nothing from before. */
const archiveStart = 1_606_435_200;
/** More than a year is answered with its first year. */
const mostRows = 366 * 24;

export function airPollutionRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = nearestCity(query, world.directory);
  if ('refusal' in search) return search.refusal;
  return hourlyReply(search, wholeHour(nowMs / 1000), 1, world);
}

export function airPollutionForecastRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = nearestCity(query, world.directory);
  if ('refusal' in search) return search.refusal;
  return hourlyReply(search, wholeHour(nowMs / 1000), forecastHours, world);
}

/** The whole hours from `start` to `end`, as far as they have come and reach back. */
export function airPollutionHistoryRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = nearestCity(query, world.directory);
  if ('refusal' in search) return search.refusal;
  const [start, end] = [requiredSecondsOf(query, 'start'), requiredSecondsOf(query, 'end')];
  if (typeof start === 'object') return start.refusal;
  if (typeof end === 'object') return end.refusal;
  const first = Math.ceil(Math.max(start, archiveStart) / hourSeconds) * hourSeconds;
  const last = wholeHour(Math.min(end, nowMs / 1000));
  const count = Math.max(0, (last - first) / hourSeconds + 1);
  return hourlyReply(search, first, Math.min(count, mostRows), world);
}

function wholeHour(atSeconds: number): number {
  return Math.floor(atSeconds / hourSeconds) * hourSeconds;
}

function hourlyReply(
  { city, coord }: FoundCity,
  first: number,
  count: number,
  { seed }: MockWorld,
): MockReply {
  const list = Array.from({ length: count }, (_, index) =>
    airQualityAt({ seed, city, atSeconds: first + index * hourSeconds }),
  );
  return jsonReply({ coord: { lon: coord.lon, lat: coord.lat }, list });
}
