/**
 * Owns the single truth of the mock: which observation a city has at a moment, as OpenWeatherMap's current-weather object in
 * metric units. From when it is served is `publication.ts`'s, other units and shapes are the routes'.
 */
import { type Atmosphere, atmosphereAt } from './atmosphere.ts';
import type { MockCity } from './cities.ts';
import { type Condition, conditionsOf } from './conditions.ts';
import { hashOf, hashOfText, unitOf } from './noise.ts';
import { isDaylight, sunTimes } from './solar.ts';
import { utcOffsetSeconds } from './time-zone.ts';

/** OpenWeatherMap calculates a city anew every ten minutes at most. */
export const defaultStepSeconds = 600;

/** `/data/2.5/weather` with `units=metric`. What did not happen is absent; sunrise and sunset are absent in polar day and night. */
export interface MockWeather {
  coord: { lon: number; lat: number };
  weather: Condition[];
  base: string;
  main: {
    temp: number;
    feels_like: number;
    temp_min: number;
    temp_max: number;
    pressure: number;
    humidity: number;
    sea_level: number;
    grnd_level: number;
  };
  visibility: number;
  wind: { speed: number; deg: number; gust?: number };
  clouds: { all: number };
  rain?: { '1h': number };
  snow?: { '1h': number };
  dt: number;
  sys: { type: number; id: number; country: string; sunrise?: number; sunset?: number };
  timezone: number;
  id: number;
  name: string;
  cod: number;
}

export interface WeatherQuestion {
  seed: string;
  city: MockCity;
  /** The moment of asking, Unix seconds; the answer's `dt` is the start of the city's step that contains it. */
  atSeconds: number;
  /** How often a city has a new observation; a positive whole number. */
  stepSeconds?: number;
}

/**
 * The observation a city has at a moment. Everything in it depends on the seed, the city and its `dt` alone: asked later for
 * the past, it answers what it answered then. Throws a RangeError for a step or a moment that is no number of seconds.
 */
export function weatherAt(question: WeatherQuestion): MockWeather {
  const { seed, city, atSeconds, stepSeconds = defaultStepSeconds } = question;
  const dt = stepStart({ seed, cityId: city.id, stepSeconds }, atSeconds);
  const seedHash = hashOfText(seed);
  const air = atmosphereAt({ seedHash, city, atSeconds: dt });
  const timezone = utcOffsetSeconds(city.timezone, dt);
  return {
    coord: { lon: city.lon, lat: city.lat },
    weather: conditionsOf(air, isDaylight(dt, city)),
    base: 'stations',
    main: mainOf(air, unitOf(seedHash, city.id, dt)),
    visibility: Math.round(air.visibilityM),
    wind: windOf(air),
    clouds: { all: Math.round(air.cloudPercent) },
    ...(air.rainMmPerHour > 0 && { rain: { '1h': hundredths(air.rainMmPerHour) } }),
    ...(air.snowMmPerHour > 0 && { snow: { '1h': hundredths(air.snowMmPerHour) } }),
    dt,
    sys: {
      type: 2,
      id: 2_000_000 + (hashOf(city.id) % 99_999),
      country: city.country,
      ...sunTimes(dt, city, timezone),
    },
    timezone,
    id: city.id,
    name: city.name,
    cod: 200,
  };
}

/** `spread` in [0, 1): how far the temperatures of the city's quarters lie apart at the moment. */
function mainOf(air: Atmosphere, spread: number): MockWeather['main'] {
  const temp = hundredths(air.temperatureC);
  return {
    temp,
    feels_like: hundredths(feelsLikeC(air)),
    temp_min: hundredths(temp - 1.6 * spread),
    temp_max: hundredths(temp + 1.6 * (1 - spread)),
    pressure: Math.round(air.seaLevelPressureHpa),
    humidity: Math.round(air.humidityPercent),
    sea_level: Math.round(air.seaLevelPressureHpa),
    grnd_level: Math.round(air.groundPressureHpa),
  };
}

function windOf({ windSpeedMs, windDegrees, gustMs }: Atmosphere): MockWeather['wind'] {
  const wind = { speed: hundredths(windSpeedMs), deg: Math.round(windDegrees) % 360 };
  return gustMs === undefined ? wind : { ...wind, gust: hundredths(gustMs) };
}

/** Steadman's apparent temperature without radiation, as the Australian Bureau of Meteorology uses it. http://www.bom.gov.au/info/thermal_stress/ */
function feelsLikeC({ temperatureC, humidityPercent, windSpeedMs }: Atmosphere): number {
  const vapourPressureHpa =
    (humidityPercent / 100) * 6.105 * Math.exp((17.27 * temperatureC) / (237.7 + temperatureC));
  return temperatureC + 0.33 * vapourPressureHpa - 0.7 * windSpeedMs - 4;
}

/** Rounded to two decimals, as the API gives numbers. Adding zero turns -0 into 0, which JSON could not tell apart but a comparison does. */
export function hundredths(value: number): number {
  return Math.round(value * 100) / 100 + 0;
}

export interface Steps {
  seed: string;
  cityId: number;
  stepSeconds: number;
}

/** Throws a RangeError for a step that is no whole number of seconds. */
export function checkStepSeconds(stepSeconds: number): void {
  if (Number.isSafeInteger(stepSeconds) && stepSeconds >= 1) return;
  throw new RangeError(`stepSeconds is ${stepSeconds}, expected a whole number of seconds, at least 1.`);
}

/**
 * The start of the city's step that contains the moment, the last `dt` at or before it. Each city begins its step at an own
 * second, so that in every minute some city has news, as in the real API. Throws what {@link weatherAt} throws.
 */
export function stepStart({ seed, cityId, stepSeconds }: Steps, atSeconds: number): number {
  checkStepSeconds(stepSeconds);
  if (!Number.isFinite(atSeconds)) throw new RangeError(`The moment ${atSeconds} is no number of seconds.`);
  const offset = hashOf(hashOfText(seed), cityId) % stepSeconds;
  return Math.floor((atSeconds - offset) / stepSeconds) * stepSeconds + offset;
}

export interface ObservationTimesQuestion {
  seed: string;
  cityId: number;
  fromSeconds: number;
  toSeconds: number;
  stepSeconds?: number;
}

/** Every `dt` of a city in [from, to), ascending. Throws what {@link weatherAt} throws. */
export function observationTimesBetween(question: ObservationTimesQuestion): number[] {
  const { seed, cityId, fromSeconds, toSeconds, stepSeconds = defaultStepSeconds } = question;
  const steps = { seed, cityId, stepSeconds };
  const last = stepStart(steps, toSeconds);
  const times: number[] = [];
  for (let dt = stepStart(steps, fromSeconds); dt <= last; dt += stepSeconds) {
    if (dt >= fromSeconds && dt < toSeconds) times.push(dt);
  }
  return times;
}
