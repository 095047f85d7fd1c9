import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  findingsSince,
  isTroubled,
  latestAlert,
  previousEnd,
  recordAlert,
  silentSince,
} from '../../clients/completeness-alerts.ts';
import { beginCheck, endCheck } from '../../clients/completeness-checks.ts';
import {
  giveUpWindows,
  incompleteWindows,
  recordRepair,
  repairsOfWindows,
  unsettledHours,
  windowsToRepair,
} from '../../clients/completeness-repairs.ts';
import { explainedWindows, unexplainedWindows } from '../../clients/lost-records.ts';
import { alertOfCheck } from '../../domain/completeness-alerts.ts';
import { windowKey } from '../../domain/completeness-blocks.ts';
import { createJudgedWorld, type JudgedWorld, LIVE, PIPELINE } from '../support/judged-world.ts';

const DAY = '2024-02-29';
const hour = (number: number): Date => new Date(Date.parse(`${DAY}T00:00:00Z`) + number * 3_600_000);
const minutes = (number: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) =>
    new Date(hour(number).getTime() + index * 600_000).toISOString(),
  );
const block = (from: number, to: number, entities: readonly number[]) => ({
  ...{ from: hour(from).toISOString(), to: hour(to).toISOString(), entities },
});

let world: JudgedWorld;
beforeEach(async () => {
  world = await createJudgedWorld();
  await world.watch([{ id: 20 }, { id: 22 }, { id: 24 }]);
});
afterEach(() => world.close());

const judge = (given: Parameters<JudgedWorld['judge']>[2] = {}) =>
  world.judge(hour(10).toISOString(), 3, given);
/** 20 is complete in hours 10 to 12, 22 partial, 24 has nothing. */
async function judged(): Promise<void> {
  for (const number of [10, 11, 12]) {
    await world.observe(20, minutes(number, 5));
    await world.observe(22, minutes(number, 2));
  }
  await world.aggregate([20, 22]);
  await judge();
}
const question = { pipeline: PIPELINE, mostAttempts: 3, limit: 100 };
const named = (windows: readonly { readonly entityId: number; readonly windowStart: Date }[]): string[] =>
  windows.map(({ entityId, windowStart }) => `${entityId}/${windowStart.toISOString().slice(11, 13)}`);

describe('windows that need a repair', () => {
  test('come oldest first, page by page, of a range and of locations when these are told', async () => {
    await judged();
    const all = await windowsToRepair(world.database, question);
    expect(named(all)).toEqual(['22/10', '24/10', '22/11', '24/11', '22/12', '24/12']);
    expect(all[0]).toMatchObject({
      ...{ verdict: 'partial', expected: 4, observed: 2, aggregated: 2, attempts: 0, repairBegunAt: null },
    });
    const [, second] = all;
    expect(
      await windowsToRepair(world.database, { ...question, limit: 2, ...(second && { after: second }) }),
    ).toEqual(all.slice(2, 4));
    const within = { from: hour(11), to: hour(12), entities: [24] };
    expect(named(await windowsToRepair(world.database, { ...question, within }))).toEqual(['24/11']);
  });

  test('are none that are expected no more', async () => {
    await judged();
    await world.sql.query(`update locations set active_to = '${DAY}T11:30Z' where city_id = 24`);
    expect(named(await windowsToRepair(world.database, question))).toEqual([
      '22/10',
      '24/10',
      '22/11',
      '22/12',
    ]);
  });

  test('are told apart from others of their hours that lack observations, too', async () => {
    await judged();
    const incomplete = await incompleteWindows(world.database, PIPELINE, [hour(10), hour(12)]);
    const keys = [22, 24].flatMap((entityId) =>
      [hour(10), hour(12)].map((windowStart) => windowKey({ entityId, windowStart })),
    );
    expect([...(incomplete ?? [])].sort()).toEqual(keys.sort());
  });
});

describe('a repair that was begun', () => {
  const at = new Date('2024-03-01T00:12:00Z');
  const begun = { pipeline: PIPELINE, workflowId: 'batch-job/1', blocks: [block(10, 12, [20, 22])], at };

  test('is an attempt of each window that needs it, however often it is recorded', async () => {
    await judged();
    expect(await recordRepair(world.database, begun)).toBe(2);
    expect(await recordRepair(world.database, begun)).toBe(0);
    const windows = await windowsToRepair(world.database, question);
    expect(named(windows.filter(({ attempts }) => attempts === 1))).toEqual(['22/10', '22/11']);
    expect(windows[0]?.repairBegunAt).toEqual(at);
    expect(await recordRepair(world.database, { ...begun, workflowId: 'batch-job/2' })).toBe(2);
    expect(await repairsOfWindows(world.database, PIPELINE)).toEqual(['batch-job/2']);
    await recordRepair(world.database, { ...begun, workflowId: 'backfill/3' });
    expect(await repairsOfWindows(world.database, PIPELINE)).toEqual([]);
    expect(named(await windowsToRepair(world.database, question))).toEqual([
      '24/10',
      '24/11',
      '22/12',
      '24/12',
    ]);
  });

  test('is an attempt of what another check found to be under repair by now, too', async () => {
    await judged();
    await world.backfill({ entityId: 22, hour: hour(10).toISOString(), status: 'pending' });
    expect((await judge()).byVerdict).toMatchObject({ repairing: 1, partial: 2 });
    expect(await recordRepair(world.database, begun)).toBe(2);
    const { rows } = await world.sql.query(
      'select window_start from window_completeness where attempts = 1 order by window_start',
    );
    expect(rows).toEqual([{ window_start: hour(10) }, { window_start: hour(11) }]);
  });

  test('counts again when its window was good in between, and broke once more', async () => {
    await judged();
    await recordRepair(world.database, begun);
    await world.observe(22, minutes(10, 5).slice(2));
    await world.sql.query('delete from weather_hourly');
    await world.aggregate([20, 22]);
    await judge();
    // Good: nothing to count.
    expect(await recordRepair(world.database, { ...begun, blocks: [block(10, 11, [22])] })).toBe(0);
    await world.sql.query(`delete from observations where city_id = 22 and observed_at < '${DAY}T10:30Z'`);
    await judge();
    expect(await recordRepair(world.database, begun)).toBe(1);
    expect(await recordRepair(world.database, begun)).toBe(0);
  });

  test('of windows that are expected no more leaves nothing unsettled, open or in trouble', async () => {
    await judged();
    await recordRepair(world.database, { ...begun, blocks: [block(10, 13, [22, 24])] });
    const standing = async () => [
      (await unsettledHours(world.database, PIPELINE, hour(20))).length,
      (await repairsOfWindows(world.database, PIPELINE)).length,
      await isTroubled(world.database, PIPELINE),
    ];
    expect(await standing()).toEqual([3, 1, true]);
    await world.sql.query(`update locations set active_to = '${DAY}T10:00Z' where city_id in (22, 24)`);
    expect(await standing()).toEqual([0, 0, false]);
  });

  test('leaves hours unsettled, until it has come to something', async () => {
    await judged();
    expect(await unsettledHours(world.database, PIPELINE, hour(20))).toEqual([]);
    await recordRepair(world.database, begun);
    expect(await unsettledHours(world.database, PIPELINE, hour(20))).toEqual([hour(10), hour(11)]);
    expect(await unsettledHours(world.database, PIPELINE, hour(11))).toEqual([hour(10)]);
    await judge({ openRepairs: ['batch-job/1'] });
    expect(await unsettledHours(world.database, PIPELINE, hour(20))).toEqual([hour(10), hour(11)]);
    await world.observe(22, minutes(10, 5).slice(2));
    await world.sql.query('delete from weather_hourly');
    await world.aggregate([20, 22]);
    await judge();
    expect(await unsettledHours(world.database, PIPELINE, hour(20))).toEqual([hour(11)]);
  });

  test('of windows that nothing can repair is tried no more', async () => {
    await judged();
    await giveUpWindows(world.database, PIPELINE, [block(10, 13, [24])], 3);
    expect(named(await windowsToRepair(world.database, question))).toEqual(['22/10', '22/11', '22/12']);
    expect((await judge()).byVerdict).toMatchObject({ unrepairable: 3, partial: 3, complete: 3 });
  });
});

describe('what the log may tell more of', () => {
  test('is what nothing explains, or counts more than is stored; and what it has told is remembered', async () => {
    await world.run(0, hour(10).toISOString(), 240);
    await judged();
    await world.sql.query(`delete from observations where city_id = 20 and observed_at = '${DAY}T10:00Z'`);
    await judge();
    const range = { pipeline: PIPELINE, from: hour(10), to: hour(11) };
    expect(named(await unexplainedWindows(world.database, range))).toEqual(['20/10', '22/10', '24/10']);
    expect(await explainedWindows(world.database, range)).toEqual([]);
    const lost = { entityId: 22, windowStart: hour(10), topic: LIVE, partition: 0, offset: 7 };
    await judge({ publishedNotStored: [lost] });
    expect(named(await unexplainedWindows(world.database, range))).toEqual(['20/10', '24/10']);
    expect(await explainedWindows(world.database, range)).toEqual([
      { entityId: 22, windowStart: hour(10), published: [{ topic: LIVE, partition: 0, offset: 7 }] },
    ]);
    expect(await explainedWindows(world.database, { ...range, entities: [24] })).toEqual([]);
  });
});

describe('what a person is told', () => {
  test('is what was found since the last check, and that it is over', async () => {
    const began = new Date();
    await beginCheck(world.database, {
      pipeline: PIPELINE,
      id: 'one',
      from: hour(10),
      to: hour(13),
      logEnds: null,
    });
    expect(await previousEnd(world.database, PIPELINE, 'one')).toBeUndefined();
    await judged();
    const findings = await findingsSince(world.database, PIPELINE, new Date(0));
    expect(findings).toEqual([{ verdict: 'missing', windows: 3, firstHour: hour(10), lastHour: hour(12) }]);
    expect(await isTroubled(world.database, PIPELINE)).toBe(true);
    expect(await latestAlert(world.database, PIPELINE)).toBeUndefined();
    const alert = alertOfCheck({
      ...{ pipeline: PIPELINE, findings, isTroubled: true, told: undefined, begunAt: began, now: began },
    });
    if (alert === undefined) throw new Error('nothing is told');
    await recordAlert(world.database, PIPELINE, 'one', alert);
    expect(await latestAlert(world.database, PIPELINE)).toEqual(alert);
    await endCheck(world.database, { pipeline: PIPELINE, id: 'one', ...(await judge()) });
    const ended = await previousEnd(world.database, PIPELINE, 'two');
    expect(ended?.getTime()).toBeGreaterThanOrEqual(began.getTime() - 1_000);
    expect(await findingsSince(world.database, PIPELINE, ended ?? new Date(0))).toEqual([]);
    for (const number of [10, 11, 12]) await world.observe(24, minutes(number, 5));
    await world.aggregate([24]);
    await judge();
    expect(await isTroubled(world.database, PIPELINE)).toBe(false);
  });

  test('is not over while a window is missing; one that was given up is told once, and is over', async () => {
    await judged();
    expect(await isTroubled(world.database, PIPELINE)).toBe(true);
    await giveUpWindows(world.database, PIPELINE, [block(10, 13, [22, 24])], 3);
    await judge();
    const found = await findingsSince(world.database, PIPELINE, new Date(0));
    expect(found.map(({ verdict, windows }) => [verdict, windows])).toEqual([
      ['missing', 3],
      ['unrepairable', 6],
    ]);
    expect(await isTroubled(world.database, PIPELINE)).toBe(false);
  });

  test('is nothing of windows that waited, and then are what they were before', async () => {
    await judged();
    const later = async (since: Date) =>
      (await findingsSince(world.database, PIPELINE, since)).map(
        ({ verdict, windows }) => `${windows} ${verdict}`,
      );
    const now = async (): Promise<Date> => (await world.sql.query('select now() as now')).rows[0].now;
    const first = await now();
    for (const isBehind of [true, false, true]) await judge({ isBehind });
    await world.backfill({ entityId: 24, hour: hour(10).toISOString(), status: 'pending' });
    await judge();
    await world.sql.query(`update backfill_chunks set status = 'failed'`);
    await judge();
    expect(await world.changes()).toContain('24/10: repairing → missing');
    expect(await later(first)).toEqual([]);
    const second = await now();
    await judge({ isBehind: true });
    await world.sql.query(`update weather_hourly set temp_avg = 99 where city_id = 22`);
    await judge();
    expect(await later(second)).toEqual(['3 mismatched']);
    expect(await later(new Date(0))).toEqual(['3 mismatched', '3 missing']);
  });

  test('of silence counts from the last end; before the first, from when there was anything to judge', async () => {
    expect(await silentSince(world.database, PIPELINE)).toBeUndefined();
    const check = { pipeline: PIPELINE, id: 'one', from: hour(10), to: hour(11), logEnds: null };
    const { beganAt } = await beginCheck(world.database, check);
    expect(await silentSince(world.database, PIPELINE)).toEqual(beganAt);
    await world.run(0, hour(8).toISOString(), 5);
    expect(await silentSince(world.database, PIPELINE)).toEqual(hour(8));
    await endCheck(world.database, { pipeline: PIPELINE, id: 'one', ...(await judge()) });
    expect((await silentSince(world.database, PIPELINE))?.getTime()).toBeGreaterThanOrEqual(
      beganAt.getTime(),
    );
    expect(await silentSince(world.database, PIPELINE, 'one')).toEqual(hour(8));
  });
});
