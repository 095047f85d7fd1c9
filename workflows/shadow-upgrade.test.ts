/** What a shadow upgrade does when it is broken off at any of its steps: the workflow over activities in memory. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/workflow';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ReadersSight, UpgradeSight } from '../activities/shadow-upgrades.ts';
import type { ShadowComparison } from '../domain/shadow-comparison.ts';
import type { ShadowUpgradeInput } from '../schemas/candidate.ts';
import { shadowUpgrade } from './shadow-upgrade.ts';

type Doors = (name: string, args: unknown) => Promise<unknown>;

const temporal = vi.hoisted(() => ({ call: (async () => undefined) as Doors, shielded: 0 }));
vi.mock('@temporalio/workflow', async (original) => {
  const call: Doors = (name, args) => temporal.call(name, args);
  return {
    ...(await original<typeof import('@temporalio/workflow')>()),
    proxyActivities: () =>
      new Proxy(
        {},
        {
          get: (_, name: string) =>
            Object.assign((args: unknown) => call(name, args), {
              executeWithOptions: (_options: unknown, [args]: unknown[]) => call(name, args),
            }),
        },
      ),
    executeChild: (type: string, { args }: { args: unknown[] }) => call(type, args[0]),
    CancellationScope: {
      async nonCancellable<T>(work: () => Promise<T>): Promise<T> {
        temporal.shielded += 1;
        try {
          return await work();
        } finally {
          temporal.shielded -= 1;
        }
      },
    },
    workflowInfo: () => ({ workflowId: 'shadow-upgrade/a-stream', firstExecutionRunId: 'abcdef01-2345' }),
    setHandler: () => undefined,
    setCurrentDetails: () => undefined,
    upsertSearchAttributes: () => undefined,
  };
});

const job = 'a-stream';
const version = '0123456789ab';
const NOW = new Date('2026-01-31T12:30:00Z');
const MINUTE_MS = 60_000;
const asked: ReadersSight['asked'] = { at: NOW.toISOString(), ends: [] };
const differing: ShadowComparison = {
  ...{ from: '1970-01-01T00:00:00.000Z', to: '2026-01-31T12:00:00.000Z', compared: 9 },
  differences: [{ column: 'figure', windows: 1, examples: [] }],
  ranges: [{ from: '2026-01-31T08:00:00Z', to: '2026-01-31T09:00:00Z' }],
};
const candidate = {
  ...{ job, version, purpose: 'shadow', flinkName: 'shadow of a-stream', schema: 'shadow_a_stream' },
  ...{ consumerGroup: 'its-group', jobGroup: 'job-group', tables: ['hours'], refusal: '' },
  ...{ isOfThisBuild: true, recomputeJob: 'make-anew' },
};

interface BreakOff {
  /** Which call, of all that the workflow makes. */
  readonly at: number;
  readonly how: 'it says no' | 'the workflow is cancelled' | 'its worker is killed';
}

/** What is in Flink, in the database and in Kafka, and what the job's actor and its batch jobs were told. */
function world(breakOff?: BreakOff) {
  const it = {
    left: new Set<string>(),
    runs: 'old',
    calls: [] as string[],
    told: [] as unknown[],
    madeAnew: [] as unknown[],
    comparison: differing,
    /** What reading the log is told to take. */
    seconds: 40,
    /** How long each reading takes, and what is unread then. */
    readings: [] as { tookMs: number; unread?: number; slowest?: string }[],
    askedAnew: 0,
    settling: [{ end: 'underWay', reason: 'it settles' }] as UpgradeSight[],
    writtenSince: [] as string[],
    isCancelled: false,
  };
  const effects: Record<string, (args: never) => unknown> = {
    requireStable: () => it.runs,
    describeCandidate: () => ({ ...candidate, replay: { records: 100, seconds: it.seconds } }),
    prepareCandidate: () => it.left.add('tables'),
    submitCandidate() {
      it.left.add('job').add('group');
    },
    awaitReaders({ asked: earlier }: { asked?: unknown }): ReadersSight {
      if (earlier === undefined) it.askedAnew += 1;
      const { tookMs, unread = 0, slowest = '' } = it.readings.shift() ?? { tookMs: 0 };
      vi.setSystemTime(Date.now() + tookMs);
      return { asked, unread, slowest };
    },
    compareWindows: () => it.comparison,
    stopJobWithSavepoint() {
      it.left.delete('job');
      return { status: 'completed', path: 'file:/savepoints/1' };
    },
    endCandidate: () => it.left.clear(),
    cutOver(command: unknown) {
      it.told.push(command);
      it.runs = version;
    },
    hoursWrittenSince: ({ since }: { since: string }) => (since === asked.at ? it.writtenSince : []),
    awaitUpgrade: () => it.settling.shift() ?? { end: 'stable', attempt: 2 },
    runBatchJob: ({ parameters }: { parameters: unknown }) => it.madeAnew.push(parameters),
  };
  temporal.call = async (name, args) => {
    const isBroken = breakOff?.at === it.calls.length;
    const isOpen = () => it.isCancelled && temporal.shielded === 0;
    if (isOpen()) throw new CancelledFailure('cancelled');
    it.calls.push(name);
    const run = () => structuredClone(effects[name]?.(args as never));
    if (isBroken && breakOff.how === 'it says no') throw ApplicationFailure.nonRetryable(`${name} says no`);
    const result = run();
    if (isBroken && breakOff.how === 'the workflow is cancelled') it.isCancelled = true;
    if (isOpen()) throw new CancelledFailure('cancelled');
    // Its answer is lost, and another worker does it once more.
    return isBroken && breakOff.how === 'its worker is killed' && name !== 'awaitUpgrade' ? run() : result;
  };
  const upgrade = (more: Partial<ShadowUpgradeInput> = {}) =>
    shadowUpgrade({ job, version, acceptDifferences: ['figure'], ...more });
  return Object.assign(it, { upgrade });
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const STEPS = [
  ...['requireStable', 'describeCandidate', 'prepareCandidate', 'submitCandidate', 'awaitReaders'],
  ...['awaitReaders', 'compareWindows', 'stopJobWithSavepoint', 'endCandidate', 'awaitReaders'],
  ...['cutOver', 'awaitUpgrade', 'awaitUpgrade', 'hoursWrittenSince', 'runBatchJob'],
  'runBatchJob',
];
const CUT_OVER = STEPS.indexOf('cutOver');
const steps = STEPS.map((name, at) => ({ name, at }));

test('a shadow upgrade takes these steps, and nothing of the candidate is left when the job goes on', async () => {
  const it = world();
  expect(await it.upgrade()).toMatchObject({ outcome: 'cutOver', recomputed: 2 });
  expect(it.calls).toEqual(STEPS);
  expect([...it.left]).toEqual([]);
});

describe('nothing of the candidate is left', () => {
  // What ends the candidate is tried again without end.
  test.each(steps.filter(({ name }) => name !== 'endCandidate'))(
    'when step $at, $name, says no',
    async ({ name, at }) => {
      const it = world({ at, how: 'it says no' });
      await expect(it.upgrade()).rejects.toThrow(`${name} says no`);
      expect([...it.left]).toEqual([]);
      expect(it.runs).toBe(at <= CUT_OVER ? 'old' : version);
    },
  );

  test.each(steps.slice(0, CUT_OVER))(
    'when it is cancelled in step $at, $name, and the job runs on as it was',
    async ({ at }) => {
      const it = world({ at, how: 'the workflow is cancelled' });
      await expect(it.upgrade()).rejects.toBeInstanceOf(CancelledFailure);
      expect([...it.left]).toEqual([]);
      expect([it.runs, it.told]).toEqual(['old', []]);
    },
  );

  test.each(steps)('when the worker is killed in step $at, $name, and it goes on', async ({ at }) => {
    const it = world({ at, how: 'its worker is killed' });
    expect(await it.upgrade()).toMatchObject({ outcome: 'cutOver' });
    expect([...it.left]).toEqual([]);
    expect([it.calls, it.runs]).toEqual([STEPS, version]);
  });

  test('when its windows differ and nobody has accepted that', async () => {
    const it = world();
    expect(await it.upgrade({ acceptDifferences: [] })).toMatchObject({ outcome: 'refused' });
    expect([[...it.left], it.runs]).toEqual([[], 'old']);
  });
});

test.each(steps.slice(CUT_OVER))(
  'cancelled in step $at, $name, after the cut-over, it still makes all hours anew that were accepted',
  async ({ at }) => {
    const it = world({ at, how: 'the workflow is cancelled' });
    expect(await it.upgrade()).toMatchObject({ outcome: 'cutOver' });
    expect(it.madeAnew).toHaveLength(2);
  },
);

describe('the candidate reads', () => {
  test('what came meanwhile, again and again, until that is little', async () => {
    const it = world();
    it.readings = [{ tookMs: 600 * MINUTE_MS }, { tookMs: 20 * MINUTE_MS }, { tookMs: MINUTE_MS }];
    await it.upgrade();
    // Three times by itself, once with the job for the comparison, and the job once more for the cut-over.
    expect(it.askedAnew).toBe(5);
  });

  test.each([
    [100, 720],
    [100_000, 3_333],
  ])('for twice the %i s that were told, and never less than half a day', async (seconds, minutes) => {
    const it = world();
    it.seconds = seconds;
    it.readings = [
      { tookMs: minutes * MINUTE_MS - 60_000, unread: 7 },
      { tookMs: 2 * MINUTE_MS, unread: 5 },
    ];
    await expect(it.upgrade()).rejects.toThrow(
      `the candidate has not read the log within ${minutes} minutes, 5 records are left`,
    );
  });

  test.each([
    ['its-group', 'the candidate is 5 records behind'],
    ['job-group', `${job} itself is 5 records behind`],
  ])('and whoever is behind at the comparison is named: %s', async (slowest, sentence) => {
    const it = world();
    it.readings = [{ tookMs: 0 }, { tookMs: 20 * MINUTE_MS, unread: 5, slowest }];
    await expect(it.upgrade()).rejects.toThrow(sentence);
  });
});

describe('after the cut-over', () => {
  test('the version is waited for as long as its actor takes, and the hours that nobody has compared are made anew, too', async () => {
    const it = world();
    it.settling = Array.from({ length: 50 }, () => ({ end: 'underWay', reason: 'the JobManager is away' }));
    it.readings = [{ tookMs: 0 }, { tookMs: 0 }, { tookMs: 45 * MINUTE_MS }];
    it.writtenSince = ['2026-01-30T01:00:00.000Z', '2026-01-31T13:00:00.000Z'];
    await it.upgrade();
    expect(it.madeAnew).toEqual([
      { from: '2026-01-30T01:00:00Z', to: '2026-01-30T02:00:00Z' },
      { from: '2026-01-31T08:00:00Z', to: '2026-01-31T09:00:00Z' },
      { from: '2026-01-31T12:00:00Z', to: '2026-01-31T14:00:00Z' },
    ]);
  });

  test('nothing is made anew when all are equal', async () => {
    const it = world();
    it.comparison = { ...differing, differences: [], ranges: [] };
    expect(await it.upgrade()).toMatchObject({ outcome: 'cutOver', recomputed: 0 });
    expect(it.madeAnew).toEqual([]);
  });

  test('a version that is rolled back is told with the reason', async () => {
    const it = world();
    it.settling = [{ end: 'failed', reason: 'it is to run version old again' }];
    await expect(it.upgrade()).rejects.toThrow('after the cut-over: it is to run version old again');
    expect(it.madeAnew).toEqual([]);
  });

  test('the actor is told the parallelism that was asked for, so that later deploys keep it', async () => {
    const it = world();
    await it.upgrade({ parallelism: 4 });
    expect(it.told).toEqual([
      expect.objectContaining({ job, version, from: 'file:/savepoints/1', parallelism: 4 }),
    ]);
  });
});
