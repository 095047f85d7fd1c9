import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { createIsolatedPipeline, type IsolatedPipeline, observation } from '../support/isolated-pipeline.ts';

/** Days become seconds: the state of this job is gone soon after it was made. */
let pipeline: IsolatedPipeline;
const PROBE = 999;

beforeAll(async () => {
  pipeline = await createIsolatedPipeline('late-data', {
    settings: { 'table.exec.state.ttl': '3 s' },
    changeSql: (sql) => sql.replace("STATE_TTL('o' = '48h')", "STATE_TTL('o' = '2s')"),
  });
  // The probe's rows are not guarded: they show what the stream itself would do.
  await pipeline.sql.query(`
    create or replace trigger stored_observation_wins before update on observations
      for each row when (new.city_id <> ${PROBE} and new.revision <= old.revision)
      execute function keep_stored_row()`);
  await pipeline.start();
});
afterAll(() => pipeline?.close());

const hour = (hoursAgo: number): Date =>
  new Date((Math.floor(Date.now() / 3_600_000) - hoursAgo) * 3_600_000);
const later = (start: Date, seconds: number): Date => new Date(start.getTime() + seconds * 1_000);

interface Difference {
  readonly entity_id: number;
  readonly window_start: Date;
  readonly is_missing: boolean;
  readonly differences: Readonly<Record<string, { observations: unknown; hourly: unknown }>>;
}
const audit = (since = new Date(0)) =>
  pipeline.database.query<Difference>('audit-hours', [since, null, null], 'weather');
const counts = async (cityId: number) =>
  (
    await pipeline.rows<{ stored: number; counted: number }>(
      `select (select count(*)::int from observations where city_id = ${cityId}) as stored,
              (select sum(observation_count)::int from weather_hourly where city_id = ${cityId}) as counted`,
    )
  )[0];

/** Publishes the probe's same observation with other temperatures until the stream lets one pass: its state is gone. */
async function untilStateExpired(): Promise<void> {
  const at = hour(1);
  let temp = 0;
  await pipeline.publish([observation({ cityId: PROBE, at, temp })]);
  await pipeline.untilRead();
  const probe = async () =>
    (await pipeline.rows<{ temp: number }>(`select temp from observations where city_id = ${PROBE}`))[0]
      ?.temp;
  const accepted = await probe();
  await eventually(
    'the stream has forgotten the probe',
    async () => {
      temp = (temp + 1) % 60;
      await pipeline.publish([observation({ cityId: PROBE, at, temp })]);
      return probe();
    },
    (found) => found !== accepted,
    { everyMs: 500 },
  );
}

describe.each([
  ['three hours late', 3, 10],
  ['three days late', 72, 20],
  ['thirteen years old', 13 * 365 * 24, 30],
])('an observation that is %s', (_, hoursAgo, cityId) => {
  const start = hour(hoursAgo);

  test('lands in its month and in its hour', async () => {
    await pipeline.publish(
      [1, 2, 3].map((second) => observation({ cityId, at: later(start, second), temp: second })),
    );
    await pipeline.untilRead();
    expect(await counts(cityId)).toEqual({ stored: 3, counted: 3 });
    expect((await audit()).filter((row) => row.entity_id === cityId)).toEqual([]);
  });

  test('after the hour’s state is gone is stored, takes nothing from the hour, and the audit names the hour', async () => {
    await untilStateExpired();
    const [{ now: since } = { now: new Date() }] = await pipeline.rows<{ now: Date }>('select now()');
    await pipeline.publish([
      // Twice: what the stream has forgotten is a duplicate for the table all the same.
      observation({ cityId, at: later(start, 1), temp: 50 }),
      observation({ cityId, at: later(start, 4), temp: 40 }),
    ]);
    await pipeline.untilRead();
    expect(await counts(cityId)).toEqual({ stored: 4, counted: 3 });
    expect(
      await pipeline.rows(`select temp from observations where city_id = ${cityId} order by observed_at`),
    ).toEqual([{ temp: 1 }, { temp: 2 }, { temp: 3 }, { temp: 40 }]);
    const found = (await audit(since)).filter((row) => row.entity_id === cityId);
    expect(found).toMatchObject([
      {
        window_start: start,
        is_missing: false,
        differences: {
          observation_count: { observations: 4, hourly: 3 },
          temp_avg: { observations: 11.5, hourly: 2 },
          temp_max: { observations: 40, hourly: 3 },
        },
      },
    ]);
    expect(Object.keys(found[0]?.differences ?? {}).sort()).toEqual([
      'last_observed_at',
      'observation_count',
      'temp_avg',
      'temp_max',
    ]);
  });
});

test('an hour of which a stream without state sees more new observations than the row counts is not replaced', async () => {
  const [cityId, start] = [60, hour(5)];
  const observations = (seconds: readonly number[]) =>
    seconds.map((second) => observation({ cityId, at: later(start, second), temp: second }));
  await pipeline.publish(observations([1, 2]));
  await pipeline.untilRead();
  await untilStateExpired();
  await pipeline.publish(observations([3, 4, 5]));
  await pipeline.untilRead();
  expect(await counts(cityId)).toEqual({ stored: 5, counted: 2 });
  expect((await audit()).filter((row) => row.entity_id === cityId)).toMatchObject([
    { window_start: start, differences: { observation_count: { observations: 5, hourly: 2 } } },
  ]);
});

describe('the audit', () => {
  test('names an hour that has no row at all, and one in which a single figure is wrong', async () => {
    const start = hour(2);
    await pipeline.publish(
      [41, 42].map((cityId) => observation({ cityId, at: start, temp: 7, wind: { speed: 3 } })),
    );
    await pipeline.untilRead();
    await pipeline.sql.query('delete from weather_hourly where city_id = 41');
    await pipeline.sql.query("update weather_hourly set wind_avg = 4, origin = 'batch' where city_id = 42");
    const found = (await audit()).filter(({ entity_id }) => entity_id === 41 || entity_id === 42);
    expect(found).toMatchObject([
      { entity_id: 41, window_start: start, is_missing: true },
      { entity_id: 42, window_start: start, is_missing: false },
    ]);
    expect(found[1]?.differences).toEqual({ wind_avg: { observations: 3, hourly: 4 } });
  });

  test('looks only at hours that were touched since', async () => {
    const [row] = await pipeline.rows<{ now: Date }>('select now()');
    expect(await audit(row?.now)).toEqual([]);
  });
});
