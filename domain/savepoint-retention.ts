/** Decides which completed savepoints of a job are disposed of. */

export interface KeptSavepoint {
  readonly triggerId: string;
  readonly path: string;
  readonly finishedAtMs: number;
}

export interface Retention {
  readonly count: number;
  readonly ageMs: number;
  /** What the job was started from, or is to be started from: never disposed of. */
  readonly inUse: readonly string[];
}

/** Those beyond the count or the age; the newest stays whatever its age. */
export function savepointsToDispose(
  completed: readonly KeptSavepoint[],
  { count, ageMs, inUse }: Retention,
  nowMs: number,
): readonly KeptSavepoint[] {
  const newestFirst = [...completed].sort(
    (a, b) => b.finishedAtMs - a.finishedAtMs || b.triggerId.localeCompare(a.triggerId),
  );
  return newestFirst.filter(
    ({ path, finishedAtMs }, index) =>
      index > 0 && !inUse.includes(path) && (index >= count || nowMs - finishedAtMs > ageMs),
  );
}
