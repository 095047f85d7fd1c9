/**
 * Owns the mock's randomness: hashes and smooth noise that depend on nothing but their arguments, so that any moment can be
 * asked again and answers the same. What the noise means is `atmosphere.ts`'s.
 */

/**
 * MurmurHash3 (x86, 32 bits) of integers, each read as two 32-bit words. An unsigned 32-bit integer.
 * https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */
export function hashOf(...integers: readonly number[]): number {
  let hash = 0;
  for (const integer of integers) {
    hash = mixedIn(hash, integer | 0);
    hash = mixedIn(hash, Math.floor(integer / 2 ** 32) | 0);
  }
  hash ^= integers.length * 8;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mixedIn(hash: number, word: number): number {
  const scrambled = Math.imul(rotatedLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotatedLeft(hash ^ scrambled, 13), 5) + 0xe6546b64) | 0;
}

function rotatedLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The hash of a text, by its UTF-16 code units. */
export function hashOfText(text: string): number {
  return hashOf(...Array.from({ length: text.length }, (_, index) => text.charCodeAt(index)));
}

/** A number in [0, 1) drawn for these integers. */
export function unitOf(...integers: readonly number[]): number {
  return hashOf(...integers) / 2 ** 32;
}

export interface NoiseWave {
  /** Waves of different keys know nothing of each other. */
  key: number;
  /** The time between two values of the slowest octave; each further octave is twice as fast and half as high. */
  periodSeconds: number;
  octaves: number;
}

/**
 * Value noise over time: random values at the lattice points of each octave, joined smoothly. In [-1, 1], with a mean of
 * zero and most values within ±0.7.
 */
export function noiseAt({ key, periodSeconds, octaves }: NoiseWave, atSeconds: number): number {
  let sum = 0;
  let height = 1;
  let heights = 0;
  for (let octave = 0; octave < octaves; octave += 1) {
    sum += height * latticeNoise(hashOf(key, octave), (atSeconds * 2 ** octave) / periodSeconds);
    heights += height;
    height /= 2;
  }
  return sum / heights;
}

function latticeNoise(key: number, position: number): number {
  const before = Math.floor(position);
  const share = smoothstep(0, 1, position - before);
  return 2 * ((1 - share) * unitOf(key, before) + share * unitOf(key, before + 1)) - 1;
}

/** 0 below `from`, 1 above `to`, and a smooth S between. */
export function smoothstep(from: number, to: number, value: number): number {
  const share = clamp((value - from) / (to - from), 0, 1);
  return share * share * (3 - 2 * share);
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
