import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBackfillDays } from '../../clients/backfill-days.ts';
import {
  backfillOf,
  listBackfills,
  openBackfills,
  planOf,
  recordBackfill,
  repeatOf,
  storePlan,
} from '../../clients/backfill-ledger.ts';
import { countsByStatus, nextChunks, recordChunk } from '../../clients/chunk-ledger.ts';
import { migrate } from '../../clients/migrations.ts';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import { postgresAddress } from '../../config/addresses.ts';
import { type BackfillChunk, daysOfChunk } from '../../domain/backfill-chunks.ts';
import { type BackfillFacts, type BackfillPlan, planBackfill } from '../../domain/backfill-plan.ts';
import { CHUNK_STATES, type ChunkEvent, endingOf } from '../../domain/backfill-states.ts';
import { DAY_MS, type EntityDay, HOUR_MS, listHours } from '../../domain/backfill-windows.ts';
import { type BackfillRequestInput, backfillRequestSchema } from '../../schemas/backfill.ts';
import { config, connectSql } from '../support/shared-stack.ts';
import { weatherTables } from '../support/weather-tables.ts';

const schema = `backfills_${randomBytes(3).toString('hex')}`;
const NOW = new Date('2024-03-12T05:20:00Z');
const FROM = Date.parse('2024-02-27T03:00:00Z');
const TO = Date.parse('2024-03-12T05:00:00Z');
const facts: BackfillFacts = {
  streamOwnsMs: 36 * HOUR_MS,
  horizonMs: { history: 365 * DAY_MS, kafka: 7 * DAY_MS, file: null },
  hoursPerSpan: 48,
  callsPerSpan: 1,
  callsPerMinute: 4,
};

/** One is active all the time, one begins in the middle of an hour, one ends there, one lies after the range. */
const locations = [
  { id: 101, least: 4, from: '2020-01-01T00:00:00Z', to: null },
  { id: 102, least: 1, from: '2024-03-01T10:20:00Z', to: null },
  { id: 103, least: 2, from: '2020-01-01T00:00:00Z', to: '2024-03-05T17:40:00Z' },
  { id: 104, least: 1, from: '2024-04-01T00:00:00Z', to: null },
];
const random = (() => {
  let state = 20_240_229;
  return (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
})();
const instant = (ms: number): string => new Date(ms).toISOString();

let sql: pg.Client;
let database: Database;
const observedMs = new Map<number, number[]>();

async function insertObservations(cityId: number, times: readonly number[]): Promise<void> {
  await sql.query(
    `insert into observations (city_id, observed_at, topic, partition_id, record_offset, published_at)
     select $1, observed_at, 't', 0, 0, now() from unnest($2::timestamptz[]) as observed_at
     on conflict do nothing`,
    [cityId, times.map(instant)],
  );
}

beforeAll(async () => {
  sql = await connectSql();
  await sql.query(`create schema ${schema}`);
  await sql.query(`set search_path = ${schema}`);
  await migrate({ ...postgresAddress(config), schema }, config.values.POSTGRES_PIPELINE_USER);
  database = connectDatabase({ ...postgresAddress(config), schema }, weatherTables);
  for (const { id, least, from, to } of locations)
    await sql.query(
      `insert into locations (city_id, name, country, lat, lon, timezone, min_observations_per_hour, active_from, active_to)
       values ($1, 'a city', 'NO', 0, 0, 'UTC', $2, $3, $4)`,
      [id, least, from, to],
    );
  // Also of a city that is in no registry, and outside the range: neither may count.
  for (const id of [101, 102, 103, 999])
    observedMs.set(id, [
      ...new Set(Array.from({ length: 1_500 }, () => FROM - DAY_MS + random(16 * 24 * 3_600) * 1_000)),
    ]);
  observedMs.set(104, [FROM - 1, FROM, FROM + 3 * HOUR_MS - 1, TO]);
  for (const [id, times] of observedMs) await insertObservations(id, times);
});
afterAll(async () => {
  await database?.close();
  await sql?.query(`drop schema ${schema} cascade`);
  await sql?.end();
});

const requestOf = (given: Partial<BackfillRequestInput> = {}) =>
  backfillRequestSchema.parse({ pipeline: 'a-pipeline', from: instant(FROM), to: instant(TO), ...given });

async function plan(given: Partial<BackfillRequestInput> = {}): Promise<BackfillPlan> {
  const request = requestOf(given);
  return planBackfill({
    ...{ request, now: NOW, facts },
    days: await readBackfillDays(database, request),
    running: await openBackfills(database, request.pipeline),
    repeat: await repeatOf(database, request),
  });
}

type Known = Omit<EntityDay, 'entityId' | 'day'>;
const windowsOf = (days: readonly EntityDay[], of: keyof Known): string[] =>
  days.flatMap(({ entityId, day, ...known }) =>
    listHours(known[of]).map(
      (hour) => `${entityId}/${instant(Date.parse(`${day}T00:00Z`) + hour * HOUR_MS)}`,
    ),
  );

/** Every hour of the days that the range touches, of every location. */
const windowStarts = (fromMs: number): number[] =>
  Array.from({ length: Math.ceil((TO - fromMs) / DAY_MS) * 24 }, (_, hour) => fromMs + hour * HOUR_MS);
const dayOf = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;

describe('the days of a range', () => {
  test('are those of the registry and the calendar, complete where a count of the rows says so', async () => {
    const days = await readBackfillDays(database, requestOf());
    expect(new Set(days.map(({ entityId, day }) => `${entityId}/${day}`)).size).toBe(days.length);
    expect(days).toHaveLength(locations.length * 15);
    const expected: string[] = [];
    const complete: string[] = [];
    for (const { id, least, from, to } of locations)
      for (const startMs of windowStarts(dayOf(FROM))) {
        const endMs = startMs + HOUR_MS;
        const name = `${id}/${instant(startMs)}`;
        if (startMs >= Date.parse(from) && (to === null || endMs <= Date.parse(to))) expected.push(name);
        const stored = (observedMs.get(id) ?? []).filter((ms) => ms >= startMs && ms < endMs);
        if (startMs >= FROM && endMs <= TO && stored.length >= least) complete.push(name);
      }
    expect(windowsOf(days, 'expected').toSorted()).toEqual(expected.toSorted());
    expect(windowsOf(days, 'complete').toSorted()).toEqual(complete.toSorted());
    expect(complete.length).toBeGreaterThan(300);
    expect(windowsOf(days, 'failed')).toEqual([]);
    expect(windowsOf(days, 'underRepair')).toEqual([]);
  });

  test('of some locations are theirs alone, and an id without a location has none', async () => {
    const days = await readBackfillDays(database, requestOf({ entities: [102, 999] }));
    expect(new Set(days.map(({ entityId }) => entityId))).toEqual(new Set([102]));
  });

  test('count hours as complete of which the source has no more, when it is the source that is asked', async () => {
    const days = async (input: BackfillRequestInput['input']) =>
      windowsOf(await readBackfillDays(database, requestOf({ entities: [102], input })), 'complete');
    const before = await days('history');
    const expected = windowsOf(await readBackfillDays(database, requestOf({ entities: [102] })), 'expected');
    const [, window] = expected.find((name) => !before.includes(name))?.split('/') ?? [];
    await sql.query(
      `insert into window_completeness (pipeline, entity_id, window_start, expected, observed, verdict, reason, checked_at)
       values ('a-pipeline', 102, $1, 4, 1, 'complete_at_source', 'source_unchanged', now())`,
      [window],
    );
    expect((await days('history')).toSorted()).toEqual([...before, `102/${window}`].toSorted());
    expect(await days('kafka')).toEqual(before);
    await sql.query('delete from window_completeness');
  });

  test('are none for a range that is inverted', async () => {
    expect(await readBackfillDays(database, requestOf({ to: '2024-01-01T00:00:00Z' }))).toEqual([]);
  });
});

async function happen(id: string, key: string, events: readonly ChunkEvent[], records = 9): Promise<void> {
  for (const event of events)
    await recordChunk(database, {
      ...{ backfillId: id, key, event },
      ...(event === 'published' ? { records } : {}),
      ...(event === 'gaveUp' ? { error: 'the source is away' } : {}),
    });
}
const ALL_WELL = ['begun', 'published', 'loaded', 'finished'] as const;

/** What loading a chunk does, as far as the ledger and the plan can tell. */
async function load(id: string, { key, windows }: BackfillChunk): Promise<void> {
  for (const { entityId, day, hours } of daysOfChunk(windows)) {
    const startMs = Date.parse(`${day}T00:00Z`);
    const times = listHours(hours).flatMap((hour) =>
      [1, 2, 3, 4].map((minute) => startMs + hour * HOUR_MS + minute * 60_000 + 500),
    );
    await insertObservations(entityId, times);
  }
  await happen(id, key, ALL_WELL);
}

async function begin(given: Partial<BackfillRequestInput>): Promise<BackfillPlan> {
  const made = await plan(given);
  await storePlan(database, made);
  expect(await recordBackfill(database, made.id, 'started')).toBe('running');
  return made;
}

async function cancel(id: string): Promise<void> {
  await recordBackfill(database, id, 'cancelAsked');
  expect(await recordBackfill(database, id, 'cancelled')).toBe('cancelled');
}

const createdBy = ({ created }: BackfillPlan): number => created.stream + created.batch;

describe('a backfill', () => {
  test('is stored as it was planned, done chunk by chunk, and planned again there is nothing to do', async () => {
    const first = await plan({ entities: [101] });
    expect(new Set(first.chunks.map(({ path }) => path))).toEqual(new Set(['stream', 'batch']));
    expect(await storePlan(database, first)).toEqual({ id: first.id, kind: 'stored' });
    // Planned once more before it is started, the plan is replaced, not doubled.
    expect(await storePlan(database, first)).toEqual({ id: first.id, kind: 'stored' });
    const stored = await planOf(database, first.id);
    expect(stored).toMatchObject({ status: 'planned', request: first.request, skipped: first.skipped });
    expect(stored.plan).toMatchObject(first.chunks as object[]);
    expect(stored.chunksByStatus.pending).toBe(first.chunks.length);

    await recordBackfill(database, first.id, 'started');
    expect(await storePlan(database, first)).toEqual({ id: first.id, kind: 'attached' });
    const next = await nextChunks(database, { backfillId: first.id, after: -1, limit: 99 });
    expect(next.map(({ key }) => key)).toEqual(first.chunks.map(({ key }) => key));
    expect(await nextChunks(database, { backfillId: first.id, after: 0, limit: 1 })).toEqual([next[1]]);
    for (const chunk of first.chunks) await load(first.id, chunk);
    const counts = await countsByStatus(database, first.id);
    expect(counts.done).toEqual({
      chunks: first.chunks.length,
      windows: createdBy(first),
      calls: first.calls,
      records: 9 * first.chunks.length,
    });
    expect(await recordBackfill(database, first.id, endingOf(counts))).toBe('completed');
    expect((await backfillOf(database, first.id)).endedAt).toEqual(expect.any(Date));

    const second = await plan({ entities: [101] });
    expect(second).toMatchObject({ id: `${first.id}-2`, chunks: [], created: { stream: 0, batch: 0 } });
    expect(second.skipped.complete).toBe(first.skipped.complete + createdBy(first));
  });

  test('that runs holds what it has still to load: a plan that shares some is refused, also one stored before', async () => {
    const whole = await plan({ entities: [102, 103] });
    await storePlan(database, whole);
    const part = await begin({ entities: [103] });
    const [done, ...others] = part.chunks;
    await happen(part.id, done!.key, ALL_WELL);
    const windows = others.reduce((sum, { windowCount }) => sum + windowCount, 0);
    const overlaps = [{ id: part.id, windows }];
    expect((await plan({ entities: [102, 103] })).overlaps).toEqual(overlaps);
    await expect(recordBackfill(database, whole.id, 'started')).rejects.toMatchObject({ overlaps });
    expect((await backfillOf(database, whole.id)).status).toBe('planned');

    await cancel(part.id);
    await recordBackfill(database, whole.id, 'started');
    await expect(recordBackfill(database, part.id, 'retried')).rejects.toMatchObject({
      overlaps: [{ id: whole.id, windows }],
    });
    await cancel(whole.id);
  });

  test('that fails at a chunk leaves its windows to be found, until another has loaded them', async () => {
    const failing = await begin({ entities: [103] });
    const [lost, ...others] = failing.chunks;
    for (const chunk of others) await load(failing.id, chunk);
    await happen(failing.id, lost!.key, ['begun', 'gaveUp']);
    const ending = endingOf(await countsByStatus(database, failing.id));
    expect(await recordBackfill(database, failing.id, ending)).toBe('completed_with_failures');
    expect((await planOf(database, failing.id)).plan[0]).toMatchObject({
      ...{ status: 'failed', attempts: 1, error: 'the source is away', finishedAt: expect.any(Date) },
    });

    const repeats: readonly (readonly [readonly ChunkEvent[], number])[] = [
      [['begun', 'cancelled'], lost!.windowCount],
      // The source has nothing, so that the hours stay as they are; but a backfill was there.
      [ALL_WELL, 0],
    ];
    for (const [events, left] of repeats) {
      const again = await begin({ entities: [103], reprocess: 'failed' });
      expect(again.chunks.map(({ key }) => key)).toEqual([lost!.key]);
      await happen(again.id, lost!.key, events, 0);
      await recordBackfill(database, again.id, endingOf(await countsByStatus(database, again.id)));
      const after = await plan({ entities: [103], reprocess: 'failed' });
      expect([createdBy(after), after.skipped.not_failed]).toEqual([left, lost!.windowCount - left]);
    }
    const anew = await begin({ entities: [103] });
    await happen(anew.id, lost!.key, ['begun', 'gaveUp']);
    await recordBackfill(database, anew.id, 'completedWithFailures');
    expect(createdBy(await plan({ entities: [103], reprocess: 'failed' }))).toBe(lost!.windowCount);
  });

  test('passes over the windows that a repair is still to load', async () => {
    const repair = await begin({ entities: [102], purpose: 'repair', to: '2024-03-06T00:00:00Z' });
    const [done, ...others] = repair.chunks;
    await happen(repair.id, done!.key, ALL_WELL);
    const held = others.reduce((sum, { windowCount }) => sum + windowCount, 0);
    const wider = await plan({ entities: [102] });
    expect(wider.skipped.under_repair).toBe(held);
    expect(wider.overlaps).toEqual([]);
    const days = await readBackfillDays(database, requestOf({ from: '2024-03-01T12:00:00Z' }));
    const underRepair = others.flatMap(({ windows }) => daysOfChunk(windows));
    expect(windowsOf(days, 'underRepair')).toHaveLength(held);
    for (const { day, hours } of underRepair)
      expect(days).toContainEqual(expect.objectContaining({ entityId: 102, day, underRepair: hours }));
    const elsewhere = await readBackfillDays(database, requestOf({ pipeline: 'another' }));
    expect(windowsOf(elsewhere, 'underRepair')).toEqual([]);
    await cancel(repair.id);
    expect((await plan({ entities: [102] })).skipped.under_repair).toBe(0);
  });

  test('begins once, and a chunk comes to one end, however many try at the same time', async () => {
    const one = await plan({ entities: [102] });
    const two = await plan({ entities: [102], order: 'oldest' });
    await Promise.all([storePlan(database, one), storePlan(database, two)]);
    const tries = await Promise.allSettled(
      [one, two].map(({ id }) => recordBackfill(database, id, 'started')),
    );
    expect(tries.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    for (const { key } of [...one.chunks, ...one.chunks]) {
      await happen(one.id, key, ['retried', 'begun', 'published']);
      await Promise.all((['gaveUp', 'loaded'] as const).map((event) => happen(one.id, key, [event])));
    }
    for (const { status, attempts } of (await planOf(database, one.id)).plan)
      expect([status, attempts]).toEqual(['failed', 2]);
  });
});

test('the list has them all, the newest first, with their chunks in each state', async () => {
  const all = await listBackfills(database, { pipeline: 'a-pipeline', limit: 99 });
  expect(all.length).toBeGreaterThanOrEqual(6);
  const times = all.map(({ createdAt }) => createdAt.getTime());
  expect(times).toEqual(times.toSorted((one, other) => other - one));
  for (const { chunks, chunksByStatus } of all)
    expect(CHUNK_STATES.reduce((sum, state) => sum + chunksByStatus[state], 0)).toBe(chunks);
  expect(await listBackfills(database, { pipeline: 'another', limit: 99 })).toEqual([]);
});
