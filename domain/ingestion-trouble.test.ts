import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeTrouble, type TroublePolicy, type TroubleVerdict } from './ingestion-trouble.ts';

/** The verdicts of so many runs in a row that fail. */
const failing = (runs: number, policy: TroublePolicy): TroubleVerdict[] =>
  Array.from({ length: runs }, (_, before) => judgeTrouble(before, true, policy));

/** The places in the row, counted from one, at which something holds. */
const at = (verdicts: readonly TroubleVerdict[], holds: (verdict: TroubleVerdict) => boolean): number[] =>
  verdicts.flatMap((verdict, index) => (holds(verdict) ? [index + 1] : []));

const isRaised = ({ notice }: TroubleVerdict): boolean => notice === 'raised';
const isPaused = ({ pause }: TroubleVerdict): boolean => pause;

describe('runs that fail in a row', () => {
  test('are told after as many as the policy says, and again whenever it has lasted twice as long', () => {
    const verdicts = failing(100, { alertAfter: 3, pauseAfter: undefined });
    expect(at(verdicts, isRaised)).toEqual([3, 6, 12, 24, 48, 96]);
    expect(at(verdicts, isPaused)).toEqual([]);
  });

  test('are told from the first one on when the policy says so', () => {
    expect(at(failing(9, { alertAfter: 1, pauseAfter: undefined }), isRaised)).toEqual([1, 2, 4, 8]);
  });

  test('pause the schedule after as many as the policy says, which is told', () => {
    const verdicts = failing(11, { alertAfter: 3, pauseAfter: 5 });
    expect(at(verdicts, isPaused)).toEqual([5, 10]);
    expect(at(verdicts, isRaised)).toEqual([3, 5, 6, 10]);
  });

  test('are told every time they have doubled, however long they last and whatever the policy', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat(20), (alertAfter, doublings) => {
        const judge = (failures: number) =>
          judgeTrouble(failures - 1, true, { alertAfter, pauseAfter: undefined }).notice;
        const failures = alertAfter * 2 ** doublings;
        expect(judge(failures)).toBe('raised');
        expect(judge(failures + 1)).toBe(failures === 1 ? 'raised' : 'none');
      }),
    );
  });
});

describe('a run that is well', () => {
  test('is told exactly when the failures before it had been, and never pauses', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.integer({ min: 1, max: 100 }),
        fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
        (failures, alertAfter, pauseAfter) => {
          const policy = { alertAfter, pauseAfter };
          const wasTold = failing(failures, policy).some(isRaised);
          expect(judgeTrouble(failures, false, policy)).toEqual({
            notice: wasTold ? 'resolved' : 'none',
            pause: false,
          });
        },
      ),
    );
  });
});
