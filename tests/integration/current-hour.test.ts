import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { createIsolatedPipeline, type IsolatedPipeline, observation } from '../support/isolated-pipeline.ts';

interface Hour {
  readonly city_id: string;
  readonly window_start: Date;
  readonly observation_count: string;
  readonly temp_min: number;
  readonly temp_max: number;
  readonly temp_avg: number;
}

let pipeline: IsolatedPipeline;
const minute = 60_000;
const hourOf = (at: Date): Date => new Date(Math.floor(at.getTime() / (60 * minute)) * 60 * minute);

beforeAll(async () => {
  pipeline = await createIsolatedPipeline('current-hour');
  await pipeline.start();
});
afterAll(() => pipeline?.close());

const hours = (cityId: number): Promise<Hour[]> =>
  pipeline.rows<Hour>(`select * from weather_hourly where city_id = ${cityId} order by window_start`);
const untilCount = (cityId: number, count: number): Promise<Hour[]> =>
  eventually(
    `the hour of city ${cityId} counts ${count}`,
    () => hours(cityId),
    ([hour]) => Number(hour?.observation_count) === count,
    { withinMs: 30_000 },
  );

/** Both tables are written at once, but each by its own flush. */
const stored = (cityId: number): Promise<{ observed_at: Date; topic: string }[]> =>
  eventually(
    `an observation of city ${cityId} is stored`,
    () =>
      pipeline.rows<{ observed_at: Date; topic: string }>(
        `select * from observations where city_id = ${cityId}`,
      ),
    (rows) => rows.length > 0,
  );

describe('the running hour', () => {
  test('it has a row while it happens, and each observation changes it', async () => {
    const start = hourOf(new Date());
    await pipeline.publish([observation({ cityId: 1, at: start, temp: 10 })]);
    const [first] = await untilCount(1, 1);
    expect(first).toMatchObject({ window_start: start, temp_min: 10, temp_max: 10, temp_avg: 10 });
    await pipeline.publish([observation({ cityId: 1, at: new Date(start.getTime() + 1_000), temp: 20 })]);
    const [second] = await untilCount(1, 2);
    expect(second).toMatchObject({ window_start: start, temp_min: 10, temp_max: 20, temp_avg: 15 });
  });

  test('the same observation again changes nothing', async () => {
    const at = new Date();
    const same = observation({ cityId: 2, at, temp: 5 });
    await pipeline.publish([same, same, same]);
    await untilCount(2, 1);
    await pipeline.publish([same, observation({ cityId: 2, at, temp: 99 })]);
    // A later record of another city proves that the repeated ones have been read (one partition would not: hence one for each).
    for (let cityId = 100; cityId < 120; cityId += 1)
      await pipeline.publish([observation({ cityId, at, temp: 1 })]);
    await untilCount(119, 1);
    const [hour] = await hours(2);
    expect(hour).toMatchObject({ observation_count: '1', temp_max: 5 });
    expect(await pipeline.rows('select temp from observations where city_id = 2')).toEqual([{ temp: 5 }]);
  });

  test('a job without state that sees less than is stored takes nothing back', async () => {
    const start = hourOf(new Date());
    const at = (second: number): Date => new Date(start.getTime() + second * 1_000);
    await pipeline.publish(
      [1, 2, 3].map((second) => observation({ cityId: 3, at: at(second), temp: second })),
    );
    await untilCount(3, 3);
    await pipeline.cancel();
    // What the stateless job would read again is made to look as if it had expired from the topic: the row is ahead of it.
    await pipeline.sql.query(
      'update weather_hourly set observation_count = 11, temp_max = 30, origin = $1 where city_id = 3',
      ['batch'],
    );
    await pipeline.start();
    await pipeline.publish([
      observation({ cityId: 3, at: at(4), temp: 4 }),
      observation({ cityId: 4, at: at(4), temp: 4 }),
    ]);
    await untilCount(4, 1);
    await eventually(
      'the new observation is stored',
      () => pipeline.rows('select from observations where city_id = 3'),
      (rows) => rows.length === 4,
    );
    const [hour] = await hours(3);
    expect(hour).toMatchObject({ observation_count: '11', temp_max: 30 });
  });

  test('an observation of any month is stored, and its hour has a row', async () => {
    const long = new Date('2013-02-03T04:05:06Z');
    await pipeline.publish([observation({ cityId: 5, at: long, temp: -3 })]);
    const [hour] = await untilCount(5, 1);
    expect(hour).toMatchObject({ window_start: new Date('2013-02-03T04:00:00Z'), temp_avg: -3 });
    const [row] = await stored(5);
    expect(row?.observed_at).toEqual(long);
  });

  test('a record of the repairs topic is an observation like any other', async () => {
    const at = new Date();
    await pipeline.publish([observation({ cityId: 6, at, temp: 7 })], pipeline.topics.repairs.name);
    await untilCount(6, 1);
    const [row] = await stored(6);
    expect(row?.topic).toBe(pipeline.topics.repairs.name);
  });

  test('texts that PostgreSQL or JSON could stumble over are stored as they are', async () => {
    const at = new Date();
    const description = [
      'a backslash \\ and another \\\\',
      'quotes \' and "',
      'a line\nbreak, a tab\t and \u0001',
      'beyond the plane: 🌦, ␀',
    ];
    const weather = description.map((text, index) => ({
      id: 800 + index,
      main: 'Clear',
      description: text,
      icon: '01d',
    }));
    await pipeline.publish([
      observation({ cityId: 7, at, temp: 7, weather, name: "St. John's; drop table --" }),
    ]);
    await untilCount(7, 1);
    const [row] = (await stored(7)) as unknown as [
      { city_name: string; condition_description: string; conditions: { description: string }[] },
    ];
    expect(row.city_name).toBe("St. John's; drop table --");
    expect(row.condition_description).toBe(description[0]);
    expect(row.conditions.map((condition) => condition.description)).toEqual(description);
  });
});
