import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createKeyAccounts } from './key-accounts.ts';
import { keyFingerprint } from './keys.ts';

describe('the calls of a key', () => {
  test('beyond the limit of a sliding minute are refused, and what was refused does not count', () => {
    const account = createKeyAccounts(2).of('any');
    const admitted = [0, 10_000, 20_000, 59_999, 60_000, 60_001, 70_000, 119_999, 120_000].filter((atMs) => {
      account.arrive(atMs);
      return account.admit(atMs);
    });
    expect(admitted).toEqual([0, 10_000, 60_000, 70_000, 120_000]);
    expect(account.calls()).toEqual({
      key: keyFingerprint('any'),
      callsPerMinute: 2,
      total: 9,
      refused: 4,
      mostAcceptedInAnyMinute: 2,
      mostInAnyMinute: 5,
    });
  });

  test('are let in exactly as long as no minute holds more of them than the limit', () => {
    const gaps = fc.array(fc.oneof(fc.nat(2_000), fc.nat(30_000)), { maxLength: 100 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 8 }), (all, limit) => {
        const account = createKeyAccounts(limit).of('any');
        const accepted: number[] = [];
        let atMs = 0;
        for (const gap of all) {
          atMs += gap;
          const lastMinute = accepted.filter((before) => before > atMs - 60_000).length;
          expect(account.admit(atMs)).toBe(lastMinute < limit);
          if (lastMinute < limit) accepted.push(atMs);
        }
        expect(account.calls().mostAcceptedInAnyMinute).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test('of one key take nothing from another', () => {
    const accounts = createKeyAccounts(1);
    expect(['a', 'b', 'a', 'free', 'free'].map((key) => accounts.of(key).admit(0))).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
  });

  test('are listed with those of the other keys, the most recent caller last', () => {
    const accounts = createKeyAccounts(5);
    for (const key of ['a', 'b', 'a']) accounts.of(key).arrive(0);
    expect(accounts.all().map(({ key, total }) => [key, total])).toEqual([
      [keyFingerprint('b'), 1],
      [keyFingerprint('a'), 2],
    ]);
    expect(accounts.find('c')).toBeUndefined();
  });

  test('are forgotten when 10,000 other keys have called since', () => {
    const accounts = createKeyAccounts(5);
    for (let index = 0; index <= 10_000; index += 1) accounts.of(`key ${index}`);
    expect(accounts.all()).toHaveLength(10_000);
    expect([accounts.find('key 0'), accounts.find('key 1')?.calls().total]).toEqual([undefined, 0]);
  });
});
