import { describe, expect, test } from 'vitest';
import { EmptyRangeError, rangeOf, rangeText } from './range.ts';

const now = new Date('2026-01-31T17:42:00Z');
const from = new Date('2026-01-30T05:00:00Z');

describe('the range of a command', () => {
  test('is the day before the hour that runs, unless told', () => {
    expect(rangeText(rangeOf({}, now))).toBe('2026-01-30T17:00Z to 2026-01-31T17:00Z');
    expect(rangeText(rangeOf({ from }, now))).toBe('2026-01-30T05:00Z to 2026-01-31T17:00Z');
    expect(rangeText(rangeOf({ to: from }, now))).toBe('2026-01-29T05:00Z to 2026-01-30T05:00Z');
  });

  test('without an hour is refused', () => {
    expect(() => rangeOf({ from, to: from }, now)).toThrow(EmptyRangeError);
    expect(() => rangeOf({ from: now }, from)).toThrow(/must lie before/);
  });
});
