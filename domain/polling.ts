/** Decides when a location is polled, whether what it answered is new, and whether asking it again within the run is of use. */
import type { PollAnswer } from '../schemas/pipeline.ts';

export interface PollCandidate {
  readonly entityId: number;
  readonly cadenceMinutes: number;
  /** When the source last answered for it; null when it never has. */
  readonly polledAt: Date | null;
}

const MINUTE_MS = 60_000;

/**
 * The number of the slot that an instant falls into. Slots of one location are `cadenceMinutes` long; where they begin
 * differs from id to id, so that in every minute of the cadence about as many locations begin one.
 */
export function slotOf(entityId: number, cadenceMinutes: number, at: Date): number {
  const minute = Math.floor(at.getTime() / MINUTE_MS);
  return Math.floor((minute - (entityId % cadenceMinutes)) / cadenceMinutes);
}

/** A location that was never polled is due at once, any other when its slot is a later one than that of its last poll. */
export function isDue({ entityId, cadenceMinutes, polledAt }: PollCandidate, now: Date): boolean {
  return (
    polledAt === null || slotOf(entityId, cadenceMinutes, now) > slotOf(entityId, cadenceMinutes, polledAt)
  );
}

/**
 * How long after the beginning of its run a location is called, milliseconds from 0 up to `spreadMs`: another time in each run,
 * the same in a retry. One that was never polled does not wait.
 */
export function callDelayMs(
  { entityId, polledAt }: Pick<PollCandidate, 'entityId' | 'polledAt'>,
  scheduledAt: Date,
  spreadMs: number,
): number {
  if (polledAt === null) return 0;
  // Multiplicative hashing (Knuth, The Art of Computer Programming 6.4): neighbours lie far apart.
  const mixed = Math.imul(entityId ^ Math.floor(scheduledAt.getTime() / 1_000), 0x9e3779b1) >>> 0;
  return Math.floor((mixed / 2 ** 32) * spreadMs);
}

/** A source repeats what it said until it has something newer, and now and then something older. */
export function isNew(observedAt: Date, recent: readonly Date[]): boolean {
  return !recent.some((known) => known.getTime() === observedAt.getTime());
}

const attempts = { failed: 3, limited: 5 } as const;
const firstRetryMs = 500;

/** How long to wait before the location is asked again within the run; undefined when it is not. Of a limit the budget knows how long. */
export function retryDelayMs(answer: PollAnswer, attempt: number): number | undefined {
  if (answer.kind === 'limited') return attempt < attempts.limited ? 0 : undefined;
  if (answer.kind !== 'failed' || !answer.retryable || attempt >= attempts.failed) return undefined;
  return firstRetryMs * 2 ** (attempt - 1);
}
