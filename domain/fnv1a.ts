/** The hash function FNV-1a of 128 bits: it decides ids where there is no cryptography, as in a workflow. */

const OFFSET = 0x6c62272e07bb014262b821756295c58dn;
const PRIME = 0x0000000001000000000000000000013bn;
const MASK = (1n << 128n) - 1n;

/** http://www.isthe.com/chongo/tech/comp/fnv/ */
export function fnv1a128(bytes: Uint8Array): bigint {
  let hash: bigint = OFFSET;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK;
  return hash;
}
