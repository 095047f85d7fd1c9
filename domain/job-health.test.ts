import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JOB_PHASES, jobPolicySchema } from '../schemas/job.ts';
import {
  eventOf,
  hasEnded,
  isNews,
  type JobSample,
  judge,
  type ReadProgress,
  stalledSince,
  VERDICTS,
  type Verdict,
} from './job-health.ts';
import { transition } from './job-machine.ts';

const policy = jobPolicySchema.parse({});
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Noon of some day, and a job that began an hour before, runs since, and completed a checkpoint five seconds ago. */
const nowMs = 1_800_000_000_000;
const ago = (ms: number): number => nowMs - ms;
const healthy: JobSample = {
  nowMs,
  state: 'RUNNING',
  isWhole: true,
  startedAtMs: ago(60 * MINUTE),
  runningSinceMs: ago(59 * MINUTE),
  checkpointAtMs: ago(5 * SECOND),
  failuresAtMs: [],
  failure: '',
  checkpointFailure: '',
};
const stalledFor = (ms: number): ReadProgress => ({ atMs: ago(ms), read: 10, end: 12 });

interface Situation {
  readonly name: string;
  readonly sample?: Partial<JobSample>;
  readonly stalled?: ReadProgress;
  readonly verdict: Verdict | undefined;
  readonly reason?: string;
}

const situations: readonly Situation[] = [
  { name: 'it runs, completes checkpoints and reads', verdict: 'stable', reason: '' },
  ...['FAILED', 'CANCELED', 'FINISHED'].map(
    (state): Situation => ({
      name: `it is ${state}`,
      sample: { state, failure: 'disk full' },
      verdict: 'lost',
      reason: `the job is ${state}: disk full`,
    }),
  ),
  {
    name: 'it has ended, and failed again and again before',
    sample: { state: 'FAILED', failuresAtMs: [ago(3), ago(2), ago(1)] },
    verdict: 'lost',
    reason: 'the job is FAILED',
  },
  ...['INITIALIZING', 'CREATED', 'FAILING', 'CANCELLING', 'RESTARTING', 'SUSPENDED', 'RECONCILING'].map(
    (state): Situation => ({ name: `it is ${state} for a moment`, sample: { state }, verdict: 'settling' }),
  ),
  { name: 'not all of its parts run yet', sample: { isWhole: false }, verdict: 'settling', reason: '' },
  {
    name: 'it begins, and has as long to start as the policy gives',
    sample: { state: 'CREATED', startedAtMs: ago(3 * MINUTE), runningSinceMs: 0, checkpointAtMs: 0 },
    verdict: 'settling',
  },
  {
    name: 'it did not begin to run in time',
    sample: { state: 'CREATED', startedAtMs: ago(3 * MINUTE + 1), runningSinceMs: 0, checkpointAtMs: 0 },
    verdict: 'unstable',
    reason: 'it has not run for 180 s, Flink says CREATED',
  },
  {
    name: 'its parts did not all run in time',
    sample: { isWhole: false, startedAtMs: ago(4 * MINUTE), runningSinceMs: ago(MINUTE), checkpointAtMs: 0 },
    verdict: 'unstable',
    reason: 'it has not run for 240 s, not all of its parts run',
  },
  {
    name: 'it failed, and has as long to come back as to start',
    sample: { state: 'RESTARTING', checkpointAtMs: ago(10 * MINUTE), failuresAtMs: [ago(3 * MINUTE)] },
    verdict: 'settling',
  },
  {
    name: 'it has just failed, and what failed long before was over with a checkpoint',
    sample: { state: 'RESTARTING', checkpointAtMs: ago(6_000), failuresAtMs: [ago(5_000), ago(9 * MINUTE)] },
    verdict: 'settling',
  },
  {
    name: 'it failed, did not come back in time, and has just failed in trying',
    sample: {
      state: 'RESTARTING',
      checkpointAtMs: ago(4 * MINUTE),
      failuresAtMs: [ago(SECOND), ago(3 * MINUTE + 1)],
      failure: 'no slots',
    },
    verdict: 'unstable',
    reason: 'it has not run for 180 s, Flink says RESTARTING: no slots',
  },
  {
    name: 'it failed three times in two minutes, although it completed checkpoints in between',
    sample: { failuresAtMs: [ago(6 * SECOND), ago(MINUTE), ago(2 * MINUTE)], failure: 'poison' },
    verdict: 'unstable',
    reason: 'it failed 3 times within 120 s: poison',
  },
  {
    name: 'one of three failures is longer ago than two minutes, and it completed a checkpoint since',
    sample: { failuresAtMs: [ago(6 * SECOND), ago(MINUTE), ago(2 * MINUTE + 1)] },
    verdict: 'stable',
  },
  {
    name: 'it fails ever more slowly, and completed no checkpoint in between',
    sample: {
      checkpointAtMs: ago(20 * MINUTE),
      runningSinceMs: ago(SECOND),
      failuresAtMs: [ago(4 * MINUTE), ago(10 * MINUTE), ago(15 * MINUTE)],
    },
    verdict: 'unstable',
    reason: 'it failed 3 times within 1200 s',
  },
  {
    name: 'it is in a restart loop, stuck, and reads nothing: the loop is the cause',
    sample: { checkpointAtMs: ago(MINUTE * 5), failuresAtMs: [ago(3), ago(2), ago(1)], failure: 'loop' },
    stalled: stalledFor(10 * MINUTE),
    verdict: 'unstable',
    reason: 'it failed 3 times within 300 s: loop',
  },
  {
    name: 'it runs and its first checkpoint is still to come',
    sample: { runningSinceMs: ago(MINUTE), checkpointAtMs: 0 },
    verdict: undefined,
  },
  {
    name: 'it runs again and has not completed a checkpoint since',
    sample: { runningSinceMs: ago(4 * SECOND), failuresAtMs: [ago(4_500)] },
    verdict: undefined,
  },
  {
    name: 'its newest checkpoint was completed as it began to run',
    sample: { runningSinceMs: ago(SECOND), checkpointAtMs: ago(SECOND) },
    verdict: 'stable',
  },
  {
    name: 'its newest checkpoint is exactly as old as may be',
    sample: { checkpointAtMs: ago(3 * MINUTE) },
    verdict: 'stable',
  },
  {
    name: 'its checkpoints are stuck',
    sample: { checkpointAtMs: ago(3 * MINUTE + 1), checkpointFailure: 'expired before completing' },
    verdict: 'unstable',
    reason: 'no checkpoint was completed for 180 s: expired before completing',
  },
  {
    name: 'it runs for long without ever a checkpoint',
    sample: { runningSinceMs: ago(3 * MINUTE + 1), checkpointAtMs: 0 },
    verdict: 'unstable',
    reason: 'no checkpoint was completed for 180 s',
  },
  {
    name: 'its checkpoints are stuck and it reads nothing: the checkpoints are named',
    sample: { checkpointAtMs: ago(5 * MINUTE) },
    stalled: stalledFor(10 * MINUTE),
    verdict: 'unstable',
    reason: 'no checkpoint was completed for 300 s',
  },
  { name: 'it has read nothing for as long as may be', stalled: stalledFor(3 * MINUTE), verdict: 'stable' },
  {
    name: 'it has read nothing for too long',
    stalled: stalledFor(3 * MINUTE + 1),
    verdict: 'unstable',
    reason: 'it has read nothing for 180 s, although records came',
  },
];

describe('a job is judged', () => {
  test.each(situations)('$verdict when $name', ({ sample, stalled, verdict, reason }) => {
    const judgement = judge({ ...healthy, ...sample }, stalled, policy);
    expect(judgement?.verdict).toBe(verdict);
    if (reason !== undefined) expect(judgement?.reason).toBe(reason);
  });

  test('by its figures and not by the defaults', () => {
    const strict = {
      ...policy,
      restartLoopFailures: 2,
      checkpointStuckMs: 4_999,
      startupMs: 1,
      offsetsStuckMs: 1,
    };
    const stuck = judge(healthy, undefined, strict);
    expect(stuck).toMatchObject({ verdict: 'unstable', reason: expect.stringContaining('no checkpoint') });
    const looping = judge({ ...healthy, failuresAtMs: [ago(1), ago(2)] }, undefined, strict);
    expect(looping).toMatchObject({ verdict: 'unstable', reason: expect.stringContaining('2 times') });
  });
});

const ages = fc.oneof(fc.nat(5 * MINUTE), fc.nat(24 * 60 * MINUTE));
const moments = ages.map(ago);
const samples: fc.Arbitrary<JobSample> = fc.record({
  nowMs: fc.constant(nowMs),
  state: fc.oneof(
    fc.constant('RUNNING'),
    fc.constantFrom('CREATED', 'RESTARTING', 'FAILING', 'FAILED', 'CANCELED', 'FINISHED'),
  ),
  isWhole: fc.boolean(),
  startedAtMs: moments,
  runningSinceMs: fc.oneof(moments, fc.constant(0)),
  checkpointAtMs: fc.oneof(moments, fc.constant(0)),
  failuresAtMs: fc.array(moments, { maxLength: 6 }),
  failure: fc.constantFrom('', 'disk full'),
  checkpointFailure: fc.constantFrom('', 'expired'),
});
const stalls = fc.option(ages.map(stalledFor), { nil: undefined });

describe('whatever is seen of a job', () => {
  const always = (holds: (sample: JobSample, stalled: ReadProgress | undefined) => void): void =>
    fc.assert(fc.property(samples, stalls, holds), { numRuns: 3_000 });

  test('it is lost if it has ended, and only then', () => {
    always((sample, stalled) => {
      expect(judge(sample, stalled, policy)?.verdict === 'lost').toBe(hasEnded(sample.state));
    });
  });

  test('it is stable only when it is whole, runs, and completed a checkpoint since it runs', () => {
    always((sample, stalled) => {
      if (judge(sample, stalled, policy)?.verdict !== 'stable') return;
      expect([sample.state, sample.isWhole]).toEqual(['RUNNING', true]);
      expect(sample.checkpointAtMs).toBeGreaterThanOrEqual(sample.runningSinceMs);
      expect(nowMs - sample.checkpointAtMs).toBeLessThanOrEqual(policy.checkpointStuckMs);
      if (stalled !== undefined) expect(nowMs - stalled.atMs).toBeLessThanOrEqual(policy.offsetsStuckMs);
    });
  });

  test('it is never stable, nor settling, while it is in a restart loop', () => {
    always((sample, stalled) => {
      const recent = sample.failuresAtMs.filter((atMs) => atMs >= ago(policy.restartLoopMs));
      if (recent.length < policy.restartLoopFailures) return;
      expect(judge(sample, stalled, policy)?.verdict).toMatch(/unstable|lost/);
    });
  });

  test('nothing is said only of a whole job that runs and has not completed a checkpoint since', () => {
    always((sample, stalled) => {
      if (judge(sample, stalled, policy) !== undefined) return;
      expect([sample.state, sample.isWhole]).toEqual(['RUNNING', true]);
      expect(sample.checkpointAtMs).toBeLessThan(sample.runningSinceMs);
    });
  });

  test('an unstable job has its reason, and a stable one none', () => {
    always((sample, stalled) => {
      const { verdict, reason } = judge(sample, stalled, policy) ?? {};
      if (verdict === 'unstable' || verdict === 'lost') expect(reason).not.toBe('');
      if (verdict === 'stable' || verdict === 'settling') expect(reason).toBe('');
    });
  });
});

test('a job that fails again and again is unstable until a checkpoint is completed, however its pauses grow', () => {
  const pauses = fc.array(fc.integer({ min: 1, max: 10 * MINUTE }), { minLength: 4, maxLength: 16 });
  fc.assert(
    fc.property(pauses, fc.boolean(), (lengths, runsInBetween) => {
      const [startedAtMs, checkpointAtMs] = [nowMs - MINUTE, nowMs];
      const failuresAtMs: number[] = [];
      let atMs = nowMs + 1;
      for (const pauseMs of lengths) {
        failuresAtMs.unshift(atMs);
        // Just before the next failure: it has run for half of the pause, or it still waits.
        const runs = runsInBetween
          ? { state: 'RUNNING', runningSinceMs: atMs + pauseMs / 2 }
          : { state: 'RESTARTING', runningSinceMs: startedAtMs };
        atMs += pauseMs;
        const sample = { ...healthy, ...runs, startedAtMs, checkpointAtMs, failuresAtMs, nowMs: atMs - 1 };
        if (failuresAtMs.length < policy.restartLoopFailures) continue;
        expect(judge(sample, undefined, policy)?.verdict).toBe('unstable');
      }
    }),
  );
});

describe('what a job has read', () => {
  const look = (seconds: number, read: number, end: number): ReadProgress => ({
    atMs: seconds * SECOND,
    read,
    end,
  });
  /** The looks one after the other; what is stalled at the last of them, and since which second. */
  const stalledAfter = (...looks: ReadProgress[]): number | undefined => {
    let before: ReadProgress | undefined;
    let isStalled = false;
    for (const now of looks) ({ progress: before, isStalled } = stalledSince(before, now));
    return isStalled && before !== undefined ? before.atMs / SECOND : undefined;
  };

  test('is no stall at the first look, whatever waits', () => {
    expect(stalledAfter(look(0, 0, 1_000))).toBeUndefined();
  });

  test('never stalls while the topic is quiet, with a transaction marker at its end', () => {
    expect(stalledAfter(...[0, 10, 20, 3_600].map((seconds) => look(seconds, 10, 11)))).toBeUndefined();
  });

  test('stalls since the last look before records came, when none of them is read', () => {
    expect(stalledAfter(look(0, 10, 10), look(10, 10, 15))).toBe(0);
    expect(stalledAfter(look(0, 10, 10), look(10, 10, 15), look(20, 10, 15), look(30, 10, 18))).toBe(0);
  });

  test('does not count the quiet time before the records as a stall', () => {
    const quiet = [0, 1_000, 3_600].map((seconds) => look(seconds, 10, 11));
    expect(stalledAfter(...quiet, look(3_610, 10, 15))).toBe(3_600);
    expect(stalledAfter(...quiet, look(3_610, 10, 15), look(3_620, 14, 15))).toBeUndefined();
  });

  test('no longer stalls once something was read, and may stall again from there', () => {
    const recovered = [look(0, 10, 10), look(10, 10, 15), look(20, 11, 15)];
    expect(stalledAfter(...recovered)).toBeUndefined();
    expect(stalledAfter(...recovered, look(30, 11, 16))).toBe(20);
  });

  test('does not stall while it reads again what it had read, after it went back to an older snapshot', () => {
    const back = [look(0, 100, 100), look(10, 50, 110), look(20, 60, 120), look(30, 70, 130)];
    expect(stalledAfter(...back)).toBeUndefined();
  });

  test('does not stall when the topic was made anew and has fewer records than were read', () => {
    expect(stalledAfter(look(0, 10, 11), look(10, 10, 3), look(20, 10, 5))).toBeUndefined();
  });

  test('stalls exactly when nothing was read since the earliest look that saw fewer records', () => {
    const steps = fc.array(fc.record({ reads: fc.nat(2), arrive: fc.nat(2) }), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(steps, (path) => {
        let [read, end] = [0, 1];
        const looks = path.map(({ reads, arrive }, index) => {
          [read, end] = [Math.min(read + reads, end), end + arrive];
          return look(index, read, end);
        });
        const same = looks.filter((each) => each.read === read);
        // The last look before the first records that came while nothing was read.
        const since = same.findLast((each) => each.end === same[0]?.end);
        const isStalled = since !== undefined && since.end < end;
        expect(stalledAfter(...looks)).toBe(isStalled ? since.atMs / SECOND : undefined);
      }),
    );
  });
});

describe('a judgement', () => {
  test('is news where it changes what is believed, and a lost job always is', () => {
    for (const verdict of VERDICTS)
      for (const phase of JOB_PHASES)
        expect(isNews({ verdict, reason: '' }, phase)).toBe(verdict === 'lost' || verdict !== phase);
  });

  test('is told to the machine by the event that leads to the phase it speaks of', () => {
    const reached = VERDICTS.map((verdict) => transition('settling', eventOf(verdict)));
    expect(reached).toEqual(['settling', 'stable', 'unstable', 'recovering']);
    expect(transition('stable', eventOf('settling'))).toBe('settling');
  });
});
