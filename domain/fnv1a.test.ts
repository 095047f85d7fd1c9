import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fnv1a128 } from './fnv1a.ts';

const hex = (text: string): string => fnv1a128(Buffer.from(text, 'utf8')).toString(16).padStart(32, '0');

test.each([
  ['', '6c62272e07bb014262b821756295c58d'],
  ['a', 'd228cb696f1a8caf78912b704e4a8964'],
  ['b', 'd228cb69721a8caf78912b704e4a8d15'],
  ['foobar', '343e1662793c64bf6f0d3597ba446f18'],
])('is FNV-1a of 128 bits, by the published vector of "%s"', (text, expected) => {
  expect(hex(text)).toBe(expected);
});

test('is what a second way of computing gives, for any text', () => {
  // The prime is 2^88 + 0x13b: shifted and added instead of multiplied, modulo instead of masked.
  const second = (text: string): string => {
    let hash = BigInt('144066263297769815596495629667062367629');
    for (const byte of Buffer.from(text, 'utf8')) {
      const mixed = hash ^ BigInt(byte);
      hash = ((mixed << 88n) + mixed * 0x13bn) % (1n << 128n);
    }
    return hash.toString(16).padStart(32, '0');
  };
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(hex(text)).toBe(second(text));
    }),
  );
});
