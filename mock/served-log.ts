/** Owns the memory of what the mock has served, which tests hold against what arrived. */

export interface ServedObservation {
  cityId: number;
  /** The observation's own time, Unix seconds. */
  dt: number;
  servedAtMs: number;
}

export interface ServedLog {
  record(observation: ServedObservation): void;
  /** The latest observations served, oldest first: a copy. */
  latest(): readonly ServedObservation[];
}

/** Remembers the last `limit` observations, so that a mock left running for weeks does not fill the memory. */
export function createServedLog(limit: number): ServedLog {
  let entries: ServedObservation[] = [];
  return {
    record(observation) {
      entries.push(observation);
      // Cut in halves, not one by one: shifting a long array for every request would cost more than the request.
      if (entries.length >= 2 * limit) entries = entries.slice(-limit);
    },
    latest: () => entries.slice(-limit),
  };
}
