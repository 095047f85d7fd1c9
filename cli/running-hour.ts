/** Shows the weather rows of the running hour as they change, with rates; on a terminal it redraws, else it prints a line now and then. */
import { setTimeout as delay } from 'node:timers/promises';
import logUpdate from 'log-update';
import pc from 'picocolors';
import { connectDatabase, type Database } from '../clients/postgres.ts';
import { postgresAddress } from '../config/addresses.ts';
import { loadConfig } from '../config/load.ts';
import { reasonOf } from '../domain/errors.ts';
import { renderTable } from './table.ts';

interface HourRow {
  readonly name: string;
  readonly country: string;
  readonly observation_count: number;
  readonly temp_avg: number | null;
  readonly temp_min: number | null;
  readonly temp_max: number | null;
  readonly humidity_avg: number | null;
  readonly wind_avg: number | null;
  readonly last_observed_at: Date;
  readonly updated_at: Date;
}

interface Totals {
  readonly observations: number;
  readonly last_minute: number;
  readonly cities: number;
  readonly newest: Date | null;
}

const REDRAW_MS = 1_000;
const PLAIN_LINE_MS = 10_000;

export async function watchRunningHour(signal: AbortSignal): Promise<void> {
  const database = connectDatabase({ ...postgresAddress(loadConfig()), connections: 1 });
  const terminal = process.stdout.isTTY;
  try {
    while (!signal.aborted) {
      try {
        if (terminal) logUpdate(await picture(database));
        else console.log(await line(database));
      } catch (error) {
        // The database may be away for a moment; it is started again, and so is this picture.
        console.error(`The running hour cannot be shown: ${reasonOf(error)}`);
      }
      await delay(terminal ? REDRAW_MS : PLAIN_LINE_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    logUpdate.done();
    await database.close();
  }
}

async function totals(database: Database): Promise<Totals> {
  const [row] = await database.query<Totals>('running-totals');
  return row ?? { observations: 0, last_minute: 0, cities: 0, newest: null };
}

async function line(database: Database): Promise<string> {
  const { observations, last_minute, cities, newest } = await totals(database);
  return `${observations} observations in the last 24 hours (${last_minute} in the last minute), ${cities} cities in the running hour, newest ${newest?.toISOString() ?? 'none yet'}`;
}

async function picture(database: Database): Promise<string> {
  const rows = Math.max(3, Math.min(20, (process.stdout.rows ?? 24) - 8));
  const hours = await database.query<HourRow>('running-hour', [rows]);
  const hour = new Date();
  hour.setUTCMinutes(0, 0, 0);
  const table = renderTable(
    ['City', 'Obs', 'Temp °C', 'min', 'max', 'Humidity %', 'Wind m/s', 'Last', 'Changed'],
    hours.map((row) => [
      `${row.name}, ${row.country}`,
      String(row.observation_count),
      figure(row.temp_avg),
      figure(row.temp_min),
      figure(row.temp_max),
      figure(row.humidity_avg, 0),
      figure(row.wind_avg),
      row.last_observed_at.toISOString().slice(11, 16),
      secondsAgo(row.updated_at),
    ]),
    process.stdout.columns,
  );
  return [
    pc.bold(`The running hour, ${hour.toISOString().slice(0, 16).replace('T', ' ')} UTC`),
    table,
    '',
    await line(database),
    pc.dim('Ctrl-C stops everything in order'),
  ].join('\n');
}

const figure = (value: number | null, digits = 1): string => (value === null ? '–' : value.toFixed(digits));

function secondsAgo(at: Date): string {
  const seconds = Math.max(0, Math.round((Date.now() - at.getTime()) / 1_000));
  return seconds < 60 ? `${seconds} s ago` : `${Math.floor(seconds / 60)} min ago`;
}
