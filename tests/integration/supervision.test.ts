import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StackState } from '../../stack/data-dir.ts';
import { eventually } from '../support/eventually.ts';
import { createIsolatedPipeline, type IsolatedPipeline, observation } from '../support/isolated-pipeline.ts';
import { stack } from '../support/shared-stack.ts';

let pipeline: IsolatedPipeline;

beforeAll(async () => {
  pipeline = await createIsolatedPipeline('supervision');
});
afterAll(() => pipeline?.close());

const service = (name: string) => {
  const { services } = JSON.parse(readFileSync(join(stack.dataDir, 'state.json'), 'utf8')) as StackState;
  const found = services.find((candidate) => candidate.name.startsWith(name));
  if (found?.process === undefined) throw new Error(`${name} has no process now`);
  return { ...found, pid: found.process.pid };
};

async function killAndAwaitReturn(name: string): Promise<void> {
  const before = service(name);
  process.kill(before.pid, 'SIGKILL');
  await eventually(
    `${name} is started again`,
    async () => service(name),
    ({ pid, phase, restarts }) => pid !== before.pid && phase === 'ready' && restarts === before.restarts + 1,
    { withinMs: 90_000 },
  );
}

describe('a service that is killed is started again', () => {
  test('the TaskManager: the job recovers by itself, and every record is stored and counted once', async () => {
    const jobId = await pipeline.start();
    const start = Math.floor(Date.now() / 3_600_000) * 3_600_000;
    const cities = Array.from({ length: 50 }, (_, index) => index + 1);
    const publish = (second: number) =>
      pipeline.publish(
        cities.map((cityId) => observation({ cityId, at: new Date(start + second * 1_000), temp: second })),
      );
    for (let second = 0; second < 10; second += 1) await publish(second);
    await eventually(
      'the job has stored something',
      () => pipeline.rows('select from observations'),
      (rows) => rows.length > 0,
    );
    await killAndAwaitReturn('flink-taskmanager');
    for (let second = 10; second < 20; second += 1) await publish(second);
    const hours = () =>
      pipeline.rows<{
        city_id: string;
        observation_count: string;
        temp_min: number;
        temp_max: number;
        temp_avg: number;
      }>('select * from weather_hourly order by city_id');
    const rows = await eventually(
      'every hour counts every record',
      hours,
      (found) => found.length === cities.length && found.every((hour) => hour.observation_count === '20'),
      { withinMs: 120_000 },
    );
    for (const hour of rows) expect(hour).toMatchObject({ temp_min: 0, temp_max: 19, temp_avg: 9.5 });
    const stored = () => pipeline.rows('select from observations');
    await eventually('every record is stored', stored, (found) => found.length === 20 * cities.length);
    expect((await pipeline.rest.job(jobId))?.state).toBe('RUNNING');
  });

  test('the worker, the mock and the SQL Gateway', async () => {
    await Promise.all(['worker-', 'mock', 'flink-gateway'].map(killAndAwaitReturn));
  });
});
