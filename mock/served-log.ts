/** Owns the memory of what the mock was asked and answered, which tests hold against what arrived. */
import type { FaultKind } from './faults.ts';

/** One call and its outcome, remembered when the outcome is known. */
export interface ServedCall {
  /** 1 for the first outcome, and one more for each further. */
  sequence: number;
  /** The mock's clock when the request had arrived, Unix milliseconds. */
  arrivedAtMs: number;
  /** The key's fingerprint; null without a key. */
  key: string | null;
  method: string;
  path: string;
  /** The city asked for; null when the call asks for none, or for none that exists. */
  cityId: number | null;
  /** The time of the observation answered with, Unix seconds; null for every other answer. */
  dt: number | null;
  /** Null when nothing was answered: the connection was reset, held or given up before. */
  status: number | null;
  fault: FaultKind | null;
  /** Whether the whole body went to the socket. The client may still have been cut off from the last of it. */
  inFull: boolean;
}

export interface CallLog {
  append(call: Omit<ServedCall, 'sequence'>): void;
  /** The calls after this sequence number that are still remembered, oldest first and at most `limit`. */
  after(sequence: number, limit: number): readonly ServedCall[];
  /** All calls remembered, oldest first: a copy. */
  all(): readonly ServedCall[];
}

/** Remembers the last `capacity` calls, so that a mock left running for weeks does not fill the memory. */
export function createCallLog(capacity: number): CallLog {
  const ring: ServedCall[] = [];
  let last = 0;
  const after = (sequence: number, limit: number): ServedCall[] => {
    const from = Math.max(sequence + 1, last - ring.length + 1, 1);
    const count = Math.max(0, Math.min(limit, last - from + 1));
    return Array.from({ length: count }, (_, index) => ring[(from - 1 + index) % capacity] as ServedCall);
  };
  return {
    append(call) {
      ring[last % capacity] = { sequence: last + 1, ...call };
      last += 1;
    },
    after,
    all: () => after(0, capacity),
  };
}
