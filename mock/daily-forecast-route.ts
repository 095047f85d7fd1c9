/** Owns the mock's answer to `/data/2.5/forecast/daily`, a forecast of days. https://openweathermap.org/forecast16 */
import { daysFrom, type MockDay } from './day.ts';
import { forecastCity } from './forecast-routes.ts';
import { countOf } from './parameters.ts';
import { probabilityOf } from './precipitation.ts';
import { type Presentation, presentationOf } from './presentation.ts';
import { jsonReply, type MockReply } from './replies.ts';
import type { MockRequest, MockWorld } from './route.ts';

export function dailyForecastRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = world.searchCity(query);
  if ('refusal' in search) return search.refusal;
  const count = countOf(query, { byDefault: 7, most: 17, above: 'refused' });
  if (typeof count === 'object') return count.refusal;
  const presentation = presentationOf(query);
  const list = daysFrom(search.city, Math.floor(nowMs / 1000), count, world).map((day) =>
    rowOf(day, presentation),
  );
  const { sunrise: _sunrise, sunset: _sunset, ...city } = forecastCity(search, nowMs);
  return jsonReply({ city, cod: '200', message: 0.0582563, cnt: list.length, list });
}

function rowOf(day: MockDay, presentation: Presentation): object {
  const { units, described } = presentation;
  const { noon, windiest, fallen } = day;
  const { gust } = windiest.wind;
  return {
    dt: noon.dt,
    ...day.sun,
    ...dayTemperatures(day, presentation),
    pressure: noon.main.pressure,
    humidity: noon.main.humidity,
    weather: described(day.conditions),
    speed: units.speedOf(windiest.wind.speed),
    deg: windiest.wind.deg,
    ...(gust !== undefined && { gust: units.speedOf(gust) }),
    clouds: noon.clouds.all,
    pop: probabilityOf(fallen, noon.clouds.all),
    ...fallenFields(day),
  };
}

/** Millimetres, as a forecast of days tells them: bare numbers, and absent when nothing falls. */
export function fallenFields({ fallen }: MockDay): { rain?: number; snow?: number } {
  return {
    ...(fallen.rainMm > 0 && { rain: fallen.rainMm }),
    ...(fallen.snowMm > 0 && { snow: fallen.snowMm }),
  };
}

/** `temp` and `feels_like` of a day. */
export function dayTemperatures({ partOf, coldest, warmest }: MockDay, { units }: Presentation): object {
  const { temperatureOf } = units;
  const [morn, day, eve, night] = [partOf('morn'), partOf('day'), partOf('eve'), partOf('night')];
  return {
    temp: {
      day: temperatureOf(day.main.temp),
      min: temperatureOf(coldest.main.temp),
      max: temperatureOf(warmest.main.temp),
      night: temperatureOf(night.main.temp),
      eve: temperatureOf(eve.main.temp),
      morn: temperatureOf(morn.main.temp),
    },
    feels_like: {
      day: temperatureOf(day.main.feels_like),
      night: temperatureOf(night.main.feels_like),
      eve: temperatureOf(eve.main.feels_like),
      morn: temperatureOf(morn.main.feels_like),
    },
  };
}
