/** Tests of what a new version has to prove. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jobPolicySchema } from '../schemas/job.ts';
import { baseLook, judgeUpgrade, missingProof, type UpgradeLook } from './upgrade-proof.ts';

const policy = jobPolicySchema.parse({});
const MISFIT =
  'IllegalStateException: Cannot map checkpoint/savepoint state for operator 77fe to the new program';

describe('the proof of a new version', () => {
  const look = (change: Partial<UpgradeLook> = {}): UpgradeLook => ({
    ...{ checkpoints: 3, progress: { read: 10, end: 10 }, handed: 5, written: 5 },
    ...change,
  });
  const first = look({ checkpoints: 0, handed: 0, written: 0 });

  test.each<[string, UpgradeLook, string]>([
    ['is whole when it reads and writes', look({ progress: { read: 15, end: 15 } }), ''],
    ['is whole when nothing came', look({ handed: 0, written: 0 }), ''],
    [
      'is whole when Flink cannot count',
      look({ handed: undefined, written: undefined, progress: { read: 12, end: 12 } }),
      '',
    ],
    ['lacks checkpoints', look({ checkpoints: 2 }), '2 of 3 checkpoints are completed'],
    ["lacks Kafka's answer", look({ progress: undefined }), 'Kafka does not tell how far it has read'],
    [
      'lacks what came',
      look({ progress: { read: 10, end: 14 } }),
      'it has read none of the 4 records that came',
    ],
    [
      'lacks output',
      look({ progress: { read: 14, end: 14 }, handed: 0, written: 0 }),
      'it reads, and has written none of 4 records',
    ],
    [
      'lacks output of what waited before',
      look({ handed: 9, written: 0 }),
      'it reads, and has written none of 9 records',
    ],
  ])('%s', (_, now, missing) => {
    expect(missingProof(first, now, policy)).toBe(missing);
  });

  test('is measured from where it begins to read again, when it goes back to an older snapshot', () => {
    const before = look({ progress: { read: 90, end: 100 } });
    const back = look({ progress: { read: 5, end: 110 } });
    const on = look({ progress: { read: 30, end: 120 } });
    expect(baseLook(baseLook(undefined, before), look({ progress: undefined }))).toBe(before);
    expect(baseLook(before, back)).toBe(back);
    expect(missingProof(back, back, policy)).toBe('how far it reads is not known yet');
    expect(baseLook(back, on)).toBe(back);
    expect(missingProof(back, on, policy)).toBe('');
  });

  test('needs two looks, or nothing would be known of what it reads', () => {
    expect(missingProof(undefined, look(), policy)).toBe('how far it reads is not known yet');
  });

  test('nothing is confirmed without its checkpoints, or while records come and are not read, or are read and not written', () => {
    const looks = fc.record({
      checkpoints: fc.nat(5),
      progress: fc.option(fc.record({ read: fc.nat(20), end: fc.nat(20) }), { nil: undefined }),
      handed: fc.nat(3),
      written: fc.nat(3),
    });
    fc.assert(
      fc.property(looks, looks, (before, now) => {
        if (missingProof(before, now, policy) !== '') return;
        const [then, later] = [before.progress, now.progress];
        if (then === undefined || later === undefined)
          throw new Error('confirmed without knowing what it reads');
        expect(now.checkpoints).toBeGreaterThanOrEqual(policy.upgradeCheckpoints);
        const hasRead = later.read > then.read;
        if (later.end > then.end) expect(hasRead).toBe(true);
        if (now.handed > 0 || (hasRead && later.end > then.end)) expect(now.written).toBeGreaterThan(0);
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
      ...{ verdict: 'settling', reason: 'a proof is missing' },
    });
    expect(judgeUpgrade({ verdict: 'settling', reason: '' }, '', MISFIT)).toEqual({
      verdict: 'unstable',
      reason: MISFIT,
    });
  });
});
