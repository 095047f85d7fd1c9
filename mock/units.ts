/** Owns the conversion of the mock's metric weather into the other systems of OpenWeatherMap. */
import { hundredths, type MockWeather } from './weather.ts';

export type Units = 'standard' | 'metric' | 'imperial';

export interface UnitSystem {
  name: Units;
  /** As the XML answers call it. */
  temperatureUnit: string;
  speedUnit: string;
  /** From °C, rounded to two decimals. */
  temperatureOf: (celsius: number) => number;
  /** From m/s, rounded to two decimals. */
  speedOf: (metresPerSecond: number) => number;
}

/** Pressure, visibility and precipitation are hPa, metres and millimetres in every system. https://openweathermap.org/weather-data */
const systems: Readonly<Record<Units, UnitSystem>> = {
  standard: {
    name: 'standard',
    temperatureUnit: 'kelvin',
    speedUnit: 'm/s',
    temperatureOf: (celsius) => hundredths(celsius + 273.15),
    speedOf: hundredths,
  },
  metric: {
    name: 'metric',
    temperatureUnit: 'celsius',
    speedUnit: 'm/s',
    temperatureOf: hundredths,
    speedOf: hundredths,
  },
  imperial: {
    name: 'imperial',
    temperatureUnit: 'fahrenheit',
    speedUnit: 'mph',
    temperatureOf: (celsius) => hundredths(celsius * 1.8 + 32),
    speedOf: (metresPerSecond) => hundredths(metresPerSecond * 2.236936),
  },
};

/** The `units` parameter as OpenWeatherMap reads it: absent or unknown means standard (kelvin). */
export function unitSystemOf(parameter: string | null): UnitSystem {
  return systems[parameter === 'metric' || parameter === 'imperial' ? parameter : 'standard'];
}

/** A copy of the weather in another system. */
export function inUnits(weather: MockWeather, { temperatureOf, speedOf }: UnitSystem): MockWeather {
  const { main, wind } = weather;
  return {
    ...weather,
    main: {
      ...main,
      temp: temperatureOf(main.temp),
      feels_like: temperatureOf(main.feels_like),
      temp_min: temperatureOf(main.temp_min),
      temp_max: temperatureOf(main.temp_max),
    },
    wind: {
      ...wind,
      speed: speedOf(wind.speed),
      ...(wind.gust !== undefined && { gust: speedOf(wind.gust) }),
    },
  };
}
