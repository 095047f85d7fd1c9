/** Owns the mock's answer to `/data/2.5/weather`. */
import { jsonReply, type MockReply } from './replies.ts';
import type { MockRequest, MockWorld } from './route.ts';
import { inUnits, unitsOf } from './units.ts';
import { weatherAt } from './weather.ts';

export function currentWeatherRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = world.searchCity(query);
  if ('refusal' in search) return search.refusal;
  const { seed, stepSeconds, servedLog } = world;
  const weather = weatherAt({ seed, city: search.city, atSeconds: Math.floor(nowMs / 1000), stepSeconds });
  servedLog.record({ cityId: weather.id, dt: weather.dt, servedAtMs: nowMs });
  return jsonReply(inUnits(weather, unitsOf(query.get('units'))));
}
