/** Owns `/data/2.5/forecast` with `mode=xml`. https://openweathermap.org/forecast5#example_XML */
import { type Condition, cloudDescription } from './conditions.ts';
import type { ForecastCity } from './forecast-routes.ts';
import { xmlMomentText } from './moment-text.ts';
import type { UnitSystem } from './units.ts';
import type { MockWeather } from './weather.ts';
import { windDirection, windName } from './winds.ts';
import { element, text, xmlDeclaration } from './xml.ts';

/** A row of the forecast, in units already. */
export interface ForecastStep {
  dt: number;
  main: MockWeather['main'] & { temp_kf: number };
  weather: Condition[];
  clouds: { all: number };
  wind: MockWeather['wind'];
  visibility: number;
  pop: number;
  rain?: Record<string, number>;
  snow?: Record<string, number>;
  sys: { pod: 'd' | 'n' };
  dt_txt: string;
}

interface ForecastAnswer {
  city: ForecastCity;
  list: readonly ForecastStep[];
  stepSeconds: number;
  units: UnitSystem;
}

export function forecastXml({ city, list, stepSeconds, units }: ForecastAnswer): string {
  const { sunrise, sunset } = city;
  return `${xmlDeclaration}${element('weatherdata', {}, [
    locationElement(city),
    element('credit'),
    element('meta', {}, [element('lastupdate'), element('calctime', {}, ['0']), element('nextupdate')]),
    element('sun', {
      rise: sunrise === undefined ? undefined : xmlMomentText(sunrise),
      set: sunset === undefined ? undefined : xmlMomentText(sunset),
    }),
    element(
      'forecast',
      {},
      list.map((step) => stepElement(step, stepSeconds, units)),
    ),
  ])}`;
}

function locationElement({ id, name, country, timezone, coord }: ForecastCity): string {
  return element('location', {}, [
    element('name', {}, [text(name)]),
    element('type'),
    element('country', {}, [country]),
    element('timezone', {}, [String(timezone)]),
    element('location', {
      altitude: 0,
      latitude: coord.lat,
      longitude: coord.lon,
      geobase: 'geonames',
      geobaseid: id,
    }),
  ]);
}

function stepElement(step: ForecastStep, stepSeconds: number, units: UnitSystem): string {
  const { dt, main, weather, wind, clouds, visibility, pop } = step;
  const [primary] = weather;
  const unit = units.temperatureUnit;
  const speedMs = units.name === 'imperial' ? wind.speed / 2.236936 : wind.speed;
  return element('time', { from: xmlMomentText(dt - stepSeconds), to: xmlMomentText(dt) }, [
    element('symbol', { number: primary?.id, name: primary?.description, var: primary?.icon }),
    precipitationElement(step, pop),
    element('windDirection', { deg: wind.deg, ...windDirection(wind.deg) }),
    element('windSpeed', { mps: wind.speed, unit: units.speedUnit, name: windName(speedMs) }),
    ...(wind.gust === undefined ? [] : [element('windGust', { gust: wind.gust, unit: units.speedUnit })]),
    element('temperature', { unit, value: main.temp, min: main.temp_min, max: main.temp_max }),
    element('feels_like', { value: main.feels_like, unit }),
    element('pressure', { unit: 'hPa', value: main.pressure }),
    element('humidity', { value: main.humidity, unit: '%' }),
    element('clouds', { value: cloudDescription(clouds.all), all: clouds.all, unit: '%' }),
    element('visibility', { value: visibility }),
  ]);
}

function precipitationElement({ rain, snow }: ForecastStep, probability: number): string {
  const [type, fallen] = snow === undefined ? ['rain', rain] : ['snow', snow];
  const [[unit, value] = [undefined, undefined]] = Object.entries(fallen ?? {});
  if (unit === undefined) return element('precipitation', { probability });
  return element('precipitation', { probability, unit, value, type });
}
