import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Judgement } from '../domain/job-health.ts';
import { type JobPhase, type JobPolicy, jobPolicySchema } from '../schemas/job.ts';
import { flinkActivities, target } from '../tests/support/fake-flink-activities.ts';
import { FLINK_STEPS, type FlinkStep } from '../tests/support/fake-flink-faults.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';

const temporaryDirectory = temporaryDirectories();
const { name, jobId } = target;
const policy = jobPolicySchema.parse({});
const looks: readonly FlinkStep[] = ['describe a job', 'checkpoints', 'exceptions'];

const setUp = (options: Partial<Parameters<typeof flinkActivities>[0]> = {}) =>
  flinkActivities({ directory: temporaryDirectory(), ...options });
interface Watch {
  readonly phase: JobPhase;
  readonly untilMs?: number;
  readonly change?: Partial<JobPolicy>;
  readonly isUnconfirmed?: boolean;
}
const watch = (
  { environment, activities }: ReturnType<typeof flinkActivities>,
  { phase, untilMs = 20_000, change = {}, isUnconfirmed = false }: Watch,
): Promise<Judgement | undefined> =>
  environment.run(activities.watchJob, {
    ...{ name, jobId, phase, untilMs, isUnconfirmed },
    policy: { ...policy, ...change },
  });

describe.concurrent('watchJob returns what is news', () => {
  test('a job that runs and completes a checkpoint is stable', async () => {
    const setup = setUp();
    setup.flink.put({ id: jobId, name });
    expect(await watch(setup, { phase: 'settling' })).toEqual({ verdict: 'stable', reason: '' });
    expect(setup.flink.jobs.get(jobId)?.completed).toBeGreaterThan(0);
  });

  test('one that runs without any checkpoint is not stable yet', async () => {
    const setup = setUp({ times: { checkpointMs: 60_000 } });
    setup.flink.put({ id: jobId, name });
    expect(await watch(setup, { phase: 'settling', untilMs: 50 })).toBeUndefined();
  });

  test('one that restarts, or of which a part does not run, has to settle again', async () => {
    for (const change of [{ state: 'RESTARTING' }, { parts: ['RUNNING', 'DEPLOYING'] }] as const) {
      const setup = setUp();
      Object.assign(setup.flink.put({ id: jobId, name }), change);
      expect(await watch(setup, { phase: 'stable' })).toEqual({ verdict: 'settling', reason: '' });
    }
  });

  test('one that fails again and again is unstable, with what it said last', async () => {
    const setup = setUp();
    setup.flink.put({ id: jobId, name });
    for (const what of ['first', 'second', 'third'])
      setup.flink.fail(jobId, `a.b.JobException: outer\nCaused by: c.D: ${what}`, 'RESTARTING');
    expect(await watch(setup, { phase: 'settling' })).toEqual({
      verdict: 'unstable',
      reason: 'it failed 3 times within 120 s: D: third',
    });
  });

  test('one whose checkpoints do not complete is unstable, with why', async () => {
    const setup = setUp({ times: { checkpointMs: 60_000 } });
    setup.flink.put({ id: jobId, name }).checkpointFailure = 'Checkpoint expired before completing.';
    const seen = await watch(setup, { phase: 'settling', change: { checkpointStuckMs: 30 } });
    expect(seen?.verdict).toBe('unstable');
    expect(seen?.reason).toMatch(
      /^no checkpoint was completed for .* s: Checkpoint expired before completing\.$/,
    );
  });

  test('one that has ended is lost, with its root cause, wherever that stands', async () => {
    const failed = setUp();
    failed.flink.put({ id: jobId, name });
    failed.flink.fail(jobId, 'a.b.JobException: outer\nCaused by: c.D: out of memory');
    expect(await watch(failed, { phase: 'stable' })).toEqual({
      verdict: 'lost',
      reason: 'the job is FAILED: D: out of memory',
    });
    const refused = setUp();
    refused.flink.put({ id: jobId, name, state: 'FAILED' }).failure =
      'a.B: outer\nCaused by: c.D: no such file';
    expect((await watch(refused, { phase: 'settling' }))?.reason).toBe('the job is FAILED: D: no such file');
  });

  test('one that Flink does not know is lost, also when it forgets it between two questions', async () => {
    const unknown = { verdict: 'lost', reason: 'the Flink cluster does not know the job any more' };
    expect(await watch(setUp(), { phase: 'stable' })).toEqual(unknown);
    for (const step of looks) {
      const setup = setUp();
      setup.flink.put({ id: jobId, name });
      setup.flink.faults.arm(step, 'JobManager lost before');
      expect(await watch(setup, { phase: 'stable' })).toEqual(unknown);
    }
  });

  test('what is believed already is no news', async () => {
    const stable = setUp();
    stable.flink.put({ id: jobId, name });
    expect(await watch(stable, { phase: 'stable', untilMs: 100 })).toBeUndefined();
    const restarting = setUp();
    restarting.flink.put({ id: jobId, name, state: 'RESTARTING' });
    expect(await watch(restarting, { phase: 'settling', untilMs: 100 })).toBeUndefined();
  });

  test('returns at once when it is cancelled', async () => {
    const setup = setUp();
    setup.flink.put({ id: jobId, name });
    const watching = watch(setup, { phase: 'stable' });
    setup.environment.cancel();
    await expect(watching).rejects.toThrow();
  });
});

describe.concurrent('a JobManager that does not answer', () => {
  const steps = looks.filter((step) => FLINK_STEPS.includes(step));
  const silences = ['unreachable once', 'unreachable for a while', 'HTTP 500', 'answer lost'] as const;

  test.for(steps.flatMap((step) => silences.map((fault) => [fault, step] as const)))(
    'says nothing of the job: "%s" at "%s"',
    async ([fault, step]) => {
      const setup = setUp();
      setup.flink.put({ id: jobId, name });
      setup.flink.faults.arm(step, fault);
      expect(await watch(setup, { phase: 'stable', untilMs: 300 })).toBeUndefined();
      expect(setup.flink.faults.armed()).toEqual([]);
    },
  );

  test('for long makes the job unstable, once, with where nothing answers', async () => {
    const change = { unreachableMs: 20 };
    const setup = setUp();
    setup.flink.put({ id: jobId, name });
    setup.flink.faults.arm('describe a job', 'unreachable for a while');
    expect(await watch(setup, { phase: 'stable', change })).toEqual({
      verdict: 'unstable',
      reason: 'The Flink JobManager at http://fake does not answer: connect ECONNREFUSED.',
      isSilence: true,
    });
    expect(await watch(setup, { phase: 'unstable', change })).toEqual({ verdict: 'stable', reason: '' });
  });

  test('or only answers that it is broken, for long, makes the job unstable too', async () => {
    const setup = setUp();
    setup.flink.put({ id: jobId, name });
    for (let time = 0; time < 100; time += 1) setup.flink.faults.arm('describe a job', 'HTTP 500');
    const seen = await watch(setup, { phase: 'stable', change: { unreachableMs: 20 } });
    expect(seen).toMatchObject({ verdict: 'unstable', reason: expect.stringContaining('HTTP 500') });
  });

  test('for longer than a heartbeat may be missed does not end the watch: it gives signs of life', async () => {
    let isAsked = false;
    const setup = setUp({
      async readProgress() {
        isAsked = true;
        await delay(5_000);
        return undefined;
      },
    });
    let beats = 0;
    setup.environment.on('heartbeat', () => {
      if (isAsked) beats += 1;
    });
    setup.flink.put({ id: jobId, name });
    expect(await watch(setup, { phase: 'stable', untilMs: 500 })).toBeUndefined();
    expect(beats).toBe(2);
  });

  test('while the root cause of an end is asked for hides neither the end nor its cause', async () => {
    const setup = setUp();
    setup.flink.put({ id: jobId, name, state: 'FAILED' }).failure = 'c.D: out of memory';
    setup.flink.faults.arm('execution result', 'unreachable once');
    expect((await watch(setup, { phase: 'stable' }))?.reason).toBe('the job is FAILED: D: out of memory');
  });
});

describe('a job that reads nothing', () => {
  afterEach(() => vi.useRealTimers());

  const readings = (each: readonly { read: number; end: number }[]) => {
    const left = [...each];
    // Each question is asked five minutes after the one before.
    return async () => {
      vi.setSystemTime(Date.now() + 5 * 60_000);
      return left.length > 1 ? left.shift() : left[0];
    };
  };

  test('although records come is unstable', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const readProgress = readings([
      { read: 10, end: 10 },
      { read: 10, end: 11 },
      { read: 10, end: 12 },
    ]);
    const setup = setUp({ readProgress });
    setup.flink.put({ id: jobId, name });
    expect(await watch(setup, { phase: 'stable', untilMs: 24 * 3_600_000 })).toMatchObject({
      verdict: 'unstable',
      reason: expect.stringMatching(/^it has read nothing for \d+ s, although records came$/),
    });
  });

  test.each([
    ['because nothing comes', { read: 10, end: 11 }],
    ['as far as can be told now', undefined],
  ])('%s is as well as before', async (_, reading) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const setup = setUp({
      readProgress: async () => {
        vi.setSystemTime(Date.now() + 5 * 60_000);
        return reading;
      },
    });
    setup.flink.put({ id: jobId, name });
    expect(await watch(setup, { phase: 'stable', untilMs: 2 * 3_600_000 })).toBeUndefined();
  });
});

describe.concurrent('a version that has to be confirmed', () => {
  const reading = (each: readonly { read: number; end: number }[]) => {
    const left = [...each];
    return async () => (left.length > 1 ? left.shift() : left[0]);
  };
  const change = { upgradeLeastMs: 0 };
  const unconfirmed = { phase: 'settling', isUnconfirmed: true, untilMs: 400, change } as const;

  test('is stable once its checkpoints are completed and it reads what comes', async () => {
    const readProgress = reading([
      { read: 10, end: 10 },
      { read: 10, end: 12 },
      { read: 12, end: 12 },
    ]);
    const setup = setUp({ readProgress });
    setup.flink.put({ id: jobId, name });
    expect(await watch(setup, { ...unconfirmed, untilMs: 20_000 })).toEqual({
      verdict: 'stable',
      reason: '',
    });
    expect(setup.flink.jobs.get(jobId)?.completed).toBeGreaterThanOrEqual(policy.upgradeCheckpoints);
  });

  test('is told with what it still lacks when its time is over', async () => {
    const few = setUp({ readProgress: reading([{ read: 1, end: 1 }]), times: { checkpointMs: 150 } });
    few.flink.put({ id: jobId, name });
    expect(await watch(few, { ...unconfirmed, change: { ...change, upgradeCheckpoints: 9 } })).toEqual({
      verdict: 'settling',
      reason: expect.stringMatching(/^[12] of 9 checkpoints are completed$/),
    });
    const reads = reading([
      { read: 1, end: 1 },
      { read: 1, end: 5 },
    ]);
    const stuck = setUp({ readProgress: reads });
    stuck.flink.put({ id: jobId, name });
    expect(await watch(stuck, unconfirmed)).toEqual({
      verdict: 'settling',
      reason: 'it has read none of the 4 records that came',
    });
  });

  test('is not stable before it has run for its least time since its last failure, whatever it has completed', async () => {
    const setup = setUp({ readProgress: reading([{ read: 1, end: 1 }]) });
    const job = setup.flink.put({ id: jobId, name });
    job.runningSince = Date.now() - 60_000;
    setup.flink.fail(jobId, 'a.b.C: outer\nCaused by: c.D: a strange record', 'RUNNING');
    const failedAt = Date.now();
    expect(await watch(setup, { ...unconfirmed, untilMs: 100, change: { upgradeLeastMs: 1_500 } })).toEqual({
      verdict: 'settling',
      reason: 'it has run for 0 s of 1 s without a failure; its last failure: D: a strange record',
    });
    expect(job.completed).toBeGreaterThanOrEqual(policy.upgradeCheckpoints);
    const seen = await watch(setup, { ...unconfirmed, untilMs: 20_000, change: { upgradeLeastMs: 1_500 } });
    expect(seen?.verdict).toBe('stable');
    expect(Date.now() - failedAt).toBeGreaterThanOrEqual(1_500);
  });

  test('is told which of its tables gets nothing, though the other does', async () => {
    const reads = reading([
      { read: 1, end: 1 },
      { read: 9, end: 9 },
    ]);
    const setup = setUp({ readProgress: reads });
    const job = setup.flink.put({ id: jobId, name });
    job.written = { observations: 0, weather_hourly: 8 };
    const reason = 'it reads, and has written none of 8 records to observations';
    expect(await watch(setup, unconfirmed)).toEqual({ verdict: 'settling', reason });
    job.written = { observations: 1, weather_hourly: 8 };
    expect(await watch(setup, { ...unconfirmed, untilMs: 20_000 })).toMatchObject({ verdict: 'stable' });
  });

  test('whose state does not fit is told at once, though Flink goes on trying', async () => {
    const setup = setUp({ readProgress: reading([{ read: 1, end: 1 }]) });
    setup.flink.put({ id: jobId, name });
    const cause =
      'StateMigrationException: The new state serializer must not be incompatible with the old one';
    setup.flink.fail(jobId, `a.b.C: outer\nCaused by: org.apache.flink.util.${cause}`, 'RESTARTING');
    expect(await watch(setup, { ...unconfirmed, untilMs: 20_000 })).toEqual({
      verdict: 'unstable',
      reason: cause,
    });
  });
});
