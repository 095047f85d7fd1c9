import { describe, expect, test } from 'vitest';
import { hour } from './arguments.ts';

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
