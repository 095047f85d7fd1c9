/** The activity of a smoke test: whether a worker reaches every outside system that its task queue works with. Changes nothing there. */
import { HourglassError, reasonOf } from '../domain/errors.ts';

/** By the name of the outside system: asks it for something that changes nothing and costs nothing, and throws when it does not answer. */
export type Doors = Readonly<Record<string, () => Promise<unknown>>>;

/** Thrown when a system does not answer this worker; the others may. */
export class ClosedDoorError extends HourglassError {
  constructor(reasons: readonly string[]) {
    super('CLOSED_DOOR', reasons.join(' '), { retryable: true });
  }
}

const DEADLINE_MS = 8_000;

/** @param buildId of the worker, which says it with its answer */
export function createDoorActivities(buildId: string, doors: Doors) {
  return {
    /** @returns who answered, and which build asked @throws ClosedDoorError naming each that did not */
    async testDoors(): Promise<DoorReport> {
      const outcomes = await Promise.all(Object.entries(doors).map(([name, ask]) => tried(name, ask)));
      const reasons = outcomes.flatMap(({ name, reason }) =>
        reason === undefined ? [] : [`${name}: ${reason}`],
      );
      if (reasons.length > 0) throw new ClosedDoorError(reasons);
      return { buildId, doors: outcomes.map(({ name }) => name) };
    },
  };
}

export interface DoorReport {
  readonly buildId: string;
  readonly doors: readonly string[];
}

export type DoorActivities = ReturnType<typeof createDoorActivities>;

async function tried(name: string, ask: () => Promise<unknown>): Promise<{ name: string; reason?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${DEADLINE_MS / 1_000} s`)), DEADLINE_MS);
  });
  try {
    await Promise.race([ask(), late]);
    return { name };
  } catch (error) {
    return { name, reason: reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}
