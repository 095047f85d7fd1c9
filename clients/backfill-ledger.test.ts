import { describe, expect, test } from 'vitest';
import { backfillId, backfillRequestKey } from '../domain/backfill-identities.ts';
import { type BackfillFacts, planBackfill } from '../domain/backfill-plan.ts';
import { ALL_HOURS, DAY_MS, HOUR_MS } from '../domain/backfill-windows.ts';
import { backfillRequestSchema } from '../schemas/backfill.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { readBackfillDays } from './backfill-days.ts';
import {
  backfillOf,
  listBackfills,
  openBackfills,
  planOf,
  recordBackfill,
  repeatOf,
  storePlan,
} from './backfill-ledger.ts';

const request = backfillRequestSchema.parse({
  pipeline: 'a-pipeline',
  from: '2026-01-01T00:00:00Z',
  to: '2026-01-03T00:00:00Z',
  reason: 'a test',
});
const facts: BackfillFacts = {
  streamOwnsMs: 36 * HOUR_MS,
  horizonMs: { history: 400 * DAY_MS, kafka: 7 * DAY_MS, file: null },
  hoursPerSpan: 168,
  callsPerSpan: 1,
  callsPerMinute: 2,
};
const days = ['2026-01-01', '2026-01-02'].map((day) => ({
  ...{ entityId: 7, day, expected: ALL_HOURS, complete: 3, failed: 0, underRepair: 0 },
}));
const planned = (repeat = 1) =>
  planBackfill({ request, days, now: new Date('2026-02-01T00:00:00Z'), facts, running: [], repeat });
const plan = planned();
const latest = (status: string, repeat = 1) => ({
  'latest-backfill-of-request': [{ backfill_id: backfillId(request, repeat), repeat, status }],
});
const row = {
  ...{ backfill_id: plan.id, pipeline: 'a-pipeline', request, repeat: 1, status: 'running' },
  ...{ windows: 44, skipped: plan.skipped, chunks: 1, calls: 1, seconds: 30 },
  ...{ workflow_id: `backfill/${plan.id}`, created_at: new Date(0), started_at: null, ended_at: null },
  ...{ error: null, chunks_by_status: { done: 2, failed: 1 } },
};
const windows = { firstDay: '2026-01-01', entities: [{ id: 7, hours: [3, 0, 1] }] };

describe('a plan', () => {
  test('is stored with its chunks, under the lock that all backfills share', async () => {
    const database = fakeDatabase();
    expect(await storePlan(database, plan)).toEqual({ id: plan.id, kind: 'stored' });
    expect(database.asked.map(({ name }) => name)).toEqual([
      'lock-backfills',
      'latest-backfill-of-request',
      'remove-backfill',
      'store-backfill',
      'store-backfill-chunks',
    ]);
    expect(database.askedFor('store-backfill')).toEqual([
      [
        ...[plan.id, 'a-pipeline', backfillRequestKey(request), 1, JSON.stringify(request)],
        ...['backfill', 'a test', 44, JSON.stringify(plan.skipped), 1, 1, 30, `backfill/${plan.id}`],
      ],
    ]);
    const [[id, chunks] = []] = database.askedFor('store-backfill-chunks');
    expect(id).toBe(plan.id);
    expect(JSON.parse(String(chunks))).toMatchObject([
      { position: 0, path: 'batch', first_day: '2026-01-01', last_day: '2026-01-02', window_count: 44 },
    ]);
  });

  test.each(['running', 'paused', 'cancelling'])(
    'is attached to an identical one that is %s',
    async (status) => {
      const database = fakeDatabase(latest(status, 3));
      expect(await storePlan(database, plan)).toEqual({ id: `${plan.id}-3`, kind: 'attached' });
      expect(database.askedFor('store-backfill')).toEqual([]);
    },
  );

  test('takes the place of an identical one that was not started', async () => {
    const database = fakeDatabase(latest('planned'));
    expect(await storePlan(database, plan)).toMatchObject({ kind: 'stored' });
    expect(database.askedFor('remove-backfill')).toEqual([[plan.id]]);
  });

  test('made before an identical one ended is stale; made after it, it has a number of its own', async () => {
    const database = fakeDatabase(latest('completed_with_failures'));
    await expect(storePlan(database, plan)).rejects.toMatchObject({
      code: 'BACKFILL_PLAN_STALE',
      message: `An identical backfill has ended since ${plan.id} was planned: plan it again.`,
    });
    expect(database.askedFor('store-backfill')).toEqual([]);
    expect(await repeatOf(database, request)).toBe(2);
    expect(await storePlan(database, planned(2))).toEqual({ id: `${plan.id}-2`, kind: 'stored' });
    expect(await repeatOf(fakeDatabase(latest('planned', 2)), request)).toBe(2);
    expect(await repeatOf(fakeDatabase(), request)).toBe(1);
  });
});

describe('what is on record', () => {
  test('of a backfill names its request and counts its chunks in every state', async () => {
    const database = fakeDatabase({ 'list-backfills': [row] });
    const [record] = await listBackfills(database, { limit: 5 });
    expect(record).toMatchObject({
      id: plan.id,
      request,
      status: 'running',
      chunksByStatus: { done: 2, pending: 0 },
    });
    expect(await backfillOf(database, plan.id)).toEqual(record);
    expect(await planOf(database, plan.id)).toEqual({ ...record, plan: [] });
    await listBackfills(database, { pipeline: 'a-pipeline', limit: 9 });
    expect(database.askedFor('list-backfills')).toEqual([
      [null, null, 5],
      [null, plan.id, 1],
      [null, plan.id, 1],
      ['a-pipeline', null, 9],
    ]);
  });

  test('of one that there is not, is said', async () => {
    await expect(backfillOf(fakeDatabase(), 'x')).rejects.toMatchObject({
      code: 'UNKNOWN_BACKFILL',
      message: 'There is no backfill x on record: list the backfills to see which there are.',
    });
  });

  test('of open ones are the windows they are still to load', async () => {
    const database = fakeDatabase({
      'open-backfills': [
        { backfill_id: 'a', request, windows },
        { backfill_id: 'a', request, windows: { ...windows, firstDay: '2026-01-09' } },
        { backfill_id: 'b', request, windows: null },
      ],
    });
    expect(await openBackfills(database, 'a-pipeline')).toEqual([
      {
        id: 'a',
        request,
        remaining: [
          { entityId: 7, day: '2026-01-01', hours: 3 },
          { entityId: 7, day: '2026-01-03', hours: 1 },
          { entityId: 7, day: '2026-01-09', hours: 3 },
          { entityId: 7, day: '2026-01-11', hours: 1 },
        ],
      },
      { id: 'b', request, remaining: [] },
    ]);
    expect(database.askedFor('open-backfills')).toEqual([
      ['a-pipeline', ['running', 'paused', 'cancelling'], ['done', 'failed', 'cancelled']],
    ]);
  });
});

describe('what happens to a backfill', () => {
  const inState = (status: string, open: readonly object[] = []) =>
    fakeDatabase({
      'list-backfills': [{ ...row, status }],
      'windows-to-load': [{ windows }],
      'open-backfills': open,
    });

  test('is written down as its states let it happen', async () => {
    const database = inState('running');
    expect(await recordBackfill(database, plan.id, 'gaveUp', 'no\u0000 disk')).toBe('failed');
    expect(await recordBackfill(database, plan.id, 'paused')).toBe('paused');
    expect(database.askedFor('record-backfill')).toEqual([
      [plan.id, 'failed', false, true, 'no␀ disk'],
      [plan.id, 'paused', false, false, null],
    ]);
    expect(database.asked[0]?.name).toBe('lock-backfills');
  });

  test('and means nothing in its state changes nothing', async () => {
    const database = inState('completed');
    expect(await recordBackfill(database, plan.id, 'retried')).toBe('completed');
    expect(database.askedFor('record-backfill')).toEqual([]);
  });

  test.each([
    ['planned', 'started'],
    ['failed', 'retried'],
  ] as const)('when it is %s and is %s, another must not be loading the same', async (status, event) => {
    const other = { backfill_id: 'other', request, windows };
    await expect(recordBackfill(inState(status, [other]), plan.id, event)).rejects.toMatchObject({
      code: 'BACKFILL_OVERLAPS',
      overlaps: [{ id: 'other', windows: 3 }],
    });
    const apart = { ...other, windows: { ...windows, firstDay: '2026-01-02' } };
    const database = inState(status, [apart]);
    expect(await recordBackfill(database, plan.id, event)).toBe('running');
    expect(database.askedFor('record-backfill')).toEqual([[plan.id, 'running', true, false, null]]);
  });
});

test('the days of a range are read for all locations, or for those that are asked for', async () => {
  const known = { entity_id: 7, day: '2026-01-01', expected: 1, complete: 2, failed: 4, under_repair: 8 };
  const database = fakeDatabase({ 'backfill-days': [known] });
  const read = { entityId: 7, day: '2026-01-01', expected: 1, complete: 2, failed: 4, underRepair: 8 };
  expect(await readBackfillDays(database, request)).toEqual([read]);
  await readBackfillDays(database, { ...request, entities: [7] });
  expect(database.askedFor('backfill-days').map((parameters) => parameters.slice(0, 4))).toEqual([
    ['a-pipeline', request.from, request.to, null],
    ['a-pipeline', request.from, request.to, [7]],
  ]);
});
