/** Owns the conversion of the mock's metric weather into the other systems of OpenWeatherMap. */
import { hundredths, type MockWeather } from './weather.ts';

export type Units = 'standard' | 'metric' | 'imperial';

interface UnitSystem {
  temperatureOf: (celsius: number) => number;
  speedOf: (metresPerSecond: number) => number;
}

/** Pressure, visibility and precipitation are hPa, metres and millimetres in every system. https://openweathermap.org/weather-data */
const systems: Readonly<Record<Units, UnitSystem>> = {
  standard: { temperatureOf: (celsius) => celsius + 273.15, speedOf: (speed) => speed },
  metric: { temperatureOf: (celsius) => celsius, speedOf: (speed) => speed },
  imperial: { temperatureOf: (celsius) => celsius * 1.8 + 32, speedOf: (speed) => speed * 2.236936 },
};

/** The `units` parameter as OpenWeatherMap reads it: absent or unknown means standard (kelvin). */
export function unitsOf(parameter: string | null): Units {
  return parameter === 'metric' || parameter === 'imperial' ? parameter : 'standard';
}

/** A copy of the weather in another system, rounded to two decimals. */
export function inUnits(weather: MockWeather, units: Units): MockWeather {
  const { temperatureOf, speedOf } = systems[units];
  const { main, wind } = weather;
  return {
    ...weather,
    main: {
      ...main,
      temp: hundredths(temperatureOf(main.temp)),
      feels_like: hundredths(temperatureOf(main.feels_like)),
      temp_min: hundredths(temperatureOf(main.temp_min)),
      temp_max: hundredths(temperatureOf(main.temp_max)),
    },
    wind: {
      ...wind,
      speed: hundredths(speedOf(wind.speed)),
      ...(wind.gust !== undefined && { gust: hundredths(speedOf(wind.gust)) }),
    },
  };
}
