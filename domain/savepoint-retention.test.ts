import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KeptSavepoint, type Retention, savepointsToDispose } from './savepoint-retention.ts';

const DAY_MS = 24 * 60 * 60_000;
const nowMs = 1_000 * DAY_MS;
const daysOld = (days: number, triggerId = `${days}`.padStart(4, '0')): KeptSavepoint => ({
  triggerId,
  path: `file:/savepoints/${triggerId}`,
  finishedAtMs: nowMs - days * DAY_MS,
});
const keep = (changes: Partial<Retention> = {}): Retention => ({
  count: 3,
  ageMs: 14 * DAY_MS,
  inUse: [],
  ...changes,
});
const disposed = (savepoints: readonly KeptSavepoint[], retention: Retention): string[] =>
  savepointsToDispose(savepoints, retention, nowMs).map(({ triggerId }) => triggerId);

describe('savepoints are disposed of', () => {
  test('beyond the number that is kept, the oldest first to go', () => {
    expect(
      disposed(
        [4, 1, 3, 0, 2].map((days) => daysOld(days)),
        keep(),
      ),
    ).toEqual(['0003', '0004']);
    expect(
      disposed(
        [0, 1, 2].map((days) => daysOld(days)),
        keep(),
      ),
    ).toEqual([]);
  });

  test('beyond the age that is kept, from one millisecond on', () => {
    expect(disposed([daysOld(1), daysOld(14)], keep())).toEqual([]);
    const tooOld = { ...daysOld(14), finishedAtMs: nowMs - 14 * DAY_MS - 1 };
    expect(disposed([daysOld(1), tooOld], keep())).toEqual(['0014']);
  });

  test('but never the newest, whatever its age', () => {
    expect(disposed([daysOld(900)], keep({ ageMs: 0 }))).toEqual([]);
    expect(disposed([daysOld(901), daysOld(900)], keep())).toEqual(['0901']);
  });

  test('but never what the job was started from, whatever its age and place', () => {
    const savepoints = [0, 1, 2, 3, 900].map((days) => daysOld(days));
    const inUse = ['file:/savepoints/0900', 'file:/checkpoints/chk-7'];
    expect(disposed(savepoints, keep({ inUse }))).toEqual(['0003']);
  });

  test('of two that were finished at one moment, one is the newest', () => {
    const twins = [daysOld(1, 'aaaa'), daysOld(1, 'bbbb')];
    expect(disposed(twins, keep({ count: 1 }))).toEqual(['aaaa']);
    expect(disposed(twins.toReversed(), keep({ count: 1 }))).toEqual(['aaaa']);
  });

  test('of none when there is none', () => {
    expect(disposed([], keep())).toEqual([]);
  });
});

describe('whatever savepoints there are', () => {
  const savepoints = fc
    .uniqueArray(fc.nat(40), { maxLength: 25 })
    .chain((ids) => fc.tuple(...ids.map((id) => fc.nat(30).map((days) => daysOld(days, `id-${id}`)))));
  const retentions = fc.record({
    count: fc.integer({ min: 1, max: 8 }),
    ageMs: fc.nat(20 * DAY_MS),
    inUse: fc.array(
      fc.nat(40).map((id) => `file:/savepoints/id-${id}`),
      { maxLength: 4 },
    ),
  });
  const keptOf = (all: readonly KeptSavepoint[], retention: Retention): KeptSavepoint[] => {
    const gone = savepointsToDispose(all, retention, nowMs);
    return all.filter((each) => !gone.includes(each));
  };
  const always = (holds: (all: readonly KeptSavepoint[], retention: Retention) => void): void =>
    fc.assert(fc.property(savepoints, retentions, holds), { numRuns: 1_000 });

  test('only such as there are are disposed of, each once', () => {
    always((all, retention) => {
      const gone = savepointsToDispose(all, retention, nowMs);
      expect(all).toEqual(expect.arrayContaining([...gone]));
      expect(new Set(gone).size).toBe(gone.length);
    });
  });

  test('the newest is kept, and what is in use', () => {
    always((all, retention) => {
      const kept = keptOf(all, retention);
      const newestMs = Math.max(...all.map(({ finishedAtMs }) => finishedAtMs));
      if (all.length > 0) expect(kept.map(({ finishedAtMs }) => finishedAtMs)).toContain(newestMs);
      const used = all.filter(({ path }) => retention.inUse.includes(path));
      expect(kept).toEqual(expect.arrayContaining(used));
    });
  });

  test('besides the newest and those in use, what is kept is within the number and the age', () => {
    always((all, retention) => {
      const kept = keptOf(all, retention);
      const unused = kept.filter(({ path }) => !retention.inUse.includes(path));
      expect(unused.length).toBeLessThanOrEqual(retention.count);
      const tooOld = unused.filter(({ finishedAtMs }) => nowMs - finishedAtMs > retention.ageMs);
      expect(tooOld.length).toBeLessThanOrEqual(1);
    });
  });

  test('nothing is disposed of that is young enough and among the newest', () => {
    always((all, retention) => {
      for (const gone of savepointsToDispose(all, retention, nowMs)) {
        const newer = all.filter(({ finishedAtMs }) => finishedAtMs > gone.finishedAtMs).length;
        const same = all.filter(({ finishedAtMs }) => finishedAtMs === gone.finishedAtMs).length;
        const isTooOld = nowMs - gone.finishedAtMs > retention.ageMs;
        expect(isTooOld || newer + same > retention.count).toBe(true);
      }
    });
  });

  test('applied to what is kept, it disposes of nothing more', () => {
    always((all, retention) => {
      expect(savepointsToDispose(keptOf(all, retention), retention, nowMs)).toEqual([]);
    });
  });

  test('their order does not matter', () => {
    const shuffled = savepoints.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, retentions, ([all, others], retention) => {
        const gone = savepointsToDispose(others, retention, nowMs);
        expect(gone).toEqual(savepointsToDispose(all, retention, nowMs));
      }),
    );
  });
});
