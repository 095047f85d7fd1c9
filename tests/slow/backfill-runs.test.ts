/** What a backfill does on a real Temporal and with a real ledger, whatever befalls it; the source, Kafka and Flink are in memory. */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backfillOf } from '../../clients/backfill-ledger.ts';
import { chunksOf } from '../../clients/chunk-ledger.ts';
import { QUEUE_TYPES } from '../../clients/worker-deployments.ts';
import { DAY_MS } from '../../domain/backfill-windows.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import type { BackfillPolicy, BackfillRequestInput } from '../../schemas/backfill.ts';
import type { backfill } from '../../workflows/backfill.ts';
import { eventually } from '../support/eventually.ts';
import {
  CITIES,
  type FakeBackfills,
  SOURCE_SLOTS,
  startFakeBackfills,
  untilLogged,
} from '../support/fake-backfills.ts';
import { config } from '../support/shared-stack.ts';

let world: FakeBackfills;
let untouched: FakeBackfills['switches'];
/** Each test has days of its own. */
let firstDay = Date.parse('2021-01-01T00:00:00Z');

beforeAll(async () => {
  world = await startFakeBackfills(config);
  untouched = { ...world.switches };
});
afterAll(() => world?.close());
beforeEach(() => {
  Object.assign(world.switches, untouched);
  world.log.length = 0;
  firstDay += 100 * DAY_MS;
});

const instant = (day: number): string => new Date(firstDay + day * DAY_MS).toISOString();

/** A chunk is one city on two days. */
const request = (days: number, given: Partial<BackfillRequestInput> = {}): BackfillRequestInput => ({
  ...{ pipeline: 'weather', from: instant(0), to: instant(days) },
  ...given,
});

const start = (input: object, workflowId = `by-hand/${randomUUID()}`) =>
  world.client.workflow.start<typeof backfill>('backfill', {
    ...{ workflowId, taskQueue: taskQueues.control },
    args: [input as Parameters<typeof backfill>[0]],
  });
const failureOf = async (run: Promise<unknown>): Promise<string> => {
  const error = await run.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  return (error as WorkflowFailedError).cause?.message ?? '';
};
/** The id of the only backfill whose range begins where this test's does. */
const idOf = async (): Promise<string> => {
  const found = await eventually(
    'it is on record',
    () =>
      world.sql.query<{ backfill_id: string }>(
        `select backfill_id from backfills where request ->> 'from' = $1 order by created_at`,
        [instant(0).replace('.000Z', 'Z')],
      ),
    ({ rows }) => rows.length > 0,
  );
  return found.rows[0]?.backfill_id ?? '';
};
const statuses = async (id: string): Promise<readonly string[]> =>
  (await chunksOf(world.database, id)).map(({ status }) => status);
const logged = (prefix: string): readonly string[] => world.log.filter((line) => line.startsWith(prefix));

/** Lets chunks through when it is opened. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), hold: () => opened };
}

describe('a backfill from history', () => {
  test('begins no more chunks at once than it may, loads all of them, and goes on in new runs', async () => {
    const policy: Partial<BackfillPolicy> = { chunksPerRun: 4, loadChunks: 3 };
    const plan = await world.plan(request(6, { maxConcurrency: 3 }));
    const run = await start({ plan, policy });
    expect(await run.result()).toMatchObject({
      ...{ id: plan, state: 'completed', records: 30, failed: [] },
      chunks: { done: 15, failed: 0 },
      windows: { done: 15 * 48, failed: 0, cancelled: 0 },
    });
    expect(world.mostAtOnce()).toBeLessThanOrEqual(3);
    expect(new Set(logged('fetch')).size).toBe(15);
    expect(logged('load-history').length).toBeGreaterThanOrEqual(4);
    expect(logged('recompute-hours').length).toBeGreaterThanOrEqual(4);
    const runs = await eventually(
      'all runs are found',
      () => world.client.workflow.count(`WorkflowId = '${run.workflowId}'`),
      ({ count }) => count >= 4,
    );
    expect(runs.count).toBe(4);
    expect(await (await start({ plan })).result()).toEqual({ kind: 'ended', id: plan, state: 'completed' });
  });

  test('begins nothing while it is paused, and goes on when it is resumed', async () => {
    const first = gate();
    world.switches.hold = first.hold;
    const run = await start(request(4, { maxConcurrency: 2 }));
    await untilLogged(world, 'two chunks are being fetched', (log) => log.length === 2);
    expect(await run.executeUpdate<string, []>('pause')).toBe('paused');
    first.open();
    const id = await idOf();
    await eventually(
      'both are published',
      () => statuses(id),
      (all) => all.filter((status) => status === 'published' || status === 'done').length === 2,
    );
    expect((await backfillOf(world.database, id)).status).toBe('paused');
    expect(logged('fetch')).toHaveLength(2);
    expect((await run.describe()).memo).toMatchObject({ progress: expect.stringContaining('paused') });
    expect(await run.executeUpdate<string, []>('resume')).toBe('running');
    expect(await run.result()).toMatchObject({ state: 'completed', chunks: { done: 10 } });
  });

  test('that is cancelled lets what is begun come to its end, and the rest can be retried', async () => {
    const first = gate();
    world.switches.hold = first.hold;
    const run = await start(request(4, { maxConcurrency: 2 }));
    await untilLogged(world, 'two chunks are being fetched', (log) => log.length === 2);
    expect(await run.executeUpdate<string, [object]>('cancel', { args: [{}] })).toBe('cancelling');
    await expect(run.executeUpdate('resume')).rejects.toMatchObject({
      cause: { message: expect.stringContaining('coming to its end') },
    });
    first.open();
    expect(await run.result()).toMatchObject({ state: 'cancelled', chunks: { done: 2, cancelled: 8 } });

    const id = await idOf();
    const again = await start({ plan: id, retry: true });
    expect(await again.result()).toMatchObject({ state: 'completed', chunks: { done: 10 } });
    expect(new Set(logged('fetch')).size).toBe(10);
  });

  test('that is cancelled at once breaks off what is under way', async () => {
    world.switches.hold = () => new Promise<void>(() => undefined);
    const run = await start(request(4, { maxConcurrency: 2 }));
    await untilLogged(world, 'two chunks are being fetched', (log) => log.length === 2);
    await run.executeUpdate<string, [object]>('cancel', { args: [{ now: true }] });
    expect(await run.result()).toMatchObject({ state: 'cancelled', chunks: { cancelled: 10 } });
    expect(logged('published')).toEqual([]);
  });

  test('whose workflow somebody cancels ends in the same way', async () => {
    world.switches.hold = () => new Promise<void>(() => undefined);
    const run = await start(request(2));
    await untilLogged(world, 'chunks are being fetched', (log) => log.length > 0);
    await run.cancel();
    expect(await run.result()).toMatchObject({ state: 'cancelled', chunks: { cancelled: 5 } });
  });

  test('with locations that cannot be had names them, does the others, and can be retried', async () => {
    let isBad = true;
    world.switches.failuresOf = (key) => (isBad && logged('fetch')[0] === `fetch ${key}` ? [101] : []);
    const ending = await (await start(request(4, { maxConcurrency: 1 }))).result();
    expect(ending).toMatchObject({
      ...{ state: 'completed_with_failures', chunks: { done: 9, failed: 1 } },
      failed: [{ windows: 48, reason: '1 of 1 locations could not be had: 101: no such city' }],
    });
    isBad = false;
    const again = await start({ plan: await idOf(), retry: true });
    expect(await again.result()).toMatchObject({ state: 'completed', chunks: { done: 10, failed: 0 } });
    expect(logged('fetch')).toHaveLength(11);
  });

  test('whose source refuses the key gives up, and says why', async () => {
    world.switches.isRefused = () => true;
    const run = await start(request(4, { maxConcurrency: 1 }));
    expect(await failureOf(run.result())).toBe('The source refuses the key.');
    const id = await idOf();
    expect(await backfillOf(world.database, id)).toMatchObject({
      ...{ status: 'failed', error: 'The source refuses the key.' },
      chunksByStatus: { failed: 1, pending: 9 },
    });
    world.switches.isRefused = () => false;
    const again = await start({ plan: id, retry: true });
    expect(await again.result()).toMatchObject({ state: 'completed', chunks: { done: 10 } });
  });

  test('whose records cannot be loaded, or are not all read, fails for these chunks', async () => {
    world.switches.flinkFails = () => 'the disk is full';
    expect(await (await start(request(2))).result()).toMatchObject({
      ...{ state: 'completed_with_failures', chunks: { failed: 5 } },
      failed: expect.arrayContaining([
        expect.objectContaining({ reason: expect.stringContaining('the disk is full') }),
      ]),
    });
    Object.assign(world.switches, untouched, { unread: 1 });
    const again = await start({ plan: await idOf(), retry: true });
    expect(await again.result()).toMatchObject({
      ...{ state: 'completed_with_failures', chunks: { failed: 5 } },
      failed: expect.arrayContaining([expect.objectContaining({ reason: expect.stringContaining('read') })]),
    });
  });

  test('whose workflow is terminated is taken up again where it was', async () => {
    const rest = gate();
    world.switches.hold = (key) => (logged('fetch').length > 3 ? rest.hold() : Promise.resolve(void key));
    const run = await start(request(4, { maxConcurrency: 2 }));
    await untilLogged(
      world,
      'some are published, others are held',
      () => logged('published').length >= 3 && logged('fetch').length >= 5,
    );
    await run.terminate('by a test');
    rest.open();
    const id = await idOf();
    expect((await backfillOf(world.database, id)).status).toBe('running');
    const again = await start({ plan: id });
    expect(await again.result()).toMatchObject({ state: 'completed', chunks: { done: 10 } });
    expect(new Set(logged('fetch')).size).toBe(10);
    expect((await backfillOf(world.database, id)).workflowId).toBe(again.workflowId);
  });
});

describe('another backfill', () => {
  test('that is identical attaches to the one that runs; one that overlaps is refused with its name', async () => {
    const first = gate();
    world.switches.hold = first.hold;
    const run = await start(request(4));
    await untilLogged(world, 'it runs', (log) => log.length > 0);
    const id = await idOf();
    expect(await (await start(request(4, { reason: 'the same' }))).result()).toEqual({
      ...{ kind: 'attached', id, workflowId: run.workflowId },
    });
    expect(await failureOf((await start(request(3))).result())).toContain(id);
    first.open();
    expect(await run.result()).toMatchObject({ state: 'completed' });
  });

  test('that cannot be planned is told why', async () => {
    expect(await failureOf((await start({ pipeline: 'weather', from: 'yesterday' })).result())).toContain(
      'from: expected a whole hour',
    );
    expect(
      await failureOf((await start(request(1, { entities: [CITIES[0] ?? 0, 999] }))).result()),
    ).toContain('The registry has no location with the id 999');
    expect(await failureOf((await start({ plan: 'no-such-plan' })).result())).toContain('no-such-plan');
    expect(await failureOf((await start(request(1, { pipeline: 'tides' }))).result())).toContain('tides');
  });
});

describe('backfills that wait for the source', () => {
  /** The calls that the server itself holds in the queue: only among these does it decide whose turn it is. */
  const queued = async (): Promise<number> => {
    const { stats } = await world.client.workflowService.describeTaskQueue({
      namespace: world.client.options.namespace,
      taskQueue: { name: taskQueues.sourceHistory },
      taskQueueType: QUEUE_TYPES.activity,
      reportStats: true,
    });
    return Number(stats?.approximateBacklogCount ?? 0);
  };
  const keysOf = async (id: string): Promise<readonly string[]> =>
    (await chunksOf(world.database, id)).map(({ key }) => `fetch ${key}`);

  test('take turns, and a repair goes before them', async () => {
    const first = gate();
    world.switches.hold = first.hold;
    const [many, few, repair] = await Promise.all(
      (
        [
          [24, { entities: [101] }],
          [4, { entities: [102] }],
          [4, { entities: [103], purpose: 'repair' }],
        ] as const
      ).map(([days, given]) =>
        world.plan(request(days, { ...given, entities: [...given.entities], maxConcurrency: 20 })),
      ),
    );
    const runs = [await start({ plan: many })];
    await untilLogged(world, 'every slot is taken', (log) => log.length === SOURCE_SLOTS);
    await eventually('the others wait', queued, (count) => count === 8);
    runs.push(await start({ plan: few }), await start({ plan: repair }));
    await eventually('all of them wait', queued, (count) => count === 12);
    first.open();
    for (const run of runs) expect(await run.result()).toMatchObject({ state: 'completed' });

    // Whoever came last does not wait for all.
    const order = logged('fetch').slice(SOURCE_SLOTS);
    const placesOf = async (id = ''): Promise<readonly number[]> =>
      (await keysOf(id)).map((key) => order.indexOf(key)).filter((place) => place >= 0);
    const mean = (places: readonly number[]): number =>
      places.reduce((sum, place) => sum + place, 0) / places.length;
    const ofMany = await placesOf(many);
    expect(Math.max(...ofMany)).toBe(order.length - 1);
    expect(mean(await placesOf(few))).toBeLessThan(mean(ofMany));
    expect(mean(await placesOf(repair))).toBeLessThan(mean(ofMany));
  });
});

describe('a backfill of everything at once', () => {
  test('loads a file stretch by stretch, each while the next one is published', async () => {
    world.switches.stretches = 3;
    const run = await start(request(4, { input: 'file', file: '/a/file', maxConcurrency: 1 }));
    expect(await run.result()).toMatchObject({ state: 'completed' });
    expect(logged('lines')).toEqual(['lines 0 to 10', 'lines 10 to 20', 'lines 20 to 30']);
    expect(logged('load-history')).toHaveLength(3);
    expect((await backfillOf(world.database, await idOf())).file).toMatchObject({ line: 30, published: 30 });
  });

  test('that fails fails as a whole, and can be retried', async () => {
    world.switches.flinkFails = (job) => (job === 'load-history' ? 'the disk is full' : undefined);
    const run = await start(request(4, { input: 'file', file: '/a/file' }));
    expect(await failureOf(run.result())).toContain('the disk is full');
    const id = await idOf();
    expect(await backfillOf(world.database, id)).toMatchObject({ status: 'failed' });
    world.switches.flinkFails = () => undefined;
    const again = await start({ plan: id, retry: true });
    expect(await again.result()).toMatchObject({ state: 'completed', chunks: { failed: 0 } });
  });

  test('of which a load goes on and on is paused, resumed, and broken off', async () => {
    world.switches.stretches = 3;
    world.switches.isEndless = (job) => job === 'load-history';
    const run = await start(request(4, { input: 'file', file: '/a/file' }));
    await untilLogged(world, 'the first stretch is loaded, the second read', (log) => log.length === 3);
    expect(await run.executeUpdate<string, []>('pause')).toBe('paused');
    expect(await run.executeUpdate<string, []>('resume')).toBe('running');
    await run.executeUpdate<string, [object]>('cancel', { args: [{ now: true }] });
    expect(await run.result()).toMatchObject({ state: 'cancelled' });
  });

  test('that fails while the next stretch waits says why, and makes the hours of what was loaded anew', async () => {
    world.switches.stretches = 3;
    let loads = 0;
    world.switches.flinkFails = (job) => {
      if (job === 'load-history') loads += 1;
      return job === 'load-history' && loads > 1 ? 'the disk is full' : undefined;
    };
    const run = await start(request(4, { input: 'file', file: '/a/file' }));
    expect(await failureOf(run.result())).toContain('the disk is full');
    expect(logged('recompute-hours')).toHaveLength(1);
    expect(await backfillOf(world.database, await idOf())).toMatchObject({ status: 'failed' });
  });

  test('loads the retained log in one job', async () => {
    firstDay = Math.floor(Date.now() / DAY_MS) * DAY_MS - 5 * DAY_MS;
    const run = await start(request(2, { input: 'kafka' }));
    expect(await run.result()).toMatchObject({ state: 'completed' });
    expect(logged('load-history')).toHaveLength(1);
    expect(logged('recompute-hours')).toHaveLength(1);
  });
});
