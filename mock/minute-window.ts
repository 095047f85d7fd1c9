/** Owns the exact count of calls in a sliding minute; whose calls they are and what a count decides is `key-accounts.ts`'s. */

export const minuteMs = 60_000;

/** Forgotten moments are kept until there are so many: cutting the list for every call would cost more than the call. */
const forgottenAtMost = 1_024;

/**
 * A minute holds its first moment and not its last: two calls exactly 60 s apart never stand in the same one. A clock that is
 * set back stands still here until it has caught up, so that no minute is ever counted too low.
 */
export interface MinuteWindow {
  /** How many were counted in the minute that a call at this moment would be the last of. */
  countAt(atMs: number): number;
  add(atMs: number): void;
  /** The greatest number counted in any minute so far. */
  most(): number;
}

/** Remembers the moments of the last minute alone. */
export function createMinuteWindow(): MinuteWindow {
  let moments: number[] = [];
  let first = 0;
  let latestMs = Number.NEGATIVE_INFINITY;
  let most = 0;
  const countAt = (atMs: number): number => {
    const fromMs = Math.max(atMs, latestMs) - minuteMs;
    while (first < moments.length && (moments[first] as number) <= fromMs) first += 1;
    if (first >= forgottenAtMost && first * 2 >= moments.length) {
      moments = moments.slice(first);
      first = 0;
    }
    return moments.length - first;
  };
  return {
    countAt,
    add(atMs) {
      latestMs = Math.max(atMs, latestMs);
      moments.push(latestMs);
      most = Math.max(most, countAt(latestMs));
    },
    most: () => most,
  };
}
