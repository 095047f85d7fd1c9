import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { hour, hourAgo, instant, timeAgo } from './arguments.ts';

describe('an hour on the command line', () => {
  test.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T17', '2026-01-31T17:00:00.000Z'],
    ['2026-01-31 17:00', '2026-01-31T17:00:00.000Z'],
    ['2026-01-31T17:00:00Z', '2026-01-31T17:00:00.000Z'],
    ['2026-01-31T17:00:00.000Z', '2026-01-31T17:00:00.000Z'],
    ['2026-01-31T17:00+01:00', '2026-01-31T16:00:00.000Z'],
    ['2026-01-31T17:30+05:30', '2026-01-31T12:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('%s is %s, whatever the zone of this machine', (text, instant) => {
    expect(hour(text).toISOString()).toBe(instant);
  });

  test.each([
    'yesterday',
    '2026-01-31T17:30Z',
    '2026-01-31T17:00+05:30',
    '2026-02-29',
    '2026-13-01',
    '2026-01-31T25',
    '',
  ])('"%s" is none', (text) => {
    expect(() => hour(text)).toThrow(/whole hour/);
  });
});

describe('a time so long ago', () => {
  const now = new Date('2026-01-31T17:42:10.123Z');
  afterEach(() => vi.useRealTimers());

  test.each([
    ['0h', '2026-01-31T17:00:00.000Z'],
    ['6h', '2026-01-31T11:00:00.000Z'],
    ['36h', '2026-01-30T05:00:00.000Z'],
    ['3D', '2026-01-28T17:00:00.000Z'],
  ])('%s is counted from the beginning of the running hour', (text, expected) => {
    expect(timeAgo(text, now)?.toISOString()).toBe(expected);
  });

  test('is a whole hour, so many hours back, at any minute; a day is 24 of them', () => {
    const HOUR_MS = 3_600_000;
    const time = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(time, fc.integer({ min: 0, max: 99_999 }), (at, count) => {
        const ago = timeAgo(`${count}h`, at)!.getTime();
        expect(ago % HOUR_MS).toBe(0);
        const hours = (at.getTime() - ago) / HOUR_MS;
        expect(hours).toBeGreaterThanOrEqual(count);
        expect(hours).toBeLessThan(count + 1);
      }),
    );
    fc.assert(
      fc.property(time, fc.integer({ min: 0, max: 4_166 }), (at, days) => {
        expect(timeAgo(`${days}d`, at)).toEqual(timeAgo(`${24 * days}h`, at));
      }),
    );
  });

  test.each(['h', '-6h', '6', '6 h', '6hours', '1.5h', '100000h', '6m', '6h ago', ''])(
    'is not "%s"',
    (text) => {
      expect(hourAgo(text, now)).toBeUndefined();
    },
  );

  test('can be given where an hour or a time is; now ends a range with the hours that are over', () => {
    vi.useFakeTimers({ now });
    expect(hour('2h').toISOString()).toBe('2026-01-31T15:00:00.000Z');
    expect(hour('now').toISOString()).toBe('2026-01-31T17:00:00.000Z');
    expect(instant('2h').toISOString()).toBe('2026-01-31T15:00:00.000Z');
    expect(() => instant('now')).toThrow(/12h for 12 hours ago/);
  });
});
