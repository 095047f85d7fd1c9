import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readState } from '../../stack/data-dir.ts';
import { createIsolatedPipeline, type IsolatedPipeline, observation } from '../support/isolated-pipeline.ts';
import { stack } from '../support/shared-stack.ts';
import { timeZone } from '../support/time-zone.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Days on which a zone's clocks are changed. Each is covered in UTC from the evening before to midnight: the change itself is
 * in it, and so are the UTC times that read like the local hour which is left out or comes twice. Those a local clock ruins.
 */
const days = [
  { cityId: 1, day: '2021-03-14', what: 'St. John’s leaves out 02:00 to 03:00' },
  { cityId: 2, day: '2021-11-07', what: 'St. John’s has 01:00 to 02:00 twice' },
  { cityId: 3, day: '2021-03-28', what: 'Berlin leaves out 02:00 to 03:00' },
  { cityId: 4, day: '2021-10-31', what: 'Berlin has 02:00 to 03:00 twice' },
  { cityId: 5, day: '1988-04-03', what: 'St. John’s leaves out two hours, from one minute past midnight' },
  { cityId: 6, day: '1988-10-30', what: 'St. John’s has two hours twice, across midnight' },
  { cityId: 7, day: '1945-05-24', what: 'Berlin goes to double summer time' },
  { cityId: 8, day: '1935-03-30', what: 'St. John’s leaves out 52 seconds, from midnight' },
] as const;

/** Single instants that a date's own arithmetic stumbles over. */
const instants = [
  '1900-01-01T00:00:00Z',
  '1900-02-28T23:59:59Z',
  '1900-03-01T00:00:00Z',
  '1935-03-30T00:00:13Z',
  '1935-03-30T00:00:51Z',
  '1935-03-30T00:00:52Z',
  '1969-12-31T23:59:59Z',
  '1970-01-01T00:00:00Z',
  '1970-01-01T00:00:01Z',
  '2000-02-29T23:59:59Z',
  '2016-12-31T23:59:59Z',
].map((text) => new Date(text));
const INSTANTS_CITY = 100;

const timesOf = (day: string): Date[] => {
  const evening = Date.parse(`${day}T00:00:00Z`) - 6 * HOUR_MS;
  return Array.from({ length: 30 * 6 }, (_, index) => new Date(evening + index * 10 * MINUTE_MS));
};
const published = [
  ...days.flatMap(({ cityId, day }) => timesOf(day).map((at) => ({ cityId, at }))),
  ...instants.map((at) => ({ cityId: INSTANTS_CITY, at })),
].map((record, index) => ({ ...record, temp: (index % 97) / 4 }));

let pipeline: IsolatedPipeline;

beforeAll(async () => {
  pipeline = await createIsolatedPipeline('daylight-saving-time');
  await pipeline.start();
  await pipeline.publish(published.map(observation));
  await pipeline.untilRead();
});
afterAll(() => pipeline?.close());

const environmentOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .filter((variable) => variable.startsWith('TZ='));

describe(`everything runs in ${timeZone}`, () => {
  test('every process of the stack', () => {
    const services = readState(stack.dataDir)?.services ?? [];
    const kinds = services.map(({ name }) => name.replace(/^worker-.*/, 'worker')).sort();
    expect(kinds).toEqual(
      expect.arrayContaining([
        'flink-gateway',
        'flink-jobmanager',
        'flink-taskmanager',
        'kafka',
        'mock',
        'postgres',
        'temporal',
        'worker',
      ]),
    );
    for (const { name, process } of services)
      expect([name, environmentOf(process?.pid ?? 0)]).toEqual([name, [`TZ=${timeZone}`]]);
  });

  test('and this test: its local clock is half an hour off, and has daylight-saving time', () => {
    expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(timeZone);
    expect(new Date('2021-01-01T00:00:00Z').getTimezoneOffset()).toBe(210);
    expect(new Date('2021-07-01T00:00:00Z').getTimezoneOffset()).toBe(150);
  });
});

describe('hours around a change of the clocks are true in UTC', () => {
  const cities = [
    ...days.map(({ cityId, day, what }) => [`${day}: ${what}`, cityId] as const),
    ['single instants since 1900', INSTANTS_CITY] as const,
  ];

  test.for(cities)('%s', async ([, cityId]) => {
    const mine = published.filter((record) => record.cityId === cityId);
    const stored = await pipeline.rows(
      `select observed_at, extract(epoch from observed_at)::bigint as unix_seconds, temp from observations where city_id = ${cityId} order by observed_at`,
    );
    // As an instant and as PostgreSQL's own count of seconds, so that no mistake of the driver hides one of the table.
    expect(stored).toEqual(
      mine.map(({ at, temp }) => ({ observed_at: at, unix_seconds: String(at.getTime() / 1_000), temp })),
    );
    const hours = await pipeline.rows(
      `select window_start, window_end, observation_count, first_observed_at, last_observed_at, temp_min, temp_max
       from weather_hourly where city_id = ${cityId} order by window_start`,
    );
    expect(hours).toEqual(hoursOf(mine));
  });
});

function hoursOf(records: readonly { at: Date; temp: number }[]) {
  const starts = new Set(records.map(({ at }) => Math.floor(at.getTime() / HOUR_MS) * HOUR_MS));
  return [...starts].map((start) => {
    const inside = records.filter(({ at }) => at.getTime() >= start && at.getTime() < start + HOUR_MS);
    const temps = inside.map(({ temp }) => temp);
    return {
      window_start: new Date(start),
      window_end: new Date(start + HOUR_MS),
      observation_count: String(inside.length),
      first_observed_at: inside[0]?.at,
      last_observed_at: inside.at(-1)?.at,
      temp_min: Math.min(...temps),
      temp_max: Math.max(...temps),
    };
  });
}
