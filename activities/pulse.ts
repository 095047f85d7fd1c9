/** Signs of life of an activity that waits for others. */
import { heartbeat } from '@temporalio/activity';
import type { ActivityFunctions } from './errors.ts';

const PULSE_MS = 2_000;

/**
 * Heartbeats while the work goes on. A service that is silent for longer than the heartbeat's timeout would otherwise make the
 * activity begin anew each time, and never see for how long.
 * @param details what a retry goes on from, at the moment of each heartbeat: one without details would make it forget them
 */
export async function withPulse<T>(work: () => Promise<T>, details?: () => unknown): Promise<T> {
  const pulse = setInterval(() => heartbeat(details?.()), PULSE_MS);
  try {
    return await work();
  } finally {
    clearInterval(pulse);
  }
}

/** Each of these activities with a pulse of its own. */
export const allWithPulse = <T extends ActivityFunctions>(activities: T): T =>
  Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      (...args: never[]) => withPulse(() => activity(...args)),
    ]),
  ) as T;
