import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { alertSchema } from '../schemas/alert.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { createIngestionTroubleActivities, type JudgedRun, type RunJudgement } from './ingestion-trouble.ts';

const scheduledAt = '2026-01-01T12:30:00.000Z';
const now = new Date('2026-01-01T12:31:10Z');
const began = new Date('2026-01-01T12:10:00Z');
const scheduleId = 'ingest/weather/mock/3';

/** Judges a run that comes after so many that failed in a row. */
async function judge(failures: number, error: string | null, pauseAfter?: number) {
  const database = fakeDatabase({
    'ingest-streak': [{ failures, since: failures > 0 ? began : null }],
  });
  const paused: string[][] = [];
  const activities = createIngestionTroubleActivities({
    database,
    policy: { alertAfter: 3, pauseAfter },
    now: () => now,
    pauseSchedule: async (...asked) => void paused.push(asked),
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  const run: JudgedRun = { pipeline: 'weather', source: 'mock', shard: 3, scheduledAt, error };
  const judgement = await environment.run<[JudgedRun], RunJudgement, typeof activities.judgeRun>(
    activities.judgeRun,
    run,
  );
  if (judgement.alert !== undefined) expect(alertSchema.parse(judgement.alert)).toEqual(judgement.alert);
  return { ...judgement, database, paused, activities };
}

describe('a run that failed', () => {
  test('is put on record with why, also when it wrote nothing down itself', async () => {
    const { database } = await judge(0, 'Kafka is away.');
    expect(database.askedFor('fail-ingest-run')).toEqual([
      ['weather', 'mock', 3, scheduledAt, now, 'Kafka is away.', expect.any(String)],
    ]);
    expect(database.askedFor('ingest-streak')).toEqual([['weather', 'mock', 3, scheduledAt]]);
  });

  test('is told when it is the third in a row, with since when and why', async () => {
    expect((await judge(1, 'the key is refused.')).alert).toBeUndefined();
    expect(await judge(2, 'the key is refused.')).toMatchObject({
      pause: undefined,
      alert: {
        status: 'raised',
        id: `${scheduleId}/ingestion-failing/${began.getTime()}`,
        kind: 'ingestion-failing',
        subject: scheduleId,
        reason: '3 runs in a row failed, the last one because: the key is refused.',
        since: began.toISOString(),
        at: now.toISOString(),
      },
    });
    expect((await judge(3, 'the key is refused.')).alert).toBeUndefined();
  });

  test('that is told again has the same id, so that it is known as the same trouble', async () => {
    const [first, again] = [await judge(2, 'a.'), await judge(5, 'b.')];
    expect(again.alert?.id).toBe(first.alert?.id);
    expect(again.alert?.reason).toContain('6 runs in a row failed, the last one because: b.');
  });

  test('is where the trouble begins when it is the first', async () => {
    const { alert, pause } = await judge(0, 'the key is refused.', 1);
    expect(alert).toMatchObject({
      since: scheduledAt,
      reason: `One run failed, the last one because: the key is refused. The schedule is paused: unpause ${scheduleId} when it is mended.`,
    });
    expect(pause?.note).toBe('One run failed, the last one because: the key is refused.');
  });

  test('pauses its schedule when the policy says so, with a note of why', async () => {
    const { pause, alert, paused, activities } = await judge(4, 'the key is refused.', 5);
    expect(pause).toEqual({
      scheduleId,
      note: '5 runs in a row failed, the last one because: the key is refused.',
    });
    expect(alert?.reason).toContain(`The schedule is paused: unpause ${scheduleId} when it is mended.`);
    await activities.pauseIngestion(pause as NonNullable<typeof pause>);
    expect(paused).toEqual([[scheduleId, pause?.note]]);
    expect((await judge(3, 'the key is refused.', 5)).pause).toBeUndefined();
  });
});

describe('a run that is well', () => {
  test('ends a trouble that was told, under the same id, and is not put on record as failed', async () => {
    const raised = await judge(2, 'the key is refused.');
    const { alert, pause, database } = await judge(7, null, 5);
    expect(alert).toMatchObject({
      ...{ status: 'resolved', id: raised.alert?.id, since: began.toISOString() },
      reason: 'It brings observations again, after 7 runs that failed.',
    });
    expect(pause).toBeUndefined();
    expect(database.askedFor('fail-ingest-run')).toEqual([]);
  });

  test('says nothing after failures that were not told', async () => {
    expect((await judge(2, null)).alert).toBeUndefined();
  });
});
