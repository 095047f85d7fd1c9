import { describe, expect, test } from 'vitest';
import { utcOffsetSeconds } from './time-zone.ts';

const summer = Date.parse('2025-07-01T00:00:00Z') / 1000;
const winter = Date.parse('2025-01-01T00:00:00Z') / 1000;

describe('utcOffsetSeconds', () => {
  test.each([
    ['UTC', 0, 0],
    ['Europe/London', 3_600, 0],
    ['Asia/Kathmandu', 20_700, 20_700],
    ['Asia/Kolkata', 19_800, 19_800],
    ['Australia/Adelaide', 34_200, 37_800],
    ['Pacific/Chatham', 45_900, 49_500],
    ['America/St_Johns', -9_000, -12_600],
    ['Pacific/Marquesas', -34_200, -34_200],
  ])('%s is %i s in July and %i s in January', (timezone, july, january) => {
    expect(utcOffsetSeconds(timezone, summer)).toBe(july);
    expect(utcOffsetSeconds(timezone, winter)).toBe(january);
  });

  test('it changes at the very second of the clock change', () => {
    const change = Date.parse('2025-03-30T01:00:00Z') / 1000;
    expect(utcOffsetSeconds('Europe/Oslo', change - 1)).toBe(3_600);
    expect(utcOffsetSeconds('Europe/Oslo', change)).toBe(7_200);
  });

  test('a local mean time with seconds is read', () => {
    expect(utcOffsetSeconds('Europe/Paris', Date.parse('1890-01-01T00:00:00Z') / 1000)).toBe(561);
  });

  test('an unknown zone is refused', () => {
    expect(() => utcOffsetSeconds('Mars/Olympus', summer)).toThrow(RangeError);
  });
});
