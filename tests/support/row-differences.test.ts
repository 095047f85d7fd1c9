import { expect, test } from 'vitest';
import { rowDifferences } from './row-differences.ts';

const at = new Date('2026-01-01T00:00:00Z');
const truth = [
  { id: 1, at, temp: 0.3, conditions: [{ id: 800 }], origin: null },
  { id: 2, at, temp: null, conditions: [], origin: 'stream' },
];
const differences = (found: readonly object[]): string[] =>
  rowDifferences(found as Record<string, unknown>[], truth, ({ id }) => `row ${id}`);
const [first, second] = truth;

test('rows in any order, bigints as text, sums in another order and further columns are no difference', () => {
  expect(
    differences([
      { ...second, extra: 1 },
      { ...first, id: '1', temp: 0.1 + 0.2 },
    ]),
  ).toEqual([]);
});

test('a row too few, one too many and one twice are told', () => {
  expect(differences([{ ...first }])).toEqual(['row 2 is missing']);
  expect(differences([...truth, { ...first, id: 3 }])).toEqual(['row 3 is not true, or is there twice']);
  expect(differences([...truth, { ...first }])).toEqual(['row 1 is not true, or is there twice']);
});

test.each([
  { temp: 0.300001 },
  { temp: null },
  { temp: Number.NaN },
  { at: new Date(at.getTime() + 1) },
  { conditions: [{ id: 801 }] },
  { origin: undefined },
])('a row with %j is told', (change) => {
  expect(differences([{ ...first, ...change }, { ...second }])).toHaveLength(1);
});

test('of many differences the first ten are told, and how many there are beside them', () => {
  const many = Array.from({ length: 100 }, (_, index) => ({ id: index + 10 }));
  expect(differences([...truth, ...many])).toHaveLength(11);
  expect(differences([...truth, ...many]).at(-1)).toBe('and 90 more');
});
