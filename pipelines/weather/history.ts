/**
 * Owns what is published of an observation of the past: the text of a current-weather document in metric units, whatever units
 * and shape it had. Where rows come from is left to `source.ts` and `file.ts`, what a record must have to `contract.ts`.
 */
import type { UnitSystem } from '../../schemas/backfill.ts';
import type { CurrentWeather, HistoryRow } from '../../schemas/openweathermap.ts';
import type { RegisteredLocation } from '../../schemas/pipeline.ts';

type Conversion = (value: number) => number;

const unchanged: Conversion = (value) => value;

/**
 * To °C and m/s. What is converted is rounded to two decimals, as many as the API gives: so a value that the API itself has
 * converted becomes again what it was. What is metric already is not rounded. Pressure, visibility and precipitation are hPa,
 * metres and millimetres in every system. https://openweathermap.org/weather-data
 */
const toMetric: Readonly<
  Record<UnitSystem, { readonly temperature: Conversion; readonly speed: Conversion }>
> = {
  standard: { temperature: (kelvin) => hundredths(kelvin - 273.15), speed: unchanged },
  metric: { temperature: unchanged, speed: unchanged },
  imperial: {
    temperature: (fahrenheit) => hundredths((fahrenheit - 32) / 1.8),
    // A mile is 1,609.344 m.
    speed: (milesPerHour) => hundredths(milesPerHour * 0.44704),
  },
};

/** Larger than any measurement: a value without decimals, which times 100 may no longer be a number. */
const wholeFrom = 1e12;

/** Adding zero turns -0 into 0. */
const hundredths: Conversion = (value) =>
  Math.abs(value) >= wholeFrom ? value : Math.round(value * 100) / 100 + 0;

/** Whose observation it is; what is not known is left out. */
export type Origin = Pick<CurrentWeather, 'id' | 'name' | 'coord' | 'sys'>;

export const originOf = ({ entityId, name, country, lat, lon }: RegisteredLocation): Origin => ({
  id: entityId,
  name,
  coord: { lon, lat },
  sys: { country },
});

/**
 * The same row always gives the same text: known fields alone, in a fixed order, without white space. Fields that the row does
 * not have, such as rain that did not fall, are left out.
 */
export function currentWeatherText(row: HistoryRow, origin: Origin, units: UnitSystem): string {
  const { temperature, speed } = toMetric[units];
  return JSON.stringify({
    id: origin.id,
    dt: row.dt,
    name: origin.name,
    coord: chosen(origin.coord, { lon: unchanged, lat: unchanged }),
    main: chosen(row.main, {
      temp: temperature,
      feels_like: temperature,
      temp_min: temperature,
      temp_max: temperature,
      pressure: unchanged,
      humidity: unchanged,
      sea_level: unchanged,
      grnd_level: unchanged,
    }),
    wind: chosen(row.wind, { speed, deg: unchanged, gust: speed }),
    clouds: chosen(row.clouds, { all: unchanged }),
    weather: row.weather?.map(({ id, main, description, icon }) => ({ id, main, description, icon })),
    rain: chosen(row.rain, precipitation),
    snow: chosen(row.snow, precipitation),
    sys: origin.sys?.country === undefined ? undefined : { country: origin.sys.country },
    visibility: row.visibility,
  });
}

const precipitation = { '1h': unchanged, '3h': unchanged };

/** The fields of a group that it has, in the order of the conversions; undefined when it has none. */
function chosen<Field extends string>(
  group: { readonly [Each in NoInfer<Field>]?: number | undefined } | undefined,
  conversions: Readonly<Record<Field, Conversion>>,
): Partial<Record<Field, number>> | undefined {
  if (group === undefined) return undefined;
  const result: Partial<Record<Field, number>> = {};
  let isEmpty = true;
  for (const field in conversions) {
    const value = group[field];
    if (value === undefined) continue;
    result[field] = conversions[field](value);
    isEmpty = false;
  }
  return isEmpty ? undefined : result;
}
