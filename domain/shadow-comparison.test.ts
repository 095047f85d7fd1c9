import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ColumnDifference,
  comparisonText,
  exampleLines,
  firstWholeWindow,
  lastWindowEnd,
  notAccepted,
  rangesOf,
  rangesToMakeAnew,
  type ShadowComparison,
  withFewExamples,
} from './shadow-comparison.ts';

const HOUR_MS = 3_600_000;
const example = (entity: string) => ({ entity, window: '2026-01-31T10:00:00+00:00', real: 1, candidate: 2 });
const difference = (column: string, part: Partial<ColumnDifference> = {}): ColumnDifference => ({
  column,
  windows: 1,
  examples: [example('7')],
  ...part,
});
const comparison = (differences: readonly ColumnDifference[], compared = 10): ShadowComparison => ({
  from: '2026-01-31T00:00:00.000Z',
  to: '2026-01-31T12:00:00.000Z',
  compared,
  differences,
  ranges: [],
});

describe('the windows that lie wholly in the log', () => {
  test('are all, while no record of it has expired', () => {
    expect(firstWholeWindow([])).toEqual(new Date(0));
  });

  test('begin more than an hour after the oldest record of the partition that has lost most', () => {
    const oldest = [new Date('2026-01-31T10:20:00Z'), new Date('2026-01-31T08:00:00Z')];
    expect(firstWholeWindow(oldest)).toEqual(new Date('2026-01-31T12:00:00Z'));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2e12 }), { minLength: 1 }), (times) => {
        const first = firstWholeWindow(times.map((at) => new Date(at))).getTime();
        expect(first % HOUR_MS).toBe(0);
        expect(first - Math.max(...times)).toBeGreaterThanOrEqual(HOUR_MS);
        expect(first - Math.max(...times)).toBeLessThan(2 * HOUR_MS);
      }),
    );
  });

  test('end with the hour that is over', () => {
    expect(lastWindowEnd(new Date('2026-01-31T10:59:59Z'))).toEqual(new Date('2026-01-31T10:00:00Z'));
  });
});

describe('differences', () => {
  test('are accepted by name, one by one', () => {
    const found = comparison([difference('level'), difference('missing')]);
    expect(notAccepted(found, [])).toEqual(['level', 'missing']);
    expect(notAccepted(found, ['level'])).toEqual(['missing']);
    expect(notAccepted(found, ['level', 'missing'])).toEqual([]);
    expect(notAccepted(found, ['all'])).toEqual([]);
  });

  test('are no less in the way when nothing was compared', () => {
    expect(notAccepted(comparison([], 0), [])).toEqual(['uncompared']);
    expect(notAccepted(comparison([], 0), ['uncompared'])).toEqual([]);
  });

  test('have examples of each column, twenty in all', () => {
    const many = (column: string, count: number) =>
      difference(column, { examples: Array.from({ length: count }, (_, index) => example(`${index}`)) });
    const few = withFewExamples([many('a', 30), many('b', 2), many('c', 30)]);
    expect(few.map(({ examples }) => examples.length)).toEqual([9, 2, 9]);
    fc.assert(
      fc.property(fc.array(fc.nat(25), { maxLength: 30 }), (counts) => {
        const all = counts.map((count, index) => many(`column ${index}`, count));
        const kept = withFewExamples(all).map(({ examples }) => examples.length);
        const sum = (numbers: readonly number[]) => numbers.reduce((left, right) => left + right, 0);
        expect(sum(kept)).toBe(Math.min(20, sum(counts)));
        kept.forEach((count, index) => {
          expect(count).toBeLessThanOrEqual(counts[index] ?? 0);
        });
      }),
    );
  });

  test('are told by hour, entity, column and both values', () => {
    const found = comparison([difference('level'), difference('missing'), difference('extra')]);
    expect(exampleLines(found)).toEqual([
      '2026-01-31T10:00Z  7  level: 1, the candidate says 2',
      '2026-01-31T10:00Z  7  the candidate has no such window',
      '2026-01-31T10:00Z  7  only the candidate has this window',
    ]);
    expect(comparisonText(found)).toBe(
      '10 windows from 2026-01-31T00:00:00.000Z to 2026-01-31T12:00:00.000Z compared: they differ in level in 1, missing in 1, extra in 1',
    );
  });
});

describe('the hours of differences', () => {
  const at = (hour: number): string => new Date(hour * HOUR_MS).toISOString();

  test('are as few ranges as they make', () => {
    const hours = ['2026-01-31T10:00:00+00:00', '2026-01-31T12:00:00+00:00', '2026-01-31T11:00:00+00:00'];
    expect(rangesOf([...hours, '2026-01-30T00:00:00+00:00', ...hours])).toEqual([
      { from: '2026-01-30T00:00:00Z', to: '2026-01-30T01:00:00Z' },
      { from: '2026-01-31T10:00:00Z', to: '2026-01-31T13:00:00Z' },
    ]);
    expect(rangesOf([])).toEqual([]);
  });

  test('are never more ranges than can be jobs, and lie in one of them each, whatever lies between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2_000), { minLength: 1 }),
        fc.integer({ min: 1, max: 5 }),
        (hours, most) => {
          const ranges = rangesOf(hours.map(at), most).map(({ from, to }) => [
            Date.parse(from),
            Date.parse(to),
          ]);
          expect(ranges.length).toBeLessThanOrEqual(most);
          for (const hour of hours)
            expect(
              ranges.filter(([from = 0, to = 0]) => from <= hour * HOUR_MS && hour * HOUR_MS < to),
            ).toHaveLength(1);
          for (const [from = 0, to = 0] of ranges) {
            expect(hours).toContain(from / HOUR_MS);
            expect(hours).toContain(to / HOUR_MS - 1);
          }
        },
      ),
    );
  });
});

describe('what is made anew after a cut-over', () => {
  const ranges = [{ from: '2026-01-31T08:00:00Z', to: '2026-01-31T09:00:00Z' }];
  const to = '2026-01-31T10:00:00.000Z';
  const now = new Date('2026-01-31T11:59:59Z');

  test('are the hours that differ, and those since the comparison up to the one that runs', () => {
    expect(rangesToMakeAnew({ to, ranges }, [], now)).toEqual([
      ...ranges,
      { from: '2026-01-31T10:00:00Z', to: '2026-01-31T12:00:00Z' },
    ]);
  });

  test('are also the hours that were written since', () => {
    const written = ['2026-01-31T09:00:00Z', '2026-01-30T01:00:00.000Z', '2026-01-31T11:00:00Z'];
    expect(rangesToMakeAnew({ to, ranges }, written, now)).toEqual([
      { from: '2026-01-30T01:00:00Z', to: '2026-01-30T02:00:00Z' },
      { from: '2026-01-31T08:00:00Z', to: '2026-01-31T12:00:00Z' },
    ]);
  });

  test('is nothing when nothing differs', () => {
    expect(rangesToMakeAnew({ to, ranges: [] }, ['2026-01-31T09:00:00Z'], now)).toEqual([]);
  });
});
