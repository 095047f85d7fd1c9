import { expect, test } from 'vitest';
import { markdownTable, median, withSection } from './results.ts';

const text = '# Results\n\nHead.\n\n## One\n\nold\n\n## Two\n\nkept\n';

test('a bench replaces its own section and leaves the others as they are', () => {
  expect(withSection(text, 'One', 'new')).toBe('# Results\n\nHead.\n\n## One\n\nnew\n\n## Two\n\nkept\n');
});

test('a section that is new comes last', () => {
  expect(withSection(text, 'Three', 'new')).toBe(`${text}\n## Three\n\nnew\n`);
});

test('a column of numbers is aligned to the right', () => {
  expect(markdownTable(['who', 'records/s'], [['a', '12,345']])).toBe(
    '| who | records/s |\n| --- | --: |\n| a | 12,345 |',
  );
});

test('the median of an even number of values lies between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
});
