import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  BackfillNotAnsweringError,
  BackfillRefusedError,
  commandBackfill,
  retryBackfill,
  startBackfill,
} from '../../clients/backfill-control.ts';
import { backfillOf } from '../../clients/backfill-ledger.ts';
import { DAY_MS, HOUR_MS } from '../../domain/backfill-windows.ts';
import { type BackfillRequestInput, backfillRequestSchema } from '../../schemas/backfill.ts';
import { createNamespace } from '../support/fake-actors.ts';
import { type FakeBackfills, startFakeBackfills, untilLogged } from '../support/fake-backfills.ts';
import { config, connectSql, hourglass } from '../support/shared-stack.ts';

/** Dubai, AE and Tehran, IR of the seed. */
const [recent, old] = [292223, 112931];
const thisHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
const hour = (offset: number): string => new Date(thisHour + offset * HOUR_MS).toISOString();
const range = (from: number, to: number): string[] => ['--from', hour(from), '--to', hour(to)];

let sql: pg.Client;
let activeFrom: Date;

const cli = (...args: readonly string[]) => hourglass(['backfill', ...args]);

/** Runs a command that is to succeed, and returns its JSON. */
// biome-ignore lint/suspicious/noExplicitAny: each command has a shape of its own, and the tests say which
async function json(...args: readonly string[]): Promise<any> {
  const { code, stdout, stderr } = await cli(...args, '--json');
  expect([code, stderr.split('\n').filter((line) => line.startsWith('hourglass:'))]).toEqual([0, []]);
  return JSON.parse(stdout);
}

const observations = async (city: number, from: number, to: number): Promise<number> => {
  const { rows } = await sql.query<{ count: string }>(
    'select count(*) from observations where city_id = $1 and observed_at >= $2 and observed_at < $3',
    [city, hour(from), hour(to)],
  );
  return Number(rows[0]?.count);
};

beforeAll(async () => {
  sql = await connectSql();
  const { rows } = await sql.query<{ active_from: Date }>(
    'select active_from from locations where city_id = $1',
    [old],
  );
  activeFrom = rows[0]!.active_from;
  await sql.query('update locations set active_from = $2 where city_id = $1', [
    old,
    new Date(thisHour - 6 * DAY_MS),
  ]);
});
afterAll(async () => {
  await sql?.query('update locations set active_from = $2 where city_id = $1', [old, activeFrom]);
  await sql?.end();
});

describe('what cannot be planned', () => {
  test.each([
    ['a city that the registry does not have', ['--city', 'Atlantis', ...range(-3, -1)], /"Atlantis"/],
    ['a range that ends before it begins', range(-1, -3), /holds no hour/],
    ['a range that is still to come', range(1, 3), /No hour from .* is over/],
    ['hours that nobody expects', ['--city', 'Dubai', ...range(-900, -890)], /10 not expected/],
  ])('is %s', async (_, args, message) => {
    const { code, stderr } = await cli('plan', ...args);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  test('is no whole hour, and that is a wrong command line', async () => {
    const { code, stderr } = await cli('plan', '--from', '2026-01-31T00:30:00Z', '--to', hour(-1));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--from is .*not a whole hour/)]);
  });

  test('is what the command line does not know', async () => {
    const wrong = [cli('plan', '--input', 'tape', ...range(-3, -1)), cli('plan', '--form', hour(-3))];
    expect(await Promise.all(wrong)).toMatchObject([{ code: 2 }, { code: 2 }]);
  });

  test('is a stored plan with other options, or one that nobody stored', async () => {
    const [both, none] = await Promise.all([
      cli('start', '--plan', 'weather-1', '--to', hour(-1)),
      cli('start', '--plan', 'weather-1'),
    ]);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringMatching(/does not go with other options/) });
    expect(none).toMatchObject({ code: 1, stderr: expect.stringMatching(/no backfill weather-1 on record/) });
  });
});

describe('a backfill from the command line', () => {
  const [from, to] = [-10, -7];
  const args = ['--city', 'dubai, ae', ...range(from, to), '--reason', 'a gap'];
  let id: string;

  test('is planned: what is loaded and skipped is told with its reason, and each hour when asked', async () => {
    const { code, stdout } = await cli('plan', '--city', String(recent), ...range(-30, 1), '--windows');
    expect(code).toBe(0);
    expect(stdout).toMatch(/To load +\d+ windows: \d+ via the stream, 0 by batch/);
    expect(stdout).toMatch(/\d+ +not_expected +The hour does not lie wholly between/);
    expect(stdout).toMatch(/ 1 +not_over_yet +The hour is not over yet/);
    expect(stdout).toMatch(new RegExp(`\\d{4}-\\d\\d-\\d\\d ${recent} {2}.*via the stream \\d\\d`));

    const plan = await json('plan', ...args, '--windows');
    ({ id } = plan);
    expect(plan).toMatchObject({
      request: { entities: [recent], reason: 'a gap', input: 'history', reprocess: 'missing' },
      windows: { create: { stream: to - from, batch: 0 }, skip: { complete: 0 } },
      ...{ chunks: 1, attachTo: null, conflicts: [], refusal: null, isStored: true },
    });
    expect(plan.days.flatMap((day: { create: { stream: number[] } }) => day.create.stream)).toHaveLength(3);
    expect(await json('show', id)).toMatchObject({ status: 'planned', progress: { done: 0, part: 0 } });
  });

  test('is not started unless somebody says yes', async () => {
    const { code, stdout, stderr } = await cli('start', ...args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`start --plan ${id}`)]);
    expect(stdout).toContain(`Plan ${id}`);
    expect(await backfillStatus(id)).toBe('planned');
  });

  test('is run as it was planned, and followed to its end', async () => {
    const { code, stdout, stderr } = await cli('start', '--plan', id, '--wait');
    expect([code, stdout]).toEqual([0, expect.stringContaining(`${id} is completed.`)]);
    expect(stderr).toMatch(/100 % {2}3 of 3 windows/);
    expect(await observations(recent, from, to)).toBe(to - from);
  }, 60_000);

  test('is listed and shown with its progress, rate and counts', async () => {
    const [listed, list, show, watched] = await Promise.all([
      json('list'),
      cli('list'),
      cli('show', id),
      cli('show', id, '--watch'),
    ]);
    expect(listed).toContainEqual(
      expect.objectContaining({ id, status: 'completed', windows: 3, chunksByStatus: expect.anything() }),
    );
    expect(list.stdout).toMatch(new RegExp(`${id} +completed +1 of 1`));
    expect(show.stdout).toContain(`${id} is completed: Every chunk is done.`);
    expect(show.stdout).toMatch(/Progress +█{30} 100 % {2}3 of 3 windows/);
    expect(show.stdout).toMatch(/Rate +[\d.]+ windows a minute/);
    expect(watched.code).toBe(0);
  });

  test('that is completed is neither started, retried, paused nor cancelled', async () => {
    const commands = [
      ['start', '--plan', id],
      ['retry', id],
      ['pause', id],
      ['cancel', id],
    ];
    for (const result of await Promise.all(commands.map((command) => cli(...command))))
      expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('is completed') });
  });

  test('that was never started is cancelled at once', async () => {
    const planned = (await json('plan', '--city', 'Dubai', ...range(-14, -12))).id;
    expect(await cli('resume', planned)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('was not started'),
    });
    expect(await json('cancel', planned)).toEqual({ command: 'cancel', id: planned, state: 'cancelled' });
  });

  test('loads hours that the stream has ceased to own by batch', async () => {
    const plan = await json('start', '--city', String(old), ...range(-100, -97), '--yes', '--wait');
    expect(plan).toMatchObject({
      ...{ status: 'completed', result: 'ended', windows: 3 },
      byStatus: { done: { chunks: 1, windows: 3, records: 3 } },
    });
    expect(await observations(old, -100, -97)).toBe(3);
  }, 60_000);
});

async function backfillStatus(id: string): Promise<string> {
  return (await json('show', id)).status;
}

describe('commands to a backfill that runs', () => {
  let world: FakeBackfills;
  let deserted: Client;
  let unanswered: Promise<unknown>;
  let firstDay = Date.parse('2021-01-01T00:00:00Z');
  beforeAll(async () => {
    world = await startFakeBackfills(config);
    deserted = await createNamespace(config, `deserted-${randomBytes(3).toString('hex')}`);
    unanswered = startWithoutWorker().catch((error: unknown) => error);
  }, 60_000);
  afterAll(async () => {
    await world?.close();
    await deserted?.connection.close();
  });
  beforeEach(() => {
    world.switches.hold = async () => undefined;
    world.log.length = 0;
    firstDay += 100 * DAY_MS;
  });

  const request = (days: number): BackfillRequestInput => ({
    pipeline: 'weather',
    from: new Date(firstDay).toISOString(),
    to: new Date(firstDay + days * DAY_MS).toISOString(),
    maxConcurrency: 1,
  });

  async function startWithoutWorker(): Promise<void> {
    const id = 'weather-without-a-worker';
    const run = await startBackfill(deserted, {
      ...{ id, request: backfillRequestSchema.parse(request(1)) },
      input: { plan: id },
    });
    await run.answers();
  }

  /** Holds its first chunk until it is let go. */
  async function started(days: number) {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    world.switches.hold = () => held;
    const id = await world.plan(request(days));
    const run = await startBackfill(world.client, {
      ...{ id, request: backfillRequestSchema.parse(request(days)) },
      input: { plan: id },
    });
    const command = (name: 'pause' | 'resume' | 'cancel', now = false) =>
      commandBackfill(world.client, world.database, { id, command: name, now });
    return { id, run, command, letGo: () => letGo() };
  }

  test('given right after its start it is paused, then resumed, and comes to its end', async () => {
    const { id, run, command, letGo } = await started(2);
    expect(await command('pause')).toBe('paused');
    expect(await command('resume')).toBe('running');
    await expect(retryBackfill(world.client, world.database, id)).rejects.toThrow(/has not ended/);
    letGo();
    await run.ended();
    expect(await backfillOf(world.database, id)).toMatchObject({ status: 'completed' });
  });

  test('a second start attaches to it; what was broken off is retried', async () => {
    const { id, run, command } = await started(2);
    await untilLogged(world, 'a chunk is being fetched', (log) => log.length === 1);
    const again = await startBackfill(world.client, {
      ...{ id, request: backfillRequestSchema.parse(request(2)) },
      input: { plan: id },
    });
    expect(again.workflowId).toBe(run.workflowId);
    expect(await command('cancel', true)).toBe('cancelling');
    await run.ended();
    expect(await backfillOf(world.database, id)).toMatchObject({ status: 'cancelled' });
    world.switches.hold = async () => undefined;
    await (await retryBackfill(world.client, world.database, id)).ended();
    expect(await backfillOf(world.database, id)).toMatchObject({ status: 'completed' });
  });

  test('one whose workflow was terminated cannot be paused, and is taken up to be cancelled', async () => {
    const { id, run, command } = await started(2);
    await untilLogged(world, 'a chunk is being fetched', (log) => log.length === 1);
    await world.client.workflow.getHandle(run.workflowId).terminate('a test');
    await expect(command('pause')).rejects.toBeInstanceOf(BackfillRefusedError);
    expect(await command('cancel')).toBe('cancelling');
    await world.client.workflow.getHandle(run.workflowId).result();
    expect(await backfillOf(world.database, id)).toMatchObject({ status: 'cancelled' });
  });

  test('a start without a worker says so within seconds', async () => {
    expect(await unanswered).toBeInstanceOf(BackfillNotAnsweringError);
  }, 20_000);
});
