import type { Client, ScheduleOptions } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTemporal } from '../../clients/temporal.ts';
import { temporalAddress } from '../../config/addresses.ts';
import {
  completenessScheduleId,
  completenessWatchScheduleId,
  ingestScheduleId,
  partitionsScheduleId,
  recordsScheduleId,
} from '../../domain/identities.ts';
import { eventually } from '../support/eventually.ts';
import { config, hourglass, stack } from '../support/shared-stack.ts';

const ingest = ingestScheduleId('weather', 'mock', 0);
const records = recordsScheduleId('weather');
const leftOver = ingestScheduleId('weather', 'mock', 7);
const strangers = ['nightly-report', ingestScheduleId('weather', 'openweathermap', 0)];

let client: Client;

beforeAll(async () => {
  client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
});
afterAll(async () => {
  for (const id of [leftOver, ...strangers])
    await client.schedule
      .getHandle(id)
      .delete()
      .catch(() => undefined);
  await hourglass(['schedules', 'apply']);
  await client.schedule.getHandle(ingest).unpause();
  await client.connection.close();
});

/** Paused: it never starts anything. */
const paused = (scheduleId: string): ScheduleOptions => ({
  scheduleId,
  spec: { calendars: [{ hour: 4 }] },
  state: { paused: true },
  action: { type: 'startWorkflow', workflowType: 'ingestWeather', taskQueue: 'nobody', args: [] },
});

interface Listed {
  readonly scheduleId: string;
  readonly verdict: { kind: string; differences?: { field: string; there: string; declared: string }[] };
  readonly record?: { isPaused: boolean; note?: string; skipped: number; missed: number; taken: number };
}

async function diff(
  environment: Record<string, string> = {},
): Promise<{ code: number; schedules: Listed[] }> {
  const { code, stdout, stderr } = await hourglass(['schedules', 'diff', '--json'], {
    HOURGLASS_DATA_DIR: stack.dataDir,
    ...environment,
  });
  expect(stderr).toBe('');
  return { code, schedules: JSON.parse(stdout) };
}

async function listedIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of client.schedule.list()) ids.push(scheduleId);
  return ids;
}

const kinds = (schedules: readonly Listed[]): Record<string, string> =>
  Object.fromEntries(schedules.map(({ scheduleId, verdict }) => [scheduleId, verdict.kind]));

const declared = {
  [ingest]: 'as_declared',
  [records]: 'as_declared',
  [completenessScheduleId('weather')]: 'as_declared',
  [completenessWatchScheduleId('weather')]: 'as_declared',
  [partitionsScheduleId]: 'as_declared',
};

describe('hourglass schedules', () => {
  test('as the start left them, all are as declared, and what they skipped and missed is told', async () => {
    const [{ code, schedules }, applied] = await Promise.all([diff(), hourglass(['schedules', 'apply'])]);
    expect(schedules.flatMap(({ verdict }) => verdict.differences ?? [])).toEqual([]);
    expect([code, kinds(schedules)]).toEqual([0, declared]);
    for (const { record } of schedules)
      expect(record).toMatchObject({
        isPaused: false,
        skipped: expect.any(Number),
        missed: expect.any(Number),
      });
    expect(schedules[0]?.record?.taken).toBeGreaterThan(0);
    expect(applied.stdout).toBe('Every schedule is as declared.\n');
  });

  test('more shards are more schedules, and every one polls another part', async () => {
    const { code, schedules } = await diff({ INGEST_SHARDS: '2' });
    expect([code, kinds(schedules)]).toEqual([
      1,
      {
        ...declared,
        [ingest]: 'differs',
        [ingestScheduleId('weather', 'mock', 1)]: 'missing',
        // Who judges the polls must know in which parts they are made.
        [completenessScheduleId('weather')]: 'differs',
      },
    ]);
    const fields = schedules[0]?.verdict.differences;
    expect(fields?.map(({ field }) => field)).toEqual(['arguments', 'summary']);
    expect(fields?.[0]).toMatchObject({
      there: '[{"pipeline":"weather","source":"mock","shard":0,"shards":1}]',
      declared: '[{"pipeline":"weather","source":"mock","shard":0,"shards":2}]',
    });
  });

  test('what was changed by hand is found and mended; who paused it, and what is not ours, is left alone', async () => {
    await client.schedule.getHandle(ingest).pause('the source is being moved');
    await client.schedule.getHandle(records).delete();
    await client.schedule.getHandle(partitionsScheduleId).update((schedule) => ({
      ...schedule,
      spec: { calendars: [{ hour: 5, minute: 30 }], jitter: '1 minute' },
    }));
    for (const id of [leftOver, ...strangers]) await client.schedule.create(paused(id));

    await eventually('the server lists the left over one', listedIds, (ids) => ids.includes(leftOver));
    const [{ schedules }, { code, stdout }] = await Promise.all([diff(), hourglass(['schedules', 'diff'])]);
    expect(kinds(schedules)).toEqual({
      ...declared,
      [records]: 'missing',
      [partitionsScheduleId]: 'differs',
      [leftOver]: 'not_declared',
    });
    expect(code).toBe(1);
    for (const words of [
      'times: hour 5, minute 30 → hour 3, minute 30',
      'jitter: 1 min → (none)',
      'not declared any more',
      'paused: the source is being moved',
      '`npx hourglass schedules apply`',
    ])
      expect(stdout).toContain(words);

    const applied = await hourglass(['schedules', 'apply']);
    for (const words of [
      `${records} was made`,
      `${partitionsScheduleId} was changed`,
      `${leftOver} was deleted`,
    ])
      expect(applied.stdout).toContain(words);
    const after = await diff();
    expect([after.code, kinds(after.schedules)]).toEqual([0, declared]);
    expect(after.schedules[0]?.record).toMatchObject({ isPaused: true, note: 'the source is being moved' });
    for (const id of strangers)
      expect((await client.schedule.getHandle(id).describe()).action.taskQueue).toBe('nobody');
  });
});
