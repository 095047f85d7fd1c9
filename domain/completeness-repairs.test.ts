import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backfillRequestSchema } from '../schemas/backfill.ts';
import { HOUR_MS } from './backfill-windows.ts';
import { type WindowBlock, windowKey } from './completeness-blocks.ts';
import {
  FIRST_PAUSE_MS,
  fetchRequest,
  isDueForRepair,
  MOST_HOUR_REPAIRS,
  planRepairs,
  type Remedy,
  type RepairPlan,
  type RepairQuestion,
  remedies,
  remedyOf,
  touchedRanges,
  type WindowToRepair,
} from './completeness-repairs.ts';

const hour = (number: number): Date => new Date(number * HOUR_MS);
const window = (given: Partial<WindowToRepair> = {}): WindowToRepair => ({
  ...{ entityId: 1, windowStart: hour(100), verdict: 'partial', reason: 'run_missing' },
  ...{ expected: 4, observed: 2, aggregated: 2, attempts: 0, repairBegunAt: null },
  ...given,
});
const always = new Date(0);

describe('the remedy', () => {
  const cases: readonly [string, Partial<WindowToRepair>, Date | null, Remedy][] = [
    ['a wrong figure', { verdict: 'mismatched', reason: 'aggregate_wrong' }, always, 'recompute'],
    ['a row that counts too few', { verdict: 'mismatched', observed: 6, aggregated: 3 }, always, 'recompute'],
    ['no row', { verdict: 'mismatched', observed: 6, aggregated: null }, null, 'recompute'],
    ['a row that counts more', { verdict: 'mismatched', observed: 5, aggregated: 6 }, always, 'reload'],
    [
      'a row that counts more, again',
      { verdict: 'mismatched', observed: 5, aggregated: 6, attempts: 1 },
      always,
      'reload',
    ],
    ['a row of nothing', { verdict: 'mismatched', observed: 0, aggregated: 6 }, always, 'reload'],
    [
      'a row of nothing, again',
      { verdict: 'mismatched', observed: 0, aggregated: 6, attempts: 1 },
      always,
      'fetch',
    ],
    [
      'a row of nothing, again, without a history',
      { verdict: 'mismatched', observed: 0, aggregated: 6, attempts: 1 },
      null,
      'reload',
    ],
    ['what is known to be published', { reason: 'published_not_stored' }, always, 'reload'],
    [
      'what is known to be published, again',
      { reason: 'published_not_stored', attempts: 1 },
      always,
      'fetch',
    ],
    [
      'what is known to be published, a third time',
      { reason: 'published_not_stored', attempts: 2 },
      always,
      'reload',
    ],
    ['mismatched and published', { verdict: 'mismatched', reason: 'published_not_stored' }, null, 'reload'],
    ['too few', {}, always, 'fetch'],
    ['nothing', { verdict: 'missing', observed: 0, aggregated: null }, hour(100), 'fetch'],
    [
      'nothing, before the history begins',
      { verdict: 'missing', observed: 0, aggregated: null },
      hour(101),
      'none',
    ],
    ['too few, without a history', {}, null, 'none'],
  ];
  test.each(cases)('of %s', (_, given, historyFrom, remedy) => {
    expect(remedyOf(window(given), historyFrom)).toBe(remedy);
  });

  test('is one of those that are described, each of which is', () => {
    expect(new Set(cases.map(([, , , remedy]) => remedy))).toEqual(new Set(Object.keys(remedies)));
    for (const { description } of Object.values(remedies)) expect(description).toMatch(/^[A-Z].*\.$/);
  });
});

describe('a repair', () => {
  test('is due at once the first time, then after pauses that double', () => {
    const begunAt = new Date('2026-03-01T10:12:30Z');
    const later = (ms: number): Date => new Date(begunAt.getTime() + ms);
    expect(isDueForRepair({ attempts: 0, repairBegunAt: begunAt }, begunAt)).toBe(true);
    for (const [attempts, pauseMs] of [
      [1, FIRST_PAUSE_MS],
      [2, 2 * FIRST_PAUSE_MS],
      [5, 16 * FIRST_PAUSE_MS],
    ] as const) {
      const tried = { attempts, repairBegunAt: begunAt };
      expect(isDueForRepair(tried, later(pauseMs - 1))).toBe(false);
      expect(isDueForRepair(tried, later(pauseMs))).toBe(true);
    }
    // The next check of the hour is early enough.
    expect(isDueForRepair({ attempts: 1, repairBegunAt: begunAt }, new Date('2026-03-01T11:12:00Z'))).toBe(
      true,
    );
  });
});

const verdictAndReason = fc.constantFrom(
  { verdict: 'mismatched', reason: 'aggregate_wrong' } as const,
  { verdict: 'mismatched', reason: 'published_not_stored' } as const,
  { verdict: 'partial', reason: 'published_not_stored' } as const,
  { verdict: 'partial', reason: 'api_failed' } as const,
  { verdict: 'missing', reason: 'unknown' } as const,
);
const windows = fc.uniqueArray(
  fc
    .record({
      entityId: fc.integer({ min: 1, max: 5 }),
      windowStart: fc.integer({ min: 100, max: 130 }).map(hour),
      ruling: verdictAndReason,
      observed: fc.integer({ min: 0, max: 6 }),
      aggregated: fc.option(fc.integer({ min: 0, max: 6 })),
      attempts: fc.integer({ min: 0, max: 2 }),
    })
    .map(({ ruling, ...given }) => window({ ...ruling, ...given })),
  { selector: windowKey, maxLength: 60 },
);
const question = (some: readonly WindowToRepair[], given: Partial<RepairQuestion> = {}): RepairQuestion => ({
  ...{ pipeline: 'a-pipeline', windows: some, historyFrom: always, running: 0 },
  ...{ countingMore: new Set<number>(), mayGiveUp: true },
  incomplete: new Set(some.filter(({ observed, expected }) => observed < expected).map(windowKey)),
  policy: { mostAttempts: 3, mostConcurrentRepairs: 99, mostWindowsOfARepair: 100 },
  ...given,
});
const keysOf = (blocks: readonly WindowBlock[]): string[] =>
  blocks.flatMap(({ from, to, entities }) => {
    const [first, end] = [Date.parse(from) / HOUR_MS, Date.parse(to) / HOUR_MS];
    return entities.flatMap((entityId) =>
      Array.from({ length: end - first }, (_, index) =>
        windowKey({ entityId, windowStart: hour(first + index) }),
      ),
    );
  });
const blocksIn = ({ recompute, reload, fetch, hopeless }: RepairPlan) => ({
  recompute: recompute.flatMap(({ blocks }) => blocks),
  reload: reload.flatMap(({ blocks }) => blocks),
  fetch,
  none: hopeless,
});

describe('a plan', () => {
  test('gives each window its remedy, once, and no incomplete window one that it is not to have', () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: 90, max: 140 }), (some, from) => {
        const historyFrom = hour(from);
        const planned = blocksIn(planRepairs(question(some, { historyFrom })));
        const byRemedy = (remedy: Remedy) =>
          some.filter((each) => remedyOf(each, historyFrom) === remedy).map(windowKey);
        for (const remedy of ['recompute', 'reload', 'none'] as const)
          expect(keysOf(planned[remedy]).toSorted()).toEqual(byRemedy(remedy).toSorted());
        const fetched = keysOf(planned.fetch);
        const wanted = new Set(byRemedy('fetch'));
        expect(new Set(fetched).size).toBe(fetched.length);
        expect(fetched.filter((key) => wanted.has(key)).toSorted()).toEqual([...wanted].sort());
        const incomplete = question(some).incomplete;
        expect(fetched.filter((key) => incomplete?.has(key) && !wanted.has(key))).toEqual([]);
      }),
    );
  });

  test('makes anew exactly the hours of its windows', () => {
    fc.assert(
      fc.property(windows, (some) => {
        const { recompute, reload } = planRepairs(question(some));
        for (const { from, to, blocks } of [...recompute, ...reload]) {
          const hours = new Set(keysOf(blocks).map((key) => key.split('/')[1]));
          expect(hours.size).toBe((Date.parse(to) - Date.parse(from)) / HOUR_MS);
        }
      }),
    );
  });

  test('is the same for the same windows in any order, and another attempt has another id', () => {
    fc.assert(
      fc.property(windows, (some) => {
        expect(planRepairs(question(some.toReversed()))).toEqual(planRepairs(question(some)));
      }),
    );
    const wrong = window({ verdict: 'mismatched', reason: 'aggregate_wrong' });
    const idOf = (given: Partial<WindowToRepair>, pipeline = 'a-pipeline') =>
      planRepairs(question([{ ...wrong, ...given }], { pipeline })).recompute[0]?.id;
    const ids = [idOf({}), idOf({ attempts: 1 }), idOf({ entityId: 2 }), idOf({}, 'another')];
    expect(new Set(ids).size).toBe(4);
    expect(ids[1]).toMatch(/^recompute-2-[0-9a-f]{12}$/);
  });

  test('asks for backfills that can be asked for, which repair', () => {
    fc.assert(
      fc.property(windows, (some) => {
        for (const block of planRepairs(question(some)).fetch)
          expect(backfillRequestSchema.parse(fetchRequest('a-pipeline', block))).toMatchObject({
            ...{ ...block, input: 'history', purpose: 'repair', reprocess: 'missing' },
          });
      }),
    );
  });

  test('keeps to its caps, and takes the oldest first', () => {
    const some = [5, 3, 1, 7].map((number) => window({ windowStart: hour(100 + number) }));
    const policy = { mostAttempts: 3, mostConcurrentRepairs: 3, mostWindowsOfARepair: 2 };
    const starts = (given: Partial<RepairQuestion>) => {
      const { fetch, room } = planRepairs(question(some, { policy, ...given }));
      return [room, ...fetch.map(({ from }) => Date.parse(from) / HOUR_MS)];
    };
    // More than there is room for: some may be refused.
    expect(starts({})).toEqual([3, 101, 103, 105, 107]);
    expect(starts({ running: 2 })).toEqual([1, 101, 103, 105, 107]);
    expect(starts({ running: 9 })).toEqual([0]);
    const wrong = Array.from({ length: 2 * MOST_HOUR_REPAIRS }, (_, index) =>
      window({ verdict: 'mismatched', reason: 'aggregate_wrong', windowStart: hour(100 + 2 * index) }),
    );
    const { recompute } = planRepairs(question(wrong));
    expect(recompute).toHaveLength(MOST_HOUR_REPAIRS);
    expect(recompute[0]?.from).toBe(hour(100).toISOString().replace('.000Z', 'Z'));
  });

  test('makes no hour anew before it is loaded in which some location counts more than is stored', () => {
    const wrong = { verdict: 'mismatched', reason: 'aggregate_wrong' } as const;
    const some = [window(wrong), window({ ...wrong, windowStart: hour(101) })];
    const { recompute, reload } = planRepairs(
      question(some, { countingMore: new Set([hour(101).getTime()]) }),
    );
    expect(recompute.map(({ from }) => Date.parse(from))).toEqual([hour(100).getTime()]);
    expect(reload.map(({ from }) => Date.parse(from))).toEqual([hour(101).getTime()]);
  });

  test('gives nothing up while the log was not looked through, and says which attempt is the last', () => {
    const hopeless = question([window({})], { historyFrom: null });
    expect(planRepairs(hopeless).hopeless).toHaveLength(1);
    expect(planRepairs({ ...hopeless, mayGiveUp: false }).hopeless).toEqual([]);
    const tried = (attempts: number) =>
      planRepairs(question([window({ verdict: 'mismatched', reason: 'aggregate_wrong', attempts })]))
        .recompute;
    expect([...tried(1), ...tried(2)].map(({ isLast }) => isLast)).toEqual([false, true]);
  });

  test('fetches exactly its windows when nobody can say which others lack something', () => {
    const some = [window({ entityId: 1 }), window({ entityId: 2, windowStart: hour(101) })];
    expect(planRepairs(question(some)).fetch).toHaveLength(1);
    expect(planRepairs(question(some, { incomplete: undefined })).fetch).toHaveLength(2);
  });

  test('touches the hours of its blocks, which are judged again', () => {
    const blocks = [3, 4, 8].map((number) => ({
      ...{ from: hour(number).toISOString(), to: hour(number + 1).toISOString(), entities: [1] },
    }));
    expect(touchedRanges(blocks, 24)).toEqual([
      { from: '1970-01-01T03:00:00Z', to: '1970-01-01T05:00:00Z' },
      { from: '1970-01-01T08:00:00Z', to: '1970-01-01T09:00:00Z' },
    ]);
  });
});
