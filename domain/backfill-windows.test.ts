import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ALL_HOURS,
  countHours,
  countWindows,
  dayNumberOf,
  dayOf,
  HOUR_MS,
  hoursWithin,
  listHours,
} from './backfill-windows.ts';

describe('hours of a day', () => {
  test('are counted and listed as the bits they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: ALL_HOURS }), (hours) => {
        const list = listHours(hours);
        expect(countHours(hours)).toBe(list.length);
        expect(list.reduce((sum, hour) => sum + 2 ** hour, 0)).toBe(hours);
      }),
    );
    const day = { entityId: 1, day: '2026-01-31' };
    expect(
      countWindows([
        { ...day, hours: ALL_HOURS },
        { ...day, hours: 3 },
      ]),
    ).toBe(26);
  });

  test('lie within a range when they begin in it and end in it', () => {
    const startMs = Date.parse('2026-01-31T00:00:00Z');
    const moment = fc.integer({ min: -40 * 60, max: 40 * 60 }).map((minutes) => startMs + minutes * 60_000);
    fc.assert(
      fc.property(moment, moment, (fromMs, toMs) => {
        const expected = Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => {
          const beginMs = startMs + hour * HOUR_MS;
          return beginMs >= fromMs && beginMs + HOUR_MS <= toMs;
        });
        expect(listHours(hoursWithin(dayNumberOf('2026-01-31'), fromMs, toMs))).toEqual(expected);
      }),
    );
  });

  test('of a range without an end on one side, or on both', () => {
    const day = dayNumberOf('2026-01-31');
    const noonMs = Date.parse('2026-01-31T12:00:00Z');
    expect(hoursWithin(day, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toBe(ALL_HOURS);
    expect(hoursWithin(day, Number.NEGATIVE_INFINITY, noonMs)).toBe(2 ** 12 - 1);
    expect(hoursWithin(day, noonMs, Number.POSITIVE_INFINITY)).toBe(ALL_HOURS - (2 ** 12 - 1));
  });
});

test('a day is numbered and named back, leap days and the days before 1970 as well', () => {
  for (const day of ['1970-01-01', '1969-12-31', '2024-02-29', '2026-03-29', '2199-12-31'])
    expect(dayOf(dayNumberOf(day))).toBe(day);
  expect(dayNumberOf('1970-01-02')).toBe(1);
});
