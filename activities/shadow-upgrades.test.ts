import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import type { FlinkJob, FlinkRestClient } from '../clients/flink-rest.ts';
import type { KafkaClient, PartitionWatermarks } from '../clients/kafka.ts';
import type { KafkaRecord } from '../clients/kafka-reader.ts';
import { weather } from '../pipelines/weather/definition.ts';
import { type JobState, jobStateSchema } from '../schemas/job.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { createShadowUpgradeActivities, type ReadersSight, type UpgradeSight } from './shadow-upgrades.ts';

const job = weather.job.name;
const version = '0123456789ab';
const triggerId = 'ab'.repeat(16);
const AT = new Date('2026-01-31T10:30:00Z');

function world() {
  const it = {
    state: { ...jobStateSchema.parse({ name: job }), phase: 'stable', version: 'old' } as
      | JobState
      | undefined,
    savepoint: undefined as { status: string; path: string | null; error: string | null } | undefined,
    commands: [] as [string, unknown][],
    /** Of the live topic; the repairs topic is empty. */
    watermarks: [{ partition: 0, low: 0, high: 10 }] as PartitionWatermarks[],
    committed: new Map<string, number>(),
    flinkState: 'RUNNING',
    onCommand: (): void => undefined,
    onLook: (): void => undefined,
  };
  const database = fakeDatabase({
    savepoint: () => (it.savepoint === undefined ? [] : [it.savepoint]),
    'database-time': [{ now: AT }],
    'windows-compared': [{ windows: 7 }],
    'changed-hours': [{ window_start: new Date('2026-01-31T08:00:00Z') }],
  });
  const kafka: Partial<KafkaClient> = {
    watermarks: async (topic) => (topic === weather.topics.live.name ? it.watermarks : []),
    async committedOffsets(group) {
      it.onLook();
      return new Map([[0, it.committed.get(group) ?? 0]]);
    },
    read: async (_, ranges, onRecords) =>
      onRecords(ranges.map(() => ({ publishedAt: new Date('2026-01-31T06:20:00Z') }) as KafkaRecord)),
  };
  const rest: Partial<FlinkRestClient> = {
    job: async () => ({ state: it.flinkState }) as FlinkJob,
    exceptions: async () => [{ atMs: 1, trace: 'a.b.DataException: the disk is full' }],
  };
  const activities = createShadowUpgradeActivities({
    ...{ database, kafka: kafka as KafkaClient, rest: rest as FlinkRestClient, pollMs: 1 },
    streams: { [job]: weather },
    actorOf: () => ({
      status: async () => it.state,
      async command(name, input) {
        it.commands.push([name, input]);
        it.onCommand();
        return it.state as JobState;
      },
    }),
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  const readers = (input: { groups: readonly string[]; untilMs: number; jobId?: string }) =>
    environment.run(activities.awaitReaders, { job, ...input }) as Promise<ReadersSight>;
  const upgrade = (untilMs = 60_000) =>
    environment.run(activities.awaitUpgrade, { job, version, untilMs }) as Promise<UpgradeSight>;
  const snapshot = () => environment.run(activities.takeFreshSnapshot, { job, triggerId });
  return Object.assign(it, { activities, environment, database, readers, upgrade, snapshot });
}

describe('a fresh snapshot', () => {
  test('is a savepoint that the actor takes, once for one trigger id', async () => {
    const it = world();
    it.onCommand = () => {
      it.savepoint = { status: 'completed', path: 'file:/savepoints/1', error: null };
    };
    expect(await it.snapshot()).toEqual({ kind: 'savepoint', path: 'file:/savepoints/1' });
    expect(await it.snapshot()).toEqual({ kind: 'savepoint', path: 'file:/savepoints/1' });
    expect(it.commands).toEqual([['savepoint', { commandId: triggerId, triggerId }]]);
  });

  test('of a job that does not run is the one that is kept', async () => {
    const it = world();
    Object.assign(it.state as JobState, { phase: 'suspended', restorePath: 'file:/savepoints/2' });
    expect(await it.snapshot()).toEqual({ kind: 'kept', path: 'file:/savepoints/2' });
    expect(it.commands).toEqual([]);
  });

  test('is none, with the reason, where nothing is kept or none could be taken', async () => {
    const it = world();
    it.savepoint = { status: 'failed', path: null, error: 'the disk is full' };
    expect(await it.snapshot()).toEqual({
      ...{ kind: 'none', reason: `no savepoint of ${job} could be taken, it failed: the disk is full` },
    });
    it.state = undefined;
    expect(await it.snapshot()).toMatchObject({
      kind: 'none',
      reason: expect.stringContaining('does not run'),
    });
  });
});

describe('requireStable', () => {
  test('tells the version of a stable job, and refuses any other', async () => {
    const it = world();
    expect(await it.activities.requireStable({ job })).toBe('old');
    Object.assign(it.state as JobState, { phase: 'settling' });
    const refused = it.environment.run(it.activities.requireStable, { job });
    await expect(refused).rejects.toMatchObject({ code: 'JOB_NOT_STABLE', retryable: false });
  });
});

describe('awaitReaders', () => {
  test('returns when every group has committed what the log held at first, however it grows', async () => {
    const it = world();
    let looks = 0;
    it.onLook = () => {
      looks += 1;
      it.watermarks = [{ partition: 0, low: 0, high: 10 + looks }];
      it.committed.set('a', 10);
      if (looks > 6) it.committed.set('b', 12);
    };
    const sight = await it.readers({ groups: ['a', 'b'], untilMs: 60_000 });
    expect(sight).toMatchObject({
      unread: 0,
      asked: {
        at: AT.toISOString(),
        ends: [{ topic: weather.topics.live.name, partition: 0, low: 0, high: 10 }],
      },
    });
  });

  test('tells how much is unread, and by whom, when its time is over; what has expired need not be read', async () => {
    const it = world();
    it.watermarks = [{ partition: 0, low: 4, high: 10 }];
    it.committed.set('b', 9);
    const sight = await it.readers({ groups: ['b', 'a'], untilMs: 0 });
    expect(sight).toMatchObject({ unread: 6, slowest: 'a' });
  });

  test('fails with the candidate', async () => {
    const it = world();
    it.flinkState = 'FAILED';
    await expect(it.readers({ groups: ['a'], untilMs: 60_000, jobId: 'x' })).rejects.toMatchObject({
      ...{ code: 'CANDIDATE_FAILED', message: expect.stringContaining('the disk is full') },
    });
  });
});

test('windows are compared up to the hour that is over, and from the first that lies wholly in the log', async () => {
  const it = world();
  const compare = () =>
    it.environment.run(it.activities.compareWindows, {
      ...{ job, schema: 'shadow_x', writtenBefore: AT.toISOString() },
    });
  expect(await compare()).toMatchObject({ from: new Date(0).toISOString(), to: '2026-01-31T10:00:00.000Z' });
  it.watermarks = [{ partition: 0, low: 3, high: 10 }];
  expect(await compare()).toEqual({
    ...{ from: '2026-01-31T08:00:00.000Z', to: '2026-01-31T10:00:00.000Z' },
    ...{ compared: 7, differences: [], ranges: [] },
  });
  const [from, to] = [new Date('2026-01-31T08:00:00Z'), new Date('2026-01-31T10:00:00Z')];
  expect(it.database.askedFor('shadow-differences').at(-1)).toEqual([
    ...['shadow_x', weather.tables.windows, from, to, AT],
  ]);
});

test('the hours that were written since a moment are told up to the one that runs', async () => {
  const it = world();
  const since = '2026-01-31T10:20:00.000Z';
  expect(await it.environment.run(it.activities.hoursWrittenSince, { job, since })).toEqual([
    '2026-01-31T08:00:00.000Z',
  ]);
  expect(it.database.askedFor('changed-hours')).toEqual([[new Date(since), AT]]);
});

describe('awaitUpgrade', () => {
  const as = (change: Partial<JobState>) => {
    const it = world();
    Object.assign(it.state as JobState, { desiredVersion: version, version, attempt: 3, ...change });
    return it;
  };

  test('is over when the job is stable on the version', async () => {
    expect(await as({}).upgrade()).toEqual({ end: 'stable', attempt: 3 });
  });

  test('is not over while the version before runs, or the new one settles', async () => {
    expect(await as({ version: 'old' }).upgrade(0)).toMatchObject({ end: 'underWay' });
    expect(await as({ phase: 'settling' }).upgrade(0)).toMatchObject({ end: 'underWay' });
  });

  test('has failed when the version before is wanted again, or the job is given up', async () => {
    expect(await as({ desiredVersion: 'old', reason: 'it was lost three times' }).upgrade()).toEqual({
      ...{ end: 'failed', reason: 'it is to run version old again: it was lost three times' },
    });
    expect(await as({ phase: 'failing', reason: 'no state' }).upgrade()).toEqual({
      ...{ end: 'failed', reason: 'it is failing: no state' },
    });
  });
});
