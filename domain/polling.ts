/** Decides when a location is due: once in each slot of its cadence, the slots spread over the locations by their ids. */

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
