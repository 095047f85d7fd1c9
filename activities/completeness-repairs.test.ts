import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../domain/backfill-windows.ts';
import type { HourRepair } from '../domain/completeness-repairs.ts';
import { backfillRequestSchema } from '../schemas/backfill.ts';
import { type CompletenessInput, completenessInputSchema } from '../schemas/completeness.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { createCompletenessRepairActivities, type Reach } from './completeness-repairs.ts';

const PIPELINE = 'a-pipeline';
const topic = (name: string) => ({ name, partitions: 2, retentionMs: DAY_MS });
const pipelines = {
  [PIPELINE]: {
    name: PIPELINE,
    topics: {
      live: topic('live'),
      repairs: topic('repairs'),
      history: topic('history'),
      deadLetters: topic('dead'),
    },
    consumerGroup: 'a-group',
    backfill: { loadJob: 'load', recomputeJob: 'recompute' },
  } as PipelineDefinition,
};
const facts = {
  [PIPELINE]: {
    ...{ streamOwnsMs: 36 * HOUR_MS, hoursPerSpan: 24, callsPerSpan: 1, callsPerMinute: 60 },
    horizonMs: { history: 7 * DAY_MS, kafka: DAY_MS, file: null },
  },
};
const now = new Date('2026-03-01T10:12:00Z');
const hour = (text: string): Date => new Date(`2026-${text}:00:00Z`);

function world(rows: Parameters<typeof fakeDatabase>[0] = {}) {
  const database = fakeDatabase(rows);
  const clock = { now };
  const activities = createCompletenessRepairActivities({
    ...{ database, pipelines, facts, repairs: true, pollMs: 1, contracts: {} },
    kafka: {
      watermarks: async (name) => [
        { partition: 0, low: 2, high: name === 'live' ? 50 : 2 },
        { partition: 1, low: 0, high: 0 },
      ],
      // What is older than a week has expired.
      offsetsAt: async (_, time) =>
        new Map([[0, time < hour('02-22T00') ? 2 : time < hour('03-01T08') ? 11 : 30]]),
      committedOffsets: async () => new Map(),
      read: async () => undefined,
    },
    now: () => {
      clock.now = new Date(clock.now.getTime() + 1_000);
      return clock.now;
    },
    isOpenWorkflow: async () => false,
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  return { database, activities, run: <T>(work: () => Promise<T>): Promise<T> => environment.run(work) };
}

const asked = (given: Partial<CompletenessInput> = {}) => {
  const { carried: _, ...rest } = completenessInputSchema.parse({
    pipeline: PIPELINE,
    source: 'a-source',
    ...given,
  });
  return rest;
};
const row = (entityId: number, at: Date, given: object = {}) => ({
  ...{ entity_id: entityId, window_start: at, verdict: 'missing', reason: 'run_missing' },
  ...{ expected: 4, observed: 0, aggregated: null, attempts: 0, repair_begun_at: null },
  ...given,
});
const backfillRow = (status: string, given: object = {}) => ({
  ...{
    backfill_id: 'a-backfill',
    repeat: 1,
    status,
    windows: 1,
    skipped: {},
    chunks: 1,
    chunks_by_status: {},
  },
  ...{ calls: 1, seconds: 1, workflow_id: 'backfill/a-backfill', file: null, error: null },
  ...{ created_at: now, started_at: null, ended_at: null },
  request: backfillRequestSchema.parse({
    ...{ pipeline: PIPELINE, from: '2026-03-01T08:00:00Z', to: '2026-03-01T09:00:00Z', purpose: 'repair' },
  }),
  ...given,
});

describe('the plan', () => {
  test('takes what is due, page by page, and passes over what waits for its time', async () => {
    const waiting = Array.from({ length: 5_000 }, (_, index) =>
      row(index + 1, hour('03-01T05'), { attempts: 1, repair_begun_at: now }),
    );
    const { database, activities, run } = world({
      'windows-to-repair': (parameters) => (parameters[7] === null ? waiting : [row(7, hour('03-01T08'))]),
      'incomplete-windows': [{ entity_id: 7, window_start: hour('03-01T08') }],
    });
    const plan = await run(() => activities.planWindowRepairs({ asked: asked(), mayGiveUp: true }));
    expect(plan).toEqual({
      ...{ recompute: [], reload: [], hopeless: [], room: 2, resume: [] },
      fetch: [{ from: '2026-03-01T08:00:00Z', to: '2026-03-01T09:00:00Z', entities: [7] }],
    });
    expect(database.askedFor('windows-to-repair')[1]?.slice(7)).toEqual([hour('03-01T05'), 5_000]);
  });

  test('of a check by hand is of its windows alone', async () => {
    const { database, activities, run } = world();
    const range = { from: '2026-03-01T08:00:00Z', to: '2026-03-01T09:00:00Z', entities: [7] };
    await run(() => activities.planWindowRepairs({ asked: asked(range), mayGiveUp: true }));
    expect(database.askedFor('windows-to-repair')[0]?.slice(2, 6)).toEqual([
      3,
      hour('03-01T08'),
      hour('03-01T09'),
      [7],
    ]);
  });

  test('leaves room for the repairs that run but are not paused, and begins anew what nobody carries on', async () => {
    const open = ['running', 'paused', 'running'].map((status, index) => ({
      ...{ backfill_id: `repair-${index}`, status, workflow_id: `backfill/repair-${index}` },
    }));
    const { activities, run } = world({
      'windows-to-repair': ['05', '07', '09'].map((at) => row(7, hour(`03-01T${at}`))),
      'open-repairs': open.slice(0, 2),
    });
    const plan = () => run(() => activities.planWindowRepairs({ asked: asked(), mayGiveUp: true }));
    expect(await plan()).toMatchObject({ room: 1, resume: ['repair-0', 'repair-1'] });
  });

  test('loads an hour from the log that is to be made anew, where a row of it counts more than is stored', async () => {
    const wrong = { verdict: 'mismatched', reason: 'aggregate_wrong', observed: 4, aggregated: 4 };
    const { activities, run } = world({
      'windows-to-repair': [row(7, hour('03-01T05'), wrong), row(7, hour('03-01T07'), wrong)],
      'hours-counting-more': [{ window_start: hour('03-01T07') }],
    });
    const { recompute, reload } = await run(() =>
      activities.planWindowRepairs({ asked: asked(), mayGiveUp: true }),
    );
    expect([...recompute, ...reload].map(({ from }) => from)).toEqual([
      '2026-03-01T05:00:00Z',
      '2026-03-01T07:00:00Z',
    ]);
  });
});

test('a reload loads what each log holds around the hours, every partition named, and nothing from an empty one', async () => {
  const { activities, run } = world();
  const repair: HourRepair = {
    ...{ id: 'reload-1-0123456789ab', from: '2026-03-01T08:00:00Z', to: '2026-03-01T09:00:00Z', blocks: [] },
    isLast: false,
  };
  const reload = (reach: Reach) => run(() => activities.planReload({ pipeline: PIPELINE, repair, reach }));
  const jobs = await reload('around');
  expect(jobs).toEqual([
    {
      load: expect.stringMatching(/^reload-1-0123456789ab-[0-9a-f]{12}$/),
      parameters: {
        ...{ topic: 'live', offsets: '0:11-30;1:0-0', backfill: 'any', load: jobs[0]?.load },
        ...{ from: repair.from, to: repair.to },
      },
    },
  ]);
  const [everywhere] = await reload('everywhere');
  expect(everywhere?.parameters).toMatchObject({ topic: 'live', offsets: '0:2-50;1:0-0' });
  expect(everywhere?.load).not.toBe(jobs[0]?.load);
});

describe('an hour that counts more than the logs have given', () => {
  const repair = { id: 'reload-1-0', from: '2026-03-01T08:00:00Z', to: '2026-03-01T09:00:00Z', blocks: [] };
  const ask = (hours: number, given: Partial<HourRepair> = {}) => {
    const { activities, run } = world({ 'count-hours-counting-more': [{ hours }] });
    const asked = { pipeline: PIPELINE, repair: { ...repair, isLast: false, ...given } };
    return run(() => activities.requireNothingToForget(asked));
  };

  test('is made anew when nothing is missing, the log reaches back to it, or nothing else is left to try', async () => {
    const old = { from: '2026-02-10T08:00:00Z', to: '2026-02-10T09:00:00Z' };
    await ask(0, old);
    await ask(1);
    await ask(1, { ...old, isLast: true });
    await expect(ask(1, old)).rejects.toMatchObject({ code: 'RECORDS_NOT_IN_LOG' });
  });
});

describe('a fetch', () => {
  const block = { from: '2026-03-01T08:00:00Z', to: '2026-03-01T09:00:00Z', entities: [7] };
  const missing = [
    { entity_id: 7, day: '2026-03-01', expected: 2 ** 24 - 1, complete: 0, failed: 0, under_repair: 0 },
  ];
  const plan = (rows: Parameters<typeof fakeDatabase>[0]) => {
    const { database, activities, run } = world(rows);
    return { database, planned: run(() => activities.planFetch({ pipeline: PIPELINE, block })) };
  };

  test('is planned as a backfill that repairs exactly its block', async () => {
    const { database, planned } = plan({ 'backfill-days': missing });
    expect(await planned).toMatchObject({ kind: 'planned' });
    const [stored] = database.askedFor('store-backfill');
    expect(JSON.parse(String(stored?.[4]))).toMatchObject({
      ...block,
      purpose: 'repair',
      reprocess: 'missing',
    });
  });

  test('of what is complete by now, or is being loaded, is refused and nothing is stored', async () => {
    const complete = missing.map((day) => ({ ...day, complete: 2 ** 24 - 1 }));
    const first = plan({ 'backfill-days': complete });
    expect(await first.planned).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('1 complete'),
    });
    expect(first.database.askedFor('store-backfill')).toEqual([]);
    const second = plan({
      'backfill-days': missing,
      'latest-backfill-of-request': [{ backfill_id: 'a-backfill', repeat: 1, status: 'running' }],
    });
    expect(await second.planned).toEqual({
      kind: 'refused',
      reason: 'The same is being loaded by a-backfill.',
    });
  });

  test('is an attempt when the backfill has taken its plan', async () => {
    let looks = 0;
    const { database, activities, run } = world({
      'list-backfills': () => [backfillRow(++looks < 3 ? 'planned' : 'running')],
    });
    expect(await run(() => activities.recordFetch({ pipeline: PIPELINE, id: 'a-backfill', block }))).toBe(
      true,
    );
    expect(looks).toBe(3);
    expect(database.askedFor('record-window-repair')).toEqual([
      [
        PIPELINE,
        'backfill/a-backfill',
        expect.any(Date),
        JSON.stringify([block]),
        ['partial', 'missing', 'mismatched'],
      ],
    ]);
  });

  test('that the backfill refuses is none', async () => {
    const { database, activities, run } = world({ 'list-backfills': [backfillRow('planned')] });
    expect(await run(() => activities.recordFetch({ pipeline: PIPELINE, id: 'a-backfill', block }))).toBe(
      false,
    );
    expect(database.askedFor('record-window-repair')).toEqual([]);
  });
});

test('windows without a remedy have their attempts used up', async () => {
  const { database, activities, run } = world();
  const blocks = [{ from: '2026-01-01T08:00:00Z', to: '2026-01-01T09:00:00Z', entities: [7] }];
  await run(() => activities.giveUpWindows({ asked: asked(), blocks }));
  await run(() => activities.giveUpWindows({ asked: asked(), blocks: [] }));
  expect(database.askedFor('give-up-windows')).toEqual([
    [PIPELINE, 3, JSON.stringify(blocks), ['partial', 'missing', 'mismatched']],
  ]);
});
