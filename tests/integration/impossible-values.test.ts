import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { coordinates, measurements } from '../../pipelines/weather/measurements.ts';
import { createIsolatedPipeline, type IsolatedPipeline, observation } from '../support/isolated-pipeline.ts';

let pipeline: IsolatedPipeline;
beforeAll(async () => {
  pipeline = await createIsolatedPipeline('impossible-values');
  await pipeline.start();
});
afterAll(() => pipeline?.close());

const bounded = [...measurements, ...coordinates];
const at = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);

/** A record with one value in its place, and a temperature beside it so that it is an observation. */
function recordWith(cityId: number, path: readonly string[], value: unknown, second = 0) {
  const [group = '', field] = path;
  const given = field === undefined ? value : { [field]: value };
  const main = { temp: 1, ...(group === 'main' ? (given as object) : {}) };
  return observation({
    ...{ cityId, at: new Date(at.getTime() + second * 1_000), [group]: given },
    main,
  });
}

interface Row {
  readonly rejected_values: unknown;
  readonly [column: string]: unknown;
}
const rowOf = async (cityId: number): Promise<Row | undefined> =>
  (await pipeline.rows<Row>(`select * from observations where city_id = ${cityId}`))[0];

describe('a value that is physically impossible', () => {
  test('is NULL in the row, which stays, and is kept beside it with its range; the bounds themselves are values', async () => {
    await pipeline.publish(
      bounded.flatMap(({ path, range: [lowest, highest] }, index) => [
        recordWith(100 + index, path, lowest - 0.5),
        recordWith(200 + index, path, highest + 0.5),
        recordWith(300 + index, path, lowest),
        recordWith(400 + index, path, highest),
        recordWith(500 + index, path, 'NaN'),
      ]),
    );
    await pipeline.untilRead();
    for (const [index, { column, range }] of bounded.entries()) {
      for (const [base, value] of [
        [100, range[0] - 0.5],
        [200, range[1] + 0.5],
        [500, 'NaN'],
      ] as const) {
        const row = await rowOf(base + index);
        expect(row?.[column], column).toBeNull();
        expect(row?.rejected_values, column).toEqual({ [column]: { value, range } });
      }
      for (const [base, value] of [
        [300, range[0]],
        [400, range[1]],
      ] as const) {
        const row = await rowOf(base + index);
        expect(row?.[column], column).toBe(value);
        expect(row?.rejected_values, column).toBeNull();
      }
    }
  });

  test('several in one record are all kept', async () => {
    await pipeline.publish([
      observation({ cityId: 600, at, temp: 999, wind: { speed: -1, deg: 400 }, visibility: 5_000 }),
    ]);
    await pipeline.untilRead();
    expect(await rowOf(600)).toMatchObject({
      temp: null,
      wind_speed: null,
      visibility: 5_000,
      rejected_values: {
        temp: { value: 999, range: [-90, 60] },
        wind_speed: { value: -1, range: [0, 120] },
        wind_direction: { value: 400, range: [0, 360] },
      },
    });
  });

  test('enters no figure of the hour', async () => {
    await pipeline.publish([
      observation({ cityId: 700, at, temp: 10 }),
      observation({ cityId: 700, at: new Date(at.getTime() + 1_000), temp: 1_000, visibility: 1 }),
    ]);
    await pipeline.untilRead();
    const hours = await pipeline.rows('select * from weather_hourly where city_id = 700');
    expect(hours).toMatchObject([{ observation_count: '2', temp_avg: 10, temp_min: 10, temp_max: 10 }]);
  });

  test('of rain is not known, which is not zero: the hour’s amount is the mean of the other rates', async () => {
    const rates = [6, undefined, 5_000];
    await pipeline.publish(rates.map((rate, second) => recordWith(800, ['rain', '1h'], rate, second)));
    await pipeline.untilRead();
    const hours = await pipeline.rows('select * from weather_hourly where city_id = 800');
    expect(hours).toMatchObject([{ observation_count: '3', rain_mm: 3, snow_mm: null }]);
    expect(await pipeline.database.query('audit-hours', [new Date(0), null, null], 'weather')).toEqual([]);
  });
});

test('a measurement that is absent is NULL, never 0, and no rejection', async () => {
  await pipeline.publish([observation({ cityId: 900, at, main: { humidity: 40 } })]);
  await pipeline.untilRead();
  const row = await rowOf(900);
  for (const { column } of bounded) expect(row?.[column], column).toBe(column === 'humidity' ? 40 : null);
  expect(row?.rejected_values).toBeNull();
  const [hour] = await pipeline.rows<Row>('select * from weather_hourly where city_id = 900');
  expect(hour).toMatchObject({
    observation_count: '1',
    temp_avg: null,
    temp_min: null,
    gust_max: null,
    rain_mm: null,
  });
});

test('every condition of a record is a row of the view with its position, the first one also columns of its own', async () => {
  const weather = [
    { id: 500, main: 'Rain', description: 'light rain', icon: '10d' },
    { id: 701, main: 'Mist', description: 'mist "and" \'more\' \\u00e4', icon: '50d' },
  ];
  await pipeline.publish([
    observation({ cityId: 901, at, temp: 1, weather }),
    // A duplicate's conditions belong to no stored record.
    observation({ cityId: 901, at, temp: 2, weather: [{ id: 800 }, ...weather] }),
    observation({ cityId: 902, at, temp: 1, weather: [] }),
    observation({ cityId: 903, at, temp: 1 }),
  ]);
  await pipeline.untilRead();
  const view = await pipeline.rows(
    'select city_id, observed_at, position, condition_id, condition, condition_description, condition_icon from observation_conditions order by city_id, position',
  );
  expect(view).toEqual(
    weather.map(({ id, main, description, icon }, index) => ({
      ...{ city_id: '901', observed_at: at, position: index + 1, condition_id: id, condition: main },
      ...{ condition_description: description, condition_icon: icon },
    })),
  );
  expect(await rowOf(901)).toMatchObject({ condition_id: 500, condition: 'Rain', conditions: weather });
});
