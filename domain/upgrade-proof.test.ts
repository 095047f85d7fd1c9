/** Tests of what a new version has to prove. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jobPolicySchema } from '../schemas/job.ts';
import type { JobSample } from './job-health.ts';
import { baseLook, judgeUpgrade, missingProof, type UpgradeLook, undisturbedMs } from './upgrade-proof.ts';

const policy = jobPolicySchema.parse({});
const tables = ['facts', 'hours'];
const MISFIT =
  'IllegalStateException: Cannot map checkpoint/savepoint state for operator 77fe to the new program';

const look = (change: Partial<UpgradeLook> = {}): UpgradeLook => ({
  ...{ checkpoints: 3, progress: { read: 10, end: 10 }, handed: 5 },
  ...{ written: { facts: 5, hours: 5 }, undisturbedMs: policy.upgradeLeastMs },
  ...change,
});
const none = { facts: 0, hours: 0 };
const first = look({ checkpoints: 0, handed: 0, written: none, undisturbedMs: 0 });

describe('the proof of a new version', () => {
  test.each<[string, UpgradeLook, string]>([
    ['is whole when it reads and writes', look({ progress: { read: 15, end: 15 } }), ''],
    ['is whole when nothing came', look({ handed: 0, written: none }), ''],
    ['is whole when Flink cannot count', look({ written: {}, progress: { read: 12, end: 12 } }), ''],
    ['lacks checkpoints', look({ checkpoints: 2 }), '2 of 3 checkpoints are completed'],
    ["lacks Kafka's answer", look({ progress: undefined }), 'Kafka does not tell how far it has read'],
    [
      'lacks what came',
      look({ progress: { read: 10, end: 14 } }),
      'it has read none of the 4 records that came',
    ],
    [
      'lacks output',
      look({ progress: { read: 14, end: 14 }, handed: 0, written: none }),
      'it reads, and has written none of 4 records to facts and hours',
    ],
    [
      'lacks output of what waited before',
      look({ handed: 9, written: none }),
      'it reads, and has written none of 9 records to facts and hours',
    ],
    [
      'lacks output to one of its tables',
      look({ written: { facts: 0, hours: 5, log: 5 } }),
      'it reads, and has written none of 5 records to facts',
    ],
    [
      'lacks output to a table that it does not write any more',
      look({ written: { facts: 5 } }),
      'it reads, and has written none of 5 records to hours',
    ],
    [
      'is whole when what it need not write got nothing',
      look({ written: { facts: 1, hours: 1, log: 0 } }),
      '',
    ],
    ['is whole when it writes elsewhere', look({ written: { log: 1, other: 0 } }), ''],
    [
      'lacks output when it writes elsewhere, and nothing',
      look({ written: { log: 0 } }),
      'it reads, and has written none of 5 records',
    ],
    [
      'lacks time',
      look({ undisturbedMs: policy.upgradeLeastMs - 1 }),
      'it has run for 59 s of 60 s without a failure',
    ],
  ])('%s', (_, now, missing) => {
    expect(missingProof(first, now, policy, tables)).toBe(missing);
  });

  test('is measured from where it begins to read again, when it goes back to an older snapshot', () => {
    const before = look({ progress: { read: 90, end: 100 } });
    const back = look({ progress: { read: 5, end: 110 } });
    const on = look({ progress: { read: 30, end: 120 } });
    expect(baseLook(baseLook(undefined, before), look({ progress: undefined }))).toBe(before);
    expect(baseLook(before, back)).toBe(back);
    expect(missingProof(back, back, policy, tables)).toBe('how far it reads is not known yet');
    expect(baseLook(back, on)).toBe(back);
    expect(missingProof(back, on, policy, tables)).toBe('');
  });

  test('needs two looks, or nothing would be known of what it reads', () => {
    expect(missingProof(undefined, look(), policy, tables)).toBe('how far it reads is not known yet');
  });

  test('nothing is confirmed without its checkpoints and its time, or while records come and are not read, or are read and not written', () => {
    const looks = fc.record({
      checkpoints: fc.nat(5),
      progress: fc.option(fc.record({ read: fc.nat(20), end: fc.nat(20) }), { nil: undefined }),
      handed: fc.nat(3),
      written: fc.record({ facts: fc.nat(2), hours: fc.nat(2) }),
      undisturbedMs: fc.nat(2 * policy.upgradeLeastMs),
    });
    fc.assert(
      fc.property(looks, looks, (before, now) => {
        if (missingProof(before, now, policy, tables) !== '') return;
        const [then, later] = [before.progress, now.progress];
        if (then === undefined || later === undefined)
          throw new Error('confirmed without knowing what it reads');
        expect(now.checkpoints).toBeGreaterThanOrEqual(policy.upgradeCheckpoints);
        const hasRead = later.read > then.read;
        if (later.end > then.end) expect(hasRead).toBe(true);
        if (now.handed > 0 || (hasRead && later.end > then.end))
          expect(Math.min(now.written.facts, now.written.hours)).toBeGreaterThan(0);
        expect(now.undisturbedMs).toBeGreaterThanOrEqual(policy.upgradeLeastMs);
      }),
    );
  });

  test('is asked of a version that is well, and says nothing of one that is not', () => {
    const stable = { verdict: 'stable', reason: '' } as const;
    const lost = { verdict: 'lost', reason: 'the job is FAILED' } as const;
    expect(judgeUpgrade(stable, '', '')).toBe(stable);
    expect(judgeUpgrade(stable, 'a proof is missing', '')).toEqual({
      verdict: 'settling',
      reason: 'a proof is missing',
    });
    expect(judgeUpgrade(lost, '', MISFIT)).toBe(lost);
    expect(judgeUpgrade(undefined, 'a proof is missing', 'TimeoutException')).toEqual({
      ...{ verdict: 'settling', reason: 'a proof is missing; its last failure: TimeoutException' },
    });
    expect(judgeUpgrade({ verdict: 'settling', reason: '' }, '', MISFIT)).toEqual({
      verdict: 'unstable',
      reason: MISFIT,
    });
  });
});

describe('the time that a version has run without a failure', () => {
  const sample: JobSample = {
    ...{ nowMs: 100_000, state: 'RUNNING', isWhole: true, startedAtMs: 5_000, runningSinceMs: 10_000 },
    ...{ checkpointAtMs: 90_000, failuresAtMs: [], failure: '', checkpointFailure: '' },
  };

  test('is counted from when it last began to run, or from its last failure if that was later', () => {
    expect(undisturbedMs(sample)).toBe(90_000);
    expect(undisturbedMs({ ...sample, failuresAtMs: [70_000, 30_000] })).toBe(30_000);
    expect(undisturbedMs({ ...sample, runningSinceMs: 80_000, failuresAtMs: [70_000] })).toBe(20_000);
  });

  test('is none while it, or a part of it, does not run', () => {
    expect(undisturbedMs({ ...sample, isWhole: false })).toBe(0);
    for (const state of ['CREATED', 'RESTARTING', 'FAILED'])
      expect(undisturbedMs({ ...sample, state })).toBe(0);
  });

  test('that a version which crashes now and then never has keeps it from being confirmed, however its failures lie', () => {
    const { upgradeLeastMs: leastMs } = policy;
    // Each failure comes sooner after the one before than the version would have to run.
    const pauses = fc.array(fc.integer({ min: 1, max: leastMs - 1 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(pauses, fc.nat(leastMs - 1), (gaps, sinceMs) => {
        let nowMs = 0;
        const failuresAtMs = gaps.map((gap) => {
          nowMs += gap;
          return nowMs;
        });
        const seen = { ...sample, nowMs: nowMs + sinceMs, runningSinceMs: 0, failuresAtMs };
        const now = look({ undisturbedMs: undisturbedMs(seen), checkpoints: 99 });
        expect(missingProof(first, now, policy, tables)).toMatch(/^it has run for \d+ s of 60 s/);
      }),
    );
  });
});
