/** Owns the mock's answers to One Call 3.0 and its paths. https://openweathermap.org/api/one-call-3 */
import { type FoundCity, nearestCity, textOf } from './city-search.ts';
import { dayOf, daysFrom } from './day.ts';
import { dayText } from './moment-text.ts';
import { momentWeather, presentWeather } from './moments.ts';
import { dayRow, hourRow, momentRow } from './one-call-rows.ts';
import { requiredSecondsOf } from './parameters.ts';
import { presentationOf } from './presentation.ts';
import { jsonReply, type MockReply, outOfRangeReply, wrongParameterReply } from './replies.ts';
import type { MockRequest, MockWorld } from './route.ts';
import { utcOffsetSeconds } from './time-zone.ts';
import { hundredths } from './weather.ts';
import { alertsOf } from './weather-alerts.ts';

const minuteSeconds = 60;
const hourSeconds = 3_600;
const daySeconds = 86_400;
/** The archive begins with 1979. */
const archiveStart = 283_996_800;
const timeMachineAheadSeconds = 4 * daySeconds;
const summaryAheadSeconds = 548 * daySeconds;

function headOf({ city, coord }: FoundCity, atSeconds: number) {
  const { lat, lon } = coord;
  return { lat, lon, timezone: city.timezone, timezone_offset: utcOffsetSeconds(city.timezone, atSeconds) };
}

export function oneCallRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = nearestCity(query, world.directory);
  if ('refusal' in search) return search.refusal;
  const { city } = search;
  const presentation = presentationOf(query);
  const nowSeconds = Math.floor(nowMs / 1000);
  const at = (atSeconds: number) => momentWeather(city, atSeconds, world);
  const hours = momentsFrom(nowSeconds, hourSeconds, 48).map(at);
  const parts = {
    current: () => momentRow(presentWeather(city, nowMs, world), presentation),
    minutely: () =>
      momentsFrom(nowSeconds + minuteSeconds, minuteSeconds, 60).map((dt) => {
        const { rain, snow } = at(dt);
        return { dt, precipitation: hundredths((rain?.['1h'] ?? 0) + (snow?.['1h'] ?? 0)) };
      }),
    hourly: () => hours.map((hour) => hourRow(hour, presentation)),
    daily: () => daysFrom(city, nowSeconds, 8, world).map((day) => dayRow(day, presentation)),
    // Absent, not empty, when there is nothing to warn of.
    alerts: () => {
      const alerts = alertsOf(hours);
      return alerts.length > 0 ? alerts : undefined;
    },
  };
  const excluded = new Set((query.get('exclude') ?? '').split(',').map((part) => part.trim()));
  const told = Object.entries(parts)
    .filter(([name]) => !excluded.has(name))
    .map(([name, tell]) => [name, tell()]);
  return jsonReply({ ...headOf(search, nowSeconds), ...Object.fromEntries(told) });
}

/** The begun span of time first. */
function momentsFrom(atSeconds: number, spanSeconds: number, count: number): number[] {
  const first = Math.floor(atSeconds / spanSeconds) * spanSeconds;
  return Array.from({ length: count }, (_, index) => first + index * spanSeconds);
}

/** `/onecall/timemachine`: the weather of one moment, from 1979 until four days ahead. */
export function timeMachineRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = nearestCity(query, world.directory);
  if ('refusal' in search) return search.refusal;
  const dt = requiredSecondsOf(query, 'dt');
  if (typeof dt === 'object') return dt.refusal;
  if (!isWithin(dt, nowMs, timeMachineAheadSeconds)) return outOfRangeReply;
  const row = momentRow(momentWeather(search.city, dt, world), presentationOf(query));
  return jsonReply({ ...headOf(search, dt), data: [row] });
}

/** `/onecall/day_summary`: a day in figures, from 1979 until a year and a half ahead. */
export function daySummaryRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = nearestCity(query, world.directory);
  if ('refusal' in search) return search.refusal;
  const noon = noonOf(textOf(query, 'date'));
  if (noon === undefined) return wrongParameterReply('date');
  if (!isWithin(noon, nowMs, summaryAheadSeconds)) return outOfRangeReply;
  const tz = textOf(query, 'tz');
  const given = tz === undefined ? undefined : offsetOf(tz);
  if (tz !== undefined && given === undefined) return wrongParameterReply('tz');
  const { city, coord } = search;
  const offset = given ?? utcOffsetSeconds(city.timezone, noon);
  const { temperatureOf, speedOf, name } = presentationOf(query).units;
  const day = dayOf(city, noon - offset, world, offset);
  const { noon: afternoon, windiest, fallen } = day;
  return jsonReply({
    lat: coord.lat,
    lon: coord.lon,
    tz: offsetText(offset),
    date: dayText(noon),
    units: name,
    cloud_cover: { afternoon: afternoon.clouds.all },
    humidity: { afternoon: afternoon.main.humidity },
    precipitation: { total: hundredths(fallen.rainMm + fallen.snowMm) },
    temperature: {
      min: temperatureOf(day.coldest.main.temp),
      max: temperatureOf(day.warmest.main.temp),
      afternoon: temperatureOf(afternoon.main.temp),
      night: temperatureOf(day.partOf('night').main.temp),
      evening: temperatureOf(day.partOf('eve').main.temp),
      morning: temperatureOf(day.partOf('morn').main.temp),
    },
    pressure: { afternoon: afternoon.main.pressure },
    wind: { max: { speed: speedOf(windiest.wind.speed), direction: windiest.wind.deg } },
  });
}

/** `/onecall/overview`: today or tomorrow in words. */
export function overviewRoute({ query, nowMs }: MockRequest, world: MockWorld): MockReply {
  const search = nearestCity(query, world.directory);
  if ('refusal' in search) return search.refusal;
  const { city, coord } = search;
  const nowSeconds = Math.floor(nowMs / 1000);
  const offset = utcOffsetSeconds(city.timezone, nowSeconds);
  const date = textOf(query, 'date') ?? dayText(nowSeconds, offset);
  const noon = noonOf(date);
  if (noon === undefined) return wrongParameterReply('date');
  // Where the city and UTC have not the same day, either is today.
  const days = [0, daySeconds].flatMap((later) =>
    [0, offset].map((east) => dayText(nowSeconds + later, east)),
  );
  if (!days.includes(date)) return outOfRangeReply;
  const { units, dressed, described } = presentationOf(query);
  const day = dayOf(city, noon - offset, world);
  const { main, wind } = dressed(day.noon);
  const words = described(day.conditions).map(({ description }) => description);
  return jsonReply({
    lat: coord.lat,
    lon: coord.lon,
    tz: offsetText(offset),
    date,
    units: units.name,
    weather_overview: `Expect ${words.join(' and ')}, about ${Math.round(main.temp)} degrees ${units.temperatureUnit} at noon with a humidity of ${main.humidity}% and a wind of ${wind.speed} ${units.speedUnit}.`,
  });
}

function isWithin(atSeconds: number, nowMs: number, aheadSeconds: number): boolean {
  return atSeconds >= archiveStart && atSeconds <= nowMs / 1000 + aheadSeconds;
}

/** Noon of "2026-01-31" in UTC; undefined for what is no day. */
function noonOf(date: string | undefined): number | undefined {
  if (date === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined;
  const noon = Date.parse(`${date}T12:00:00Z`) / 1000;
  // The 31st of a shorter month would become the first of the next.
  return Number.isNaN(noon) || dayText(noon) !== date ? undefined : noon;
}

/** "+02:00" in seconds. */
function offsetOf(text: string): number | undefined {
  // A plus that was not encoded arrives as a space, which is trimmed.
  const match = /^([+-]?)(\d{2}):?(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const [, sign, hours, minutes] = match;
  const size = Number(hours) * hourSeconds + Number(minutes) * minuteSeconds;
  return size > 14 * hourSeconds ? undefined : sign === '-' ? -size : size;
}

function offsetText(offsetSeconds: number): string {
  const minutes = Math.abs(offsetSeconds) / minuteSeconds;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${offsetSeconds < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}
