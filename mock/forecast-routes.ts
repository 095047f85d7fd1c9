/**
 * Owns the mock's answers to `/data/2.5/forecast` and `/data/2.5/forecast/hourly`: what the weather will be, every three hours
 * or every hour. https://openweathermap.org/forecast5
 */
import type { FoundCity } from './city-search.ts';
import { type ForecastStep, forecastXml } from './forecast-xml.ts';
import { momentText } from './moment-text.ts';
import { momentWeather } from './moments.ts';
import { countOf } from './parameters.ts';
import { placeOf } from './places.ts';
import { fallenBefore, probabilityOf } from './precipitation.ts';
import { type Presentation, presentationOf } from './presentation.ts';
import { jsonReply, type MockReply, xmlReply } from './replies.ts';
import type { MockRequest, MockWorld, Route } from './route.ts';
import { isDaylight, sunTimes } from './solar.ts';
import { utcOffsetSeconds } from './time-zone.ts';

export const forecastRoute: Route = (request, world) => forecast(request, world, { hours: 3, rows: 40 });
export const hourlyForecastRoute: Route = (request, world) =>
  forecast(request, world, { hours: 1, rows: 96 });

/** How many hours lie between two rows, and how many rows there are. */
interface Spacing {
  hours: 1 | 3;
  rows: number;
}

function forecast({ query, nowMs }: MockRequest, world: MockWorld, spacing: Spacing): MockReply {
  const search = world.searchCity(query);
  if ('refusal' in search) return search.refusal;
  const count = countOf(query, { byDefault: spacing.rows, most: spacing.rows, above: 'cut' });
  if (typeof count === 'object') return count.refusal;
  const stepSeconds = spacing.hours * 3_600;
  const first = (Math.floor(nowMs / 1000 / stepSeconds) + 1) * stepSeconds;
  const presentation = presentationOf(query);
  const list = Array.from({ length: count }, (_, index) =>
    rowOf(search, first + index * stepSeconds, spacing.hours, world, presentation),
  );
  const city = forecastCity(search, nowMs);
  if (query.get('mode')?.toLowerCase() === 'xml') {
    return xmlReply(forecastXml({ city, list, stepSeconds, units: presentation.units }));
  }
  return jsonReply({ cod: '200', message: 0, cnt: list.length, list, city });
}

function rowOf(
  { city }: FoundCity,
  atSeconds: number,
  hours: 1 | 3,
  world: MockWorld,
  { dressed }: Presentation,
): ForecastStep {
  const truth = momentWeather(city, atSeconds, world);
  const fallen = fallenBefore(truth, hours, city, world);
  const { dt, main, weather, clouds, wind, visibility } = dressed(truth);
  const { temp, feels_like, temp_min, temp_max, pressure, humidity, sea_level, grnd_level } = main;
  return {
    dt,
    main: { temp, feels_like, temp_min, temp_max, pressure, sea_level, grnd_level, humidity, temp_kf: 0 },
    weather,
    clouds,
    wind,
    visibility,
    pop: probabilityOf(fallen, clouds.all),
    ...(fallen.rainMm > 0 && { rain: { [`${hours}h`]: fallen.rainMm } }),
    ...(fallen.snowMm > 0 && { snow: { [`${hours}h`]: fallen.snowMm } }),
    sys: { pod: isDaylight(dt, city) ? 'd' : 'n' },
    dt_txt: momentText(dt),
  };
}

export interface ForecastCity {
  id: number;
  name: string;
  coord: { lat: number; lon: number };
  country: string;
  population: number;
  timezone: number;
  sunrise?: number;
  sunset?: number;
}

/** The city at the end of a forecast, with today's sun. */
export function forecastCity({ city, coord }: FoundCity, nowMs: number): ForecastCity {
  const atSeconds = Math.floor(nowMs / 1000);
  const timezone = utcOffsetSeconds(city.timezone, atSeconds);
  return {
    id: city.id,
    name: city.name,
    coord,
    country: city.country,
    population: placeOf(city.id).population,
    timezone,
    ...sunTimes(atSeconds, city, timezone),
  };
}
