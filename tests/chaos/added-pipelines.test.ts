/**
 * Two pipelines beside weather, by definitions alone: air pollution, and the one that docs/add-a-pipeline.md adds, which is followed to the
 * letter in a copy of the project. The mock's own functions say what the rows of the air must be.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresAddress } from '../../config/addresses.ts';
import { loadConfig, projectRoot } from '../../config/load.ts';
import { type AirQuality, airQualityAt } from '../../mock/air.ts';
import { loadCities, type MockCity } from '../../mock/cities.ts';
import { createCityDirectory } from '../../mock/city-directory.ts';
import { defaultStepSeconds, weatherAt } from '../../mock/weather.ts';
import { measurements } from '../../pipelines/air-pollution/measurements.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/free-ports.ts';
import { copyProject, readGuide, writeFiles } from '../support/guide.ts';
import { rowDifferences } from '../support/row-differences.ts';

const SEED = 'hourglass';
const HISTORY_HOURS = 3;
const HOUR_MS = 3_600_000;
const cities = loadCities(join(projectRoot, 'sql/seed/locations.csv'));
const directory = createCityDirectory(cities);
const guide = readGuide('add-a-pipeline.md');

let home: string;
let project: string;
/** Where the history that the start loads ends, and the hour in which the air was first polled: most often the same. */
let historyEnd: number;
let present: number;

const ports = await freePorts();

/** Types a command where somebody would who follows the guide. */
function type(command: string): string {
  return execFileSync('sh', ['-c', command], {
    cwd: project,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      HOURGLASS_DATA_DIR: join(home, 'data'),
      WEATHER_SOURCE: 'mock',
      MOCK_SEED: SEED,
      FIRST_START_HISTORY_HOURS: String(HISTORY_HOURS),
      ...ports,
    },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
const json = (command: string) => JSON.parse(type(`${command} --json`));

async function sql<Row extends object>(text: string): Promise<Row[]> {
  const config = loadConfig({
    environment: { HOURGLASS_DATA_DIR: join(home, 'data') },
    envFile: join(home, 'no.env'),
  });
  const client = new pg.Client({ ...postgresAddress(config), options: '-c timezone=UTC' });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'hourglass-test-'));
  // PostgreSQL's own user must be able to pass.
  chmodSync(home, 0o755);
  project = join(home, 'project');
  copyProject(project);
});
afterAll(() => {
  type('npx hourglass down');
  rmSync(home, { recursive: true, force: true });
});

interface AirRow {
  readonly city_id: string;
  readonly observed_at: Date;
  readonly [column: string]: unknown;
}

/** The source knows places by coordinates: a location has the air of the city that is nearest to it. */
function airOf(cityId: string, atMs: number): AirQuality {
  const location = cities.find(({ id }) => id === Number(cityId)) as MockCity;
  const [nearest] = directory.nearest(location, 1);
  return airQualityAt({ seed: SEED, city: nearest?.city ?? location, atSeconds: atMs / 1_000 });
}

function rowOfTruth(cityId: string, atMs: number): AirRow {
  const { main, components } = airOf(cityId, atMs);
  return {
    ...{ city_id: cityId, observed_at: new Date(atMs), revision: 0, rejected_values: null },
    ...{ ...main, ...components },
  };
}

/** Of one observation in each hour. */
function hourOfTruth({ city_id, observed_at, ...row }: AirRow): AirRow {
  const start = Math.floor(observed_at.getTime() / HOUR_MS) * HOUR_MS;
  return {
    ...{ city_id, observed_at, window_start: new Date(start), window_end: new Date(start + HOUR_MS) },
    ...{ observation_count: 1, first_observed_at: observed_at, last_observed_at: observed_at },
    ...Object.fromEntries(
      measurements.flatMap(({ column }) =>
        ['avg', 'min', 'max'].map((kind) => [`${column}_${kind}`, row[column]]),
      ),
    ),
  };
}

/** How the tables of the air differ from the truth at these whole hours, for these cities. */
async function differences(cityIds: readonly string[], from: number, to: number): Promise<string[]> {
  const within = (column: string) =>
    `city_id in (${cityIds.join()}) and ${column} >= '${new Date(from).toISOString()}' and ${column} < '${new Date(to).toISOString()}'`;
  const rows = await sql<AirRow>(`select * from air_observations where ${within('observed_at')}`);
  const hours = await sql<AirRow>(
    `select *, first_observed_at as observed_at from air_hourly where ${within('window_start')}`,
  );
  const truth = cityIds.flatMap((cityId) =>
    Array.from({ length: (to - from) / HOUR_MS }, (_, index) => rowOfTruth(cityId, from + index * HOUR_MS)),
  );
  const named = (row: Readonly<Record<string, unknown>>): string =>
    `${row['city_id']} ${(row['observed_at'] as Date).toISOString()}`;
  return [
    ...rowDifferences(rows, truth, named),
    ...rowDifferences(hours, truth.map(hourOfTruth), (row) => `hour ${named(row)}`),
  ];
}

const all = cities.map(({ id }) => String(id));
const hourText = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 13)}:00:00Z`;

describe('the guide to a pipeline of one’s own', () => {
  test('registers one more pipeline, and leaves the others as they are', () => {
    const shown = guide.files.get('pipelines/registered.ts')?.split('\n') ?? [];
    const own = readFileSync(join(projectRoot, 'pipelines/registered.ts'), 'utf8').split('\n');
    expect(own.filter((line) => !shown.includes(line))).toEqual([]);
    expect(shown.filter((line) => !own.includes(line)).join('\n')).toMatch(
      /^import .*[mM]achine[\s\S]*limits/,
    );
  });

  test('shows files that compile, pass the tests of every pipeline, and start', async () => {
    expect(guide.files.size).toBeGreaterThan(15);
    writeFiles(project, guide.files);
    expect(type('npx tsc --noEmit')).toBe('');
    expect(guide.commands[0]).toBe('npx hourglass up');
    type(guide.commands[0] ?? '');
    const [question = ''] = guide.questions;
    const [row] = await eventually(
      'a reading of the machine is in its hour',
      () => sql<{ machine_id: string; load_avg: number; free_mb_min: number }>(question),
      (rows) => rows.length > 0,
    );
    expect(row).toMatchObject({ machine_id: '1', load_avg: expect.any(Number) });
    expect(row?.free_mb_min).toBeGreaterThan(0);
  });

  test('gives commands that work as they are typed', () => {
    const [, ...rest] = guide.commands;
    expect(rest.length).toBeGreaterThan(3);
    const said = rest.map((command) => type(command));
    expect(said.find((text) => text.includes('No hour differs'))).toBeDefined();
    expect(stripVTControlCharacters(said.at(-1) ?? '')).toMatch(/Tests +\d+ passed/);
  });
});

describe('air pollution beside weather', () => {
  test('flows: every city has its air of this hour and of the hours before the first start, figure by figure', async () => {
    const [first] = await sql<{ history: Date; polled: Date }>(
      `select
         (select (request ->> 'to')::timestamptz from backfills where pipeline = 'air-pollution') as history,
         (select date_trunc('hour', min(started_at)) from ingest_runs where pipeline = 'air-pollution') as polled`,
    );
    historyEnd = first?.history.getTime() ?? Number.NaN;
    present = first?.polled.getTime() ?? Number.NaN;
    await eventually(
      'the air is there',
      async () => [
        ...(await differences(all, historyEnd - HISTORY_HOURS * HOUR_MS, historyEnd)),
        ...(await differences(all, present, present + HOUR_MS)),
      ],
      (found) => found.length === 0,
      { withinMs: 90_000, everyMs: 1_000 },
    );
    const topics = await sql<{ topic: string; rows: number }>(
      'select topic, count(*)::integer as rows from air_observations group by topic order by topic',
    );
    expect(topics.map(({ topic }) => topic)).toEqual(['air.observations.v1', 'air.repairs.v1']);
  });

  test('is loaded by a backfill for hours that the stream no longer owns', async () => {
    const chosen = all.slice(0, 2);
    await sql(
      `update locations set active_from = now() - interval '3 days' where city_id in (${chosen.join()})`,
    );
    const [from, to] = [present - 41 * HOUR_MS, present - 38 * HOUR_MS];
    const asked = chosen.map((id) => `--city ${id}`).join(' ');
    const range = `--from ${hourText(from)} --to ${hourText(to)}`;
    type(`npx hourglass backfill start --pipeline air-pollution ${range} ${asked} --yes --wait`);
    expect(await differences(chosen, from, to)).toEqual([]);
    const [origin] = await sql(
      `select distinct origin from air_hourly where window_start < '${new Date(to).toISOString()}'`,
    );
    expect(origin).toEqual({ origin: 'batch' });
  });

  test('is found to miss a row that was deleted, and gets it back', async () => {
    const [cityId = ''] = all.slice(5);
    const hour = historyEnd - 2 * HOUR_MS;
    await sql(
      `delete from air_observations where city_id = ${cityId} and observed_at = '${new Date(hour).toISOString()}'`,
    );
    const range = `--from ${hourText(hour)} --to ${hourText(hour + HOUR_MS)} --city ${cityId}`;
    const check = `npx hourglass completeness check --pipeline air-pollution ${range}`;
    type(check);
    const changes = () =>
      sql<{ verdict: string; reason: string | null }>(
        `select verdict, reason from window_completeness_changes where pipeline = 'air-pollution' and entity_id = ${cityId} order by changed_at`,
      );
    await eventually(
      'the row is back',
      () => differences([cityId], hour, hour + HOUR_MS),
      (found) => found.length === 0,
      { withinMs: 90_000, everyMs: 500 },
    );
    const [found] = await changes();
    // The hour's row counts one observation, and none is stored.
    expect(found).toMatchObject({ verdict: 'mismatched' });
    const judged = await eventually(
      'the hour is judged repaired',
      async () => {
        type(check);
        return (await changes()).at(-1);
      },
      (change) => change?.verdict === 'repaired',
      { everyMs: 2_000 },
    );
    expect(judged).toEqual({ verdict: 'repaired', reason: null });
  });

  test('leaves weather untouched, and every record of both is accounted for', async () => {
    const rows = await sql<{ city_id: string; observed_at: Date; temp: number; humidity: number }>(
      'select city_id, observed_at, temp, humidity from observations',
    );
    expect(rows.length).toBeGreaterThan(all.length * HISTORY_HOURS);
    const truth = rows.map(({ city_id, observed_at }) => {
      const city = cities.find(({ id }) => id === Number(city_id)) as MockCity;
      const question = { seed: SEED, city, stepSeconds: defaultStepSeconds };
      const { main } = weatherAt({ ...question, atSeconds: observed_at.getTime() / 1_000 });
      return { city_id, observed_at, temp: main.temp, humidity: main.humidity };
    });
    expect(
      rowDifferences(rows, truth, (row) => `${row['city_id']} ${(row['observed_at'] as Date).toISOString()}`),
    ).toEqual([]);
    const since = `--from ${hourText(present - 4 * HOUR_MS)}`;
    for (const pipeline of ['weather', 'air-pollution', 'machine-load'])
      expect(json(`npx hourglass audit --pipeline ${pipeline} ${since}`)).toEqual([]);
    const { partitions, total } = await eventually(
      'every record is accounted for',
      async () => json('npx hourglass accounting'),
      ({ total: sum }) => sum.unaccounted === 0,
      { everyMs: 2_000 },
    );
    expect(new Set(partitions.map(({ topic }: { topic: string }) => topic.split('.')[0]))).toEqual(
      new Set(['weather', 'air', 'machine']),
    );
    expect(total).toMatchObject({ deadLetters: 0, unaccounted: 0 });
    const jobs: { name: string; state: string }[] = json('npx hourglass status').jobs;
    expect(jobs.map(({ name }) => name).sort()).toEqual(['air-stream', 'machine-stream', 'weather-stream']);
  });

  test('takes its calls from the budget of the key that weather has', async () => {
    const budgets = await sql<{ key_fingerprint: string }>('select key_fingerprint from api_budgets');
    // One of the key, and one of the machine, which has no key.
    expect(budgets).toHaveLength(2);
  });
});
