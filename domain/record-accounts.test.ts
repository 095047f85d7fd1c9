import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addAccounts, emptyAccount, type Inspection, judgeUnstored, piecesOf } from './record-accounts.ts';

const fits: Inspection = { kind: 'fits', entityId: 1, observedAt: new Date(0) };

describe('a record that no row came from', () => {
  test('is a dead letter with its reason when it does not fit the contract, whatever is stored', () => {
    for (const keyIsStored of [true, false])
      expect(judgeUnstored({ kind: 'poison', reason: 'no dt' }, keyIsStored)).toEqual({
        kind: 'deadLetter',
        reason: 'no dt',
      });
  });

  test('is a duplicate when it fits and its key has a row', () => {
    expect(judgeUnstored(fits, true)).toEqual({ kind: 'duplicate' });
  });

  test('was lost when it fits and its key has no row: a dead letter that says so', () => {
    expect(judgeUnstored(fits, false)).toMatchObject({
      kind: 'deadLetter',
      reason: expect.stringContaining('passed it over'),
    });
  });
});

test('the pieces of a range follow each other from its first offset to its end, none too large', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(10_000), fc.integer({ min: 1, max: 3_000 }), (first, length, size) => {
      const pieces = piecesOf({ partition: 3, first, end: first + length }, size);
      let at = first;
      for (const piece of pieces) {
        expect([piece.partition, piece.first]).toEqual([3, at]);
        expect(piece.end - piece.first).toBeGreaterThan(0);
        expect(piece.end - piece.first).toBeLessThanOrEqual(size);
        at = piece.end;
      }
      expect(at).toBe(first + length);
    }),
  );
});

test('accounts add up figure by figure', () => {
  const one = { read: 6, stored: 3, duplicates: 1, deadLetters: 1, unaccounted: 1 };
  expect(addAccounts(one, addAccounts(one, emptyAccount))).toEqual({
    read: 12,
    stored: 6,
    duplicates: 2,
    deadLetters: 2,
    unaccounted: 2,
  });
});
