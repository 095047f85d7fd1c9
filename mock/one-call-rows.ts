/** Owns the rows of One Call, which tell an observation flat. https://openweathermap.org/api/one-call-3 */
import { dayTemperatures, fallenFields } from './daily-forecast-route.ts';
import type { MockDay } from './day.ts';
import { dewPointC, ultravioletIndex } from './derived-figures.ts';
import { moonPhase, moonTimes } from './moon.ts';
import { probabilityOf } from './precipitation.ts';
import type { Presentation } from './presentation.ts';
import { hundredths, type MockWeather } from './weather.ts';

/** What every row of a moment has; `truth` is in metric units. */
function figuresOf(truth: MockWeather, { units, dressed }: Presentation) {
  const { main, clouds, visibility, wind } = dressed(truth);
  return {
    temp: main.temp,
    feels_like: main.feels_like,
    pressure: main.pressure,
    humidity: main.humidity,
    dew_point: units.temperatureOf(dewPointC(truth)),
    uvi: ultravioletIndex(truth),
    clouds: clouds.all,
    visibility,
    wind_speed: wind.speed,
    wind_deg: wind.deg,
    ...(wind.gust !== undefined && { wind_gust: wind.gust }),
  };
}

/** `current`, and the row of the time machine. */
export function momentRow(truth: MockWeather, presentation: Presentation) {
  const { dt, sys, rain, snow } = truth;
  const { sunrise, sunset } = sys;
  return {
    dt,
    ...(sunrise !== undefined && sunset !== undefined && { sunrise, sunset }),
    ...figuresOf(truth, presentation),
    weather: presentation.described(truth.weather),
    ...(rain && { rain }),
    ...(snow && { snow }),
  };
}

export function hourRow(truth: MockWeather, presentation: Presentation) {
  const { dt, rain, snow, clouds } = truth;
  const fallen = { rainMm: rain?.['1h'] ?? 0, snowMm: snow?.['1h'] ?? 0 };
  return {
    dt,
    ...figuresOf(truth, presentation),
    weather: presentation.described(truth.weather),
    pop: probabilityOf(fallen, clouds.all),
    ...(rain && { rain }),
    ...(snow && { snow }),
  };
}

export function dayRow(day: MockDay, presentation: Presentation) {
  const { units, described } = presentation;
  const { noon, start, windiest, fallen, conditions } = day;
  const { gust } = windiest.wind;
  return {
    dt: noon.dt,
    ...day.sun,
    ...moonTimes(start),
    moon_phase: hundredths(moonPhase(noon.dt)) % 1,
    summary: `Expect a day of ${conditions.map(({ description }) => description).join(' and ')}`,
    ...dayTemperatures(day, presentation),
    pressure: noon.main.pressure,
    humidity: noon.main.humidity,
    dew_point: units.temperatureOf(dewPointC(noon)),
    wind_speed: units.speedOf(windiest.wind.speed),
    wind_deg: windiest.wind.deg,
    ...(gust !== undefined && { wind_gust: units.speedOf(gust) }),
    weather: described(conditions),
    clouds: noon.clouds.all,
    pop: probabilityOf(fallen, noon.clouds.all),
    ...fallenFields(day),
    uvi: Math.max(...day.hours.map(ultravioletIndex)),
  };
}
