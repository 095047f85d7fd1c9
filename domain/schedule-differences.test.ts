import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeSchedule, type ScheduleFacts } from './schedule-differences.ts';

const facts = fc.dictionary(
  fc.constantFrom('times', 'jitter', 'overlap', 'arguments', 'run timeout'),
  fc.string(),
);

/** What applying each difference to what is there makes of it. */
function mended(there: ScheduleFacts, declared: ScheduleFacts): ScheduleFacts {
  const verdict = judgeSchedule(declared, there);
  if (verdict.kind !== 'differs') return there;
  const changed = verdict.differences.map(({ field }) => field);
  const kept = Object.entries(there).filter(([field]) => !changed.includes(field));
  const taken = Object.entries(declared).filter(([field]) => changed.includes(field));
  return Object.fromEntries([...kept, ...taken]);
}

describe('how a schedule differs from its declaration', () => {
  test('one that does the same is as declared, in whatever order its fields stand', () => {
    fc.assert(
      fc.property(facts, (declared) => {
        const there = Object.fromEntries(Object.entries(declared).reverse());
        expect(judgeSchedule(declared, there)).toEqual({ kind: 'as_declared' });
      }),
    );
  });

  test('the differences are all there are, and each is one', () => {
    fc.assert(
      fc.property(facts, facts, (declared, there) => {
        expect(mended(there, declared)).toEqual(declared);
        const verdict = judgeSchedule(declared, there);
        if (verdict.kind === 'differs')
          for (const { field } of verdict.differences) expect(declared[field]).not.toBe(there[field]);
      }),
    );
  });

  test('a field that one of the two does not have is shown as none', () => {
    expect(judgeSchedule({ jitter: '2 s' }, { 'run timeout': '1 min' })).toEqual({
      kind: 'differs',
      differences: [
        { field: 'jitter', there: '(none)', declared: '2 s' },
        { field: 'run timeout', there: '1 min', declared: '(none)' },
      ],
    });
  });

  test('what only one side has is missing, or declared no more', () => {
    expect(judgeSchedule({ jitter: '2 s' }, undefined)).toEqual({ kind: 'missing' });
    expect(judgeSchedule(undefined, { jitter: '2 s' })).toEqual({ kind: 'not_declared' });
  });
});
