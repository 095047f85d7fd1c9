/** Owns the mock's answer to `/data/2.5/weather`. https://openweathermap.org/current */
import { currentWeatherXml } from './current-weather-xml.ts';
import { momentText } from './moment-text.ts';
import { presentWeather } from './moments.ts';
import { presentationOf } from './presentation.ts';
import { htmlReply, jsonReply, type MockReply, xmlReply } from './replies.ts';
import type { MockRequest, MockWorld } from './route.ts';
import type { UnitSystem } from './units.ts';
import type { MockWeather } from './weather.ts';
import { element, text } from './xml.ts';

export function currentWeatherRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = world.searchCity(query);
  if ('refusal' in search) return search.refusal;
  const { city, coord } = search;
  const observation = presentWeather(city, nowMs, world);
  const { dressed, units } = presentationOf(query);
  const weather = { ...dressed(observation), coord: { lon: coord.lon, lat: coord.lat } };
  return { ...pageOf(weather, units, query.get('mode')?.toLowerCase()), dt: observation.dt };
}

function pageOf(weather: MockWeather, units: UnitSystem, mode: string | undefined): MockReply {
  if (mode === 'xml') return xmlReply(currentWeatherXml(weather, units));
  return mode === 'html' ? htmlReply(weatherPage(weather, units)) : jsonReply(weather);
}

/** The API's page is a small widget without a documented structure: the same figures are enough. */
function weatherPage({ name, main, wind, weather, dt }: MockWeather, units: UnitSystem): string {
  const lines = [
    `${main.temp} ${units.temperatureUnit}`,
    weather.map(({ description }) => description).join(', '),
    `humidity ${main.humidity}%, pressure ${main.pressure} hPa, wind ${wind.speed} ${units.speedUnit}`,
    `${momentText(dt)} UTC`,
  ];
  return `<!DOCTYPE html>${element('html', { lang: 'en' }, [
    element('head', {}, [element('title', {}, [text(`${name} weather`)])]),
    element('body', {}, [
      element('h1', {}, [text(name)]),
      ...lines.map((line) => element('p', {}, [text(line)])),
    ]),
  ])}`;
}
