/** The tables as they must be, computed from the mock's function alone: none of the product's SQL or code is used. */
import type { MockWeather } from '../../mock/weather.ts';

/** A row of `observations`, but for where its record was and when it was stored. bigints are text, as the driver gives them. */
export function rowOfTruth(weather: MockWeather): Record<string, unknown> {
  const [primary] = weather.weather;
  if (primary === undefined) throw new Error('the mock always gives a condition');
  return {
    city_id: String(weather.id),
    observed_at: new Date(weather.dt * 1_000),
    city_name: weather.name,
    country: weather.sys.country,
    lon: weather.coord.lon,
    lat: weather.coord.lat,
    temp: weather.main.temp,
    feels_like: weather.main.feels_like,
    temp_min: weather.main.temp_min,
    temp_max: weather.main.temp_max,
    pressure: weather.main.pressure,
    pressure_sea_level: weather.main.sea_level,
    pressure_ground_level: weather.main.grnd_level,
    humidity: weather.main.humidity,
    visibility: weather.visibility,
    wind_speed: weather.wind.speed,
    wind_direction: weather.wind.deg,
    wind_gust: weather.wind.gust ?? null,
    clouds: weather.clouds.all,
    rain_1h: weather.rain?.['1h'] ?? null,
    snow_1h: weather.snow?.['1h'] ?? null,
    condition_id: primary.id,
    condition: primary.main,
    condition_description: primary.description,
    condition_icon: primary.icon,
    conditions: weather.weather,
    rejected_values: null,
    revision: 0,
  };
}

export interface HourOfTruth {
  readonly city_id: number;
  readonly window_start: Date;
  readonly window_end: Date;
  readonly observation_count: number;
  readonly first_observed_at: Date;
  readonly last_observed_at: Date;
  readonly origin: string;
  readonly [figure: string]: unknown;
}

const HOUR_SECONDS = 3_600;

/** Rows of `weather_hourly`, by city and hour. */
export function hoursOfTruth(observations: readonly MockWeather[]): HourOfTruth[] {
  const groups = new Map<string, MockWeather[]>();
  for (const weather of observations) {
    const key = `${weather.id}/${Math.floor(weather.dt / HOUR_SECONDS)}`;
    groups.set(key, [...(groups.get(key) ?? []), weather]);
  }
  const hours = [...groups.values()].map((group): HourOfTruth => {
    const [first] = group as [MockWeather];
    const start = Math.floor(first.dt / HOUR_SECONDS) * HOUR_SECONDS;
    const times = group.map(({ dt }) => dt);
    return {
      city_id: first.id,
      window_start: new Date(start * 1_000),
      window_end: new Date((start + HOUR_SECONDS) * 1_000),
      observation_count: group.length,
      ...figures(
        'temp',
        group.map(({ main }) => main.temp),
      ),
      ...figures(
        'humidity',
        group.map(({ main }) => main.humidity),
      ),
      ...figures(
        'pressure',
        group.map(({ main }) => main.pressure),
      ),
      ...figures(
        'wind',
        group.map(({ wind }) => wind.speed),
      ),
      ...figures(
        'clouds',
        group.map(({ clouds }) => clouds.all),
      ),
      gust_max: largest(group.flatMap(({ wind }) => wind.gust ?? [])),
      rain_mm: meanRate(group.map(({ rain }) => rain?.['1h'])),
      snow_mm: meanRate(group.map(({ snow }) => snow?.['1h'])),
      first_observed_at: new Date(Math.min(...times) * 1_000),
      last_observed_at: new Date(Math.max(...times) * 1_000),
      origin: 'stream',
    };
  });
  return hours.sort((a, b) => a.city_id - b.city_id || a.window_start.getTime() - b.window_start.getTime());
}

function figures(name: string, values: readonly number[]): Record<string, number> {
  return {
    [`${name}_avg`]: values.reduce((sum, value) => sum + value, 0) / values.length,
    [`${name}_min`]: Math.min(...values),
    [`${name}_max`]: Math.max(...values),
  };
}

const largest = (values: readonly number[]): number | null =>
  values.length === 0 ? null : Math.max(...values);

function meanRate(rates: readonly (number | undefined)[]): number | null {
  const given = rates.filter((rate) => rate !== undefined);
  return given.length === 0 ? null : given.reduce((sum, rate) => sum + rate, 0) / rates.length;
}
