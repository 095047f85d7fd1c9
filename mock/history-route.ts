/** Owns the mock's answer to `/data/2.5/history/city`. https://openweathermap.org/history */
import type { MockCity } from './cities.ts';
import { textOf } from './city-search.ts';
import { countOf, secondsOf } from './parameters.ts';
import { type Presentation, presentationOf } from './presentation.ts';
import { newestObservationTime, observationTimeOfHour } from './publication.ts';
import { jsonReply, type MockReply, wrongParameterReply } from './replies.ts';
import type { MockRequest, MockWorld } from './route.ts';
import { weatherAt } from './weather.ts';

const hourSeconds = 3_600;
const daySeconds = 86_400;
/** More than a week is answered with its first week, as the API does. */
const weekSeconds = 7 * daySeconds;
const mostRows = 169;

/**
 * One observation an hour, each with the time and the figures with which `/data/2.5/weather` served it or would have: their
 * times are the city's own and not whole hours. What is not published yet is not history.
 */
export function historyRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = world.searchCity(query);
  if ('refusal' in search) return search.refusal;
  const type = textOf(query, 'type') ?? 'hour';
  if (type !== 'hour') return wrongParameterReply('type');
  const range = rangeOf(query, Math.floor(nowMs / 1000));
  if ('refusal' in range) return range.refusal;
  const { city } = search;
  const presentation = presentationOf(query);
  const list = observationTimesOf(city, range, nowMs, world)
    .slice(0, range.count)
    .map((dt) => rowOf(city, dt, world, presentation));
  return jsonReply({
    message: `Count: ${list.length}`,
    cod: '200',
    city_id: city.id,
    calctime: 0.0042,
    cnt: list.length,
    list,
  });
}

interface HistoryRange {
  start: number;
  /** Inclusive. */
  end: number;
  count: number;
}

/** Without an end the range holds `cnt` hours or a day, without a start it ends with its end or now. */
function rangeOf(query: URLSearchParams, nowSeconds: number): HistoryRange | { refusal: MockReply } {
  const [start, end] = [secondsOf(query, 'start'), secondsOf(query, 'end')];
  const count = countOf(query, { byDefault: mostRows, most: mostRows, above: 'cut' });
  if (typeof start === 'object') return start;
  if (typeof end === 'object') return end;
  if (typeof count === 'object') return count;
  const length = query.has('cnt') ? count * hourSeconds : daySeconds;
  const from = start ?? (end ?? nowSeconds) - length;
  return { start: from, end: Math.min(end ?? from + length - 1, from + weekSeconds), count };
}

function observationTimesOf(
  city: MockCity,
  { start, end }: HistoryRange,
  nowMs: number,
  { seed, stepSeconds }: MockWorld,
): number[] {
  const question = { seed, cityId: city.id, stepSeconds };
  const newest = newestObservationTime({ ...question, atSeconds: nowMs / 1000 });
  const last = Math.min(end, newest);
  const times: number[] = [];
  for (let hour = Math.floor(start / hourSeconds) * hourSeconds; hour <= last; hour += hourSeconds) {
    const dt = observationTimeOfHour(question, hour);
    if (dt !== undefined && dt >= start && dt <= last) times.push(dt);
  }
  return times;
}

function rowOf(
  city: MockCity,
  dt: number,
  { seed, stepSeconds }: MockWorld,
  { dressed }: Presentation,
): object {
  const weather = dressed(weatherAt({ seed, city, atSeconds: dt, stepSeconds }));
  const { main, wind, clouds, rain, snow } = weather;
  return { dt, main, wind, clouds, weather: weather.weather, ...(rain && { rain }), ...(snow && { snow }) };
}
