/** Owns the moon of the mock: its phase, well, and its rising and setting, roughly. */

const daySeconds = 86_400;
/** The mean time from one new moon to the next. */
const synodicMonthSeconds = 29.530588853 * daySeconds;
/** 6 January 2000, 18:14 UTC. */
const knownNewMoon = 947_182_440;

/** 0 is new, 0.25 the first quarter, 0.5 full, 0.75 the last quarter; below 1. Good to half a day. */
export function moonPhase(atSeconds: number): number {
  const months = (atSeconds - knownNewMoon) / synodicMonthSeconds;
  return months - Math.floor(months);
}

/**
 * The moon of the day that begins at this midnight, Unix seconds. It rises at six when it is new and later with every
 * phase; latitude and season, which shift it by an hour or two, are left out.
 */
export function moonTimes(midnight: number): { moonrise: number; moonset: number } {
  const risenAfter = (phase: number) => Math.round(((0.25 + phase) % 1) * daySeconds);
  const phase = moonPhase(midnight + daySeconds / 2);
  return { moonrise: midnight + risenAfter(phase), moonset: midnight + risenAfter((phase + 0.5) % 1) };
}
