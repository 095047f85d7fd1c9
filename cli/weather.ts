/** `hourglass weather`: the last 24 hours of a city as a picture; what is drawn is for `cli/weather/picture.ts` to say. */
import { Command } from 'commander';
import type { Queries } from '../clients/postgres.ts';
import { stretch } from './job/format.ts';
import { locationsNamed, type NamedLocation } from './named-locations.ts';
import { type DayHour, dayPicture } from './weather/picture.ts';
import { withDatabase } from './with-database.ts';

const HOUR_MS = 3_600_000;
const HOURS = 24;

export function weatherCommand(): Command {
  return new Command('weather')
    .description('The last 24 hours of a city: its temperature as a line, rain and snow as bars')
    .argument('<city>', 'the id, the name, or the name and country, for example "Oslo, NO"')
    .option('--json', 'print as JSON')
    .action(weather);
}

interface Newest {
  readonly observed_at: Date;
  readonly temp: number | null;
  readonly humidity: number | null;
  readonly wind_speed: number | null;
  readonly condition_description: string | null;
}

interface Day {
  readonly location: NamedLocation & { readonly timezone: string };
  readonly hours: readonly DayHour[];
  readonly newest: Newest | null;
}

async function weather(city: string, { json }: { json?: boolean }): Promise<void> {
  const now = new Date();
  const day = await withDatabase((database) => dayOf(database, city, now));
  if (json) console.log(JSON.stringify(day, undefined, 2));
  else console.log(describe(day, now));
}

/** @throws LocationNotChosenError */
async function dayOf(database: Queries, city: string, now: Date): Promise<Day> {
  const [location] = await locationsNamed(database, 'weather', [city]);
  if (location === undefined) throw new RangeError('no location was named');
  const end = (Math.floor(now.getTime() / HOUR_MS) + 1) * HOUR_MS;
  const [from, to] = [new Date(end - HOURS * HOUR_MS), new Date(end)];
  const { city_id: id } = location;
  const [stored] = await database.query<{ timezone: string }>('stored-locations', [[id]]);
  const rows = await database.query<DayHour>('hours-of-location', [id, from, to]);
  const [newest] = await database.query<Newest>('newest-of-location', [id, from]);
  const found = new Map(rows.map((row) => [row.window_start.getTime(), row]));
  const hours = Array.from({ length: HOURS }, (_, index) => {
    const start = from.getTime() + index * HOUR_MS;
    return found.get(start) ?? emptyHour(new Date(start));
  });
  return { location: { ...location, timezone: stored?.timezone ?? 'UTC' }, hours, newest: newest ?? null };
}

const emptyHour = (start: Date): DayHour => ({
  window_start: start,
  observation_count: 0,
  temp_avg: null,
  temp_min: null,
  temp_max: null,
  rain_mm: null,
  snow_mm: null,
});

function describe({ location, hours, newest }: Day, now: Date): string {
  const { name, country, timezone } = location;
  return [
    `${name}, ${country}${newest === null ? '' : `: ${nowText(newest, now)}`}`,
    '',
    dayPicture(hours, { timezone, width: process.stdout.columns || 80 }),
  ].join('\n');
}

function nowText(
  { observed_at, temp, humidity, wind_speed, condition_description }: Newest,
  now: Date,
): string {
  const told = [
    temp === null ? undefined : `${temp.toFixed(1)} °C`,
    condition_description ?? undefined,
    humidity === null ? undefined : `humidity ${humidity.toFixed(0)} %`,
    wind_speed === null ? undefined : `wind ${wind_speed.toFixed(1)} m/s`,
  ].filter((text) => text !== undefined);
  return `${told.join(', ')}, ${stretch(now.getTime() - observed_at.getTime())} ago`;
}
