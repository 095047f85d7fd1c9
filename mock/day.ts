/** Owns a civil day of a city as the forecasts and summaries see it: the hours of the day, gathered. */
import type { MockCity } from './cities.ts';
import type { Condition } from './conditions.ts';
import { momentWeather } from './moments.ts';
import { type Fallen, fallenIn } from './precipitation.ts';
import type { MockWorld } from './route.ts';
import { type SunTimes, sunTimes } from './solar.ts';
import { utcOffsetSeconds } from './time-zone.ts';
import type { MockWeather } from './weather.ts';

const hourSeconds = 3_600;
const daySeconds = 86_400;

type PartOfDay = 'morn' | 'day' | 'eve' | 'night';

/** The hours of the day that stand for its parts. https://openweathermap.org/api/one-call-3#history_daily_aggregation_parameter */
const hourOf: Readonly<Record<PartOfDay, number>> = { morn: 6, day: 12, eve: 18, night: 0 };

export interface MockDay {
  /** Midnight, Unix seconds. */
  start: number;
  noon: MockWeather;
  sun: SunTimes | undefined;
  /** The 24 hours. */
  hours: readonly MockWeather[];
  partOf(part: PartOfDay): MockWeather;
  coldest: MockWeather;
  warmest: MockWeather;
  windiest: MockWeather;
  fallen: Fallen;
  /** What the day is called: what falls when it falls much, else the noon's; with the icons of the day. */
  conditions: Condition[];
}

/** Midnight of the civil day that contains the moment, by the offset of that moment. */
export function midnightBefore(atSeconds: number, offsetSeconds: number): number {
  return Math.floor((atSeconds + offsetSeconds) / daySeconds) * daySeconds - offsetSeconds;
}

/** The day that contains the moment. Two days of the year have 23 or 25 hours; the mock gives each of them 24. */
export function dayOf(
  city: MockCity,
  atSeconds: number,
  world: Pick<MockWorld, 'seed'>,
  offsetSeconds = utcOffsetSeconds(city.timezone, atSeconds),
): MockDay {
  const start = midnightBefore(atSeconds, offsetSeconds);
  const hours = Array.from({ length: 24 }, (_, hour) =>
    momentWeather(city, start + hour * hourSeconds, world),
  );
  const partOf = (part: PartOfDay) => hours[hourOf[part]] as MockWeather;
  const most = (value: (hour: MockWeather) => number) =>
    hours.reduce((best, hour) => (value(hour) > value(best) ? hour : best));
  const fallen = fallenIn(hours);
  const wettest = most(({ rain, snow }) => (rain?.['1h'] ?? 0) + (snow?.['1h'] ?? 0));
  const noon = partOf('day');
  return {
    start,
    noon,
    sun: sunTimes(noon.dt, city, offsetSeconds),
    hours,
    partOf,
    coldest: most(({ main }) => -main.temp),
    warmest: most(({ main }) => main.temp),
    windiest: most(({ wind }) => wind.gust ?? wind.speed),
    fallen,
    conditions: inDaylight((fallen.rainMm + fallen.snowMm >= 0.5 ? wettest : noon).weather),
  };
}

/** The days from the one that contains the moment on. */
export function daysFrom(
  city: MockCity,
  atSeconds: number,
  count: number,
  world: Pick<MockWorld, 'seed'>,
): MockDay[] {
  const offsetSeconds = utcOffsetSeconds(city.timezone, atSeconds);
  const noon = midnightBefore(atSeconds, offsetSeconds) + daySeconds / 2;
  // From noon to noon: a clock that is put forward or back between leads to no other day.
  return Array.from({ length: count }, (_, index) => dayOf(city, noon + index * daySeconds, world));
}

function inDaylight(conditions: readonly Condition[]): Condition[] {
  return conditions.map((condition) => ({ ...condition, icon: condition.icon.replace('n', 'd') }));
}
