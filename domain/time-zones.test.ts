import { describe, expect, test } from 'vitest';
import { isTimeZone, offsetSeconds } from './time-zones.ts';

describe('a time zone', () => {
  test.each(['Europe/Oslo', 'America/Argentina/Ushuaia', 'Asia/Kathmandu', 'UTC', 'Etc/GMT+11'])(
    '%s is one',
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );

  test.each(['', 'Europe/Olso', '+01:00', '-08', 'CEST', 'Europe/Oslo ', 'local'])('"%s" is none', (name) => {
    expect(isTimeZone(name)).toBe(false);
  });

  test.each([
    ['Europe/Oslo', '2026-01-15T00:00:00Z', 3_600],
    ['Europe/Oslo', '2026-07-15T00:00:00Z', 7_200],
    ['America/St_Johns', '2026-01-15T00:00:00Z', -12_600],
    ['Asia/Kathmandu', '2026-01-15T00:00:00Z', 20_700],
    ['UTC', '2026-01-15T00:00:00Z', 0],
  ])('%s is at %s so many seconds east: %i', (zone, at, seconds) => {
    expect(offsetSeconds(zone, new Date(at))).toBe(seconds);
  });

  test('what is none has no offset', () => {
    expect(() => offsetSeconds('Europe/Olso', new Date())).toThrow('"Europe/Olso" is no time zone');
  });
});
