import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIsolatedPipeline, type IsolatedPipeline, observation } from '../support/isolated-pipeline.ts';

let pipeline: IsolatedPipeline;
beforeAll(async () => {
  pipeline = await createIsolatedPipeline('duplicates');
  await pipeline.start();
});
afterAll(() => pipeline?.close());

const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
const at = (second: number): Date => new Date(hour.getTime() + second * 1_000);
const first = observation({ cityId: 1, at: at(1), temp: 1 });
const second = observation({ cityId: 1, at: at(2), temp: 2 });
/** The same city and time with another temperature: were it accepted, the hour would show it. */
const changed = observation({ cityId: 1, at: at(1), temp: 50 });

/** Both tables but for the times of storing, which no duplicate may change either. */
const tables = async () => ({
  observations: await pipeline.rows('select * from observations order by city_id, observed_at'),
  hours: await pipeline.rows('select * from weather_hourly order by city_id, window_start'),
});
const factsOf = ({ hours, observations }: Awaited<ReturnType<typeof tables>>) => ({
  observations,
  hours: hours.map(({ updated_at: _, ...row }: { updated_at?: Date }) => row),
});

describe('the same observation, published ten times', () => {
  let before: Awaited<ReturnType<typeof tables>>;

  test('in one batch, it is one row, and counts once', async () => {
    await pipeline.publish([first, first, changed, second, first]);
    await pipeline.untilRead();
    before = await tables();
    expect(before.observations).toMatchObject([{ temp: 1 }, { temp: 2 }]);
    expect(before.hours).toMatchObject([{ observation_count: '2', temp_avg: 1.5, temp_max: 2 }]);
  });

  test('across checkpoints, nothing changes', async () => {
    for (const repeated of [first, changed]) {
      await pipeline.untilCheckpoint();
      await pipeline.publish([repeated]);
      await pipeline.untilRead();
    }
    expect(await tables()).toEqual(before);
  });

  test('after a stop and a start from the savepoint, nothing changes', async () => {
    const savepoint = await pipeline.stop();
    await pipeline.publish([changed]);
    await pipeline.start(savepoint);
    await pipeline.publish([changed]);
    await pipeline.untilRead();
    expect(await tables()).toEqual(before);
  });

  test('after a crash and a start from the topic’s beginning, the tables are the same', async () => {
    await pipeline.cancel();
    await pipeline.start();
    await pipeline.publish([changed]);
    await pipeline.untilRead();
    expect(factsOf(await tables())).toEqual(factsOf(before));
    expect(await pipeline.accountForRecords()).toMatchObject({
      read: 10,
      stored: 2,
      duplicates: 8,
      deadLetters: 0,
    });
  });
});

test('what is published between a stop and the next start is read then, and an hour goes on where it was', async () => {
  const savepoint = await pipeline.stop();
  await pipeline.publish([
    observation({ cityId: 1, at: at(3), temp: 6 }),
    observation({ cityId: 2, at: at(3), temp: 7 }),
  ]);
  await pipeline.start(savepoint);
  await pipeline.untilRead();
  const { hours } = await tables();
  expect(hours).toMatchObject([
    { city_id: '1', observation_count: '3', temp_avg: 3, temp_max: 6 },
    { city_id: '2', observation_count: '1', temp_avg: 7 },
  ]);
});
