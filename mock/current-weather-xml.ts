/** Owns `/data/2.5/weather` with `mode=xml`. https://openweathermap.org/current#example_XML */
import { cloudDescription } from './conditions.ts';
import { xmlMomentText } from './moment-text.ts';
import type { UnitSystem } from './units.ts';
import type { MockWeather } from './weather.ts';
import { windDirection, windName } from './winds.ts';
import { element, xmlDeclaration } from './xml.ts';

/** `weather` in these units already. */
export function currentWeatherXml(weather: MockWeather, units: UnitSystem): string {
  const { main, clouds, visibility, weather: conditions, dt } = weather;
  const unit = units.temperatureUnit;
  const [primary] = conditions;
  return `${xmlDeclaration}${element('current', {}, [
    cityElement(weather),
    element('temperature', { value: main.temp, min: main.temp_min, max: main.temp_max, unit }),
    element('feels_like', { value: main.feels_like, unit }),
    element('humidity', { value: main.humidity, unit: '%' }),
    element('pressure', { value: main.pressure, unit: 'hPa' }),
    windElement(weather, units),
    element('clouds', { value: clouds.all, name: cloudDescription(clouds.all) }),
    element('visibility', { value: visibility }),
    precipitationElement(weather),
    element('weather', { number: primary?.id, value: primary?.description, icon: primary?.icon }),
    element('lastupdate', { value: xmlMomentText(dt) }),
  ])}`;
}

function cityElement({ id, name, coord, sys, timezone }: MockWeather): string {
  const { sunrise, sunset } = sys;
  return element('city', { id, name }, [
    element('coord', { lon: coord.lon, lat: coord.lat }),
    element('country', {}, [sys.country]),
    element('timezone', {}, [String(timezone)]),
    element('sun', {
      rise: sunrise === undefined ? undefined : xmlMomentText(sunrise),
      set: sunset === undefined ? undefined : xmlMomentText(sunset),
    }),
  ]);
}

function windElement({ wind }: MockWeather, { name, speedUnit }: UnitSystem): string {
  const speedMs = name === 'imperial' ? wind.speed / 2.236936 : wind.speed;
  return element('wind', {}, [
    element('speed', { value: wind.speed, unit: speedUnit, name: windName(speedMs) }),
    element('gusts', { value: wind.gust }),
    element('direction', { value: wind.deg, ...windDirection(wind.deg) }),
  ]);
}

function precipitationElement({ rain, snow }: MockWeather): string {
  const [mode, fallen] = snow === undefined ? ['rain', rain] : ['snow', snow];
  if (fallen === undefined) return element('precipitation', { mode: 'no' });
  return element('precipitation', { value: fallen['1h'], mode, unit: '1h' });
}
