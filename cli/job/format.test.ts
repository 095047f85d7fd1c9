import { describe, expect, test } from 'vitest';
import { enteredAt, instant, renderFacts, renderNotedTable, stretch, withoutStop } from './format.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('a stretch of time', () => {
  test.each([
    [0, '0 s'],
    [400, '0 s'],
    [-5 * SECOND, '0 s'],
    [59 * SECOND, '59 s'],
    [MINUTE, '1 min'],
    [12 * MINUTE + 40 * SECOND, '12 min'],
    [HOUR, '1 h'],
    [5 * HOUR + 58 * MINUTE, '5 h 58 min'],
    [2 * DAY + 3 * HOUR + 59 * MINUTE, '2 d 3 h'],
    [30 * DAY, '30 d'],
  ])('of %d ms is %s', (ms, text) => {
    expect(stretch(ms)).toBe(text);
  });
});

test('an instant is in UTC, to the second', () => {
  expect(instant(Date.UTC(2026, 0, 31, 23, 59, 58, 999))).toBe('2026-01-31T23:59:58');
});

test('a text within a sentence loses its full stop, and no other', () => {
  expect(withoutStop('Flink 2.2 said no.')).toBe('Flink 2.2 said no');
  expect(withoutStop('no')).toBe('no');
});

describe('a table with notes', () => {
  test('has each note below its row, however narrow the terminal is', () => {
    const rows = [
      { cells: ['a', '1'], note: 'why a is so' },
      { cells: ['b', '20'], note: '' },
    ];
    expect(renderNotedTable(['Name', 'Count'], rows, 80)).toBe(
      ['Name  Count', 'a         1', '    why a is so', 'b        20'].join('\n'),
    );
    expect(renderNotedTable(['Name', 'Count'], rows, 5)).toBe(
      ['Name', 'a', '    why a is so', 'b'].join('\n'),
    );
  });
});

test('facts stand below each other, without those that are not known', () => {
  expect(
    renderFacts([
      ['State', 'stable'],
      ['Reason', undefined],
      ['Flink job', 'abc'],
    ]),
  ).toBe('State      stable\nFlink job  abc');
});

describe('the moment a job entered its state', () => {
  const event = (state: string, second: number) => ({ state, happened_at: new Date(second * SECOND) });

  test('is that of the first event in an unbroken row of them', () => {
    const events = [event('stable', 9), event('stable', 7), event('settling', 5), event('stable', 3)];
    expect(enteredAt('stable', events)).toEqual(new Date(7 * SECOND));
  });

  test('is that of the oldest event known, where all are in that state', () => {
    expect(enteredAt('stable', [event('stable', 9), event('stable', 7)])).toEqual(new Date(7 * SECOND));
  });

  test('is not known from events of other states', () => {
    expect(enteredAt('submitting', [event('suspended', 9)])).toBeUndefined();
    expect(enteredAt('new', [])).toBeUndefined();
  });
});
