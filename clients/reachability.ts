/** Whether a web service answers at all, without making a call that it counts. */
import { HourglassError, reasonOf } from '../domain/errors.ts';

/** Thrown when nothing answers at the address, or only that it cannot serve. */
export class NotReachableError extends HourglassError {
  constructor(url: string, reason: string, cause?: unknown) {
    super('NOT_REACHABLE', `${url} does not answer: ${reason}.`, { retryable: true, cause });
  }
}

/**
 * Asks for the head of the address itself, without a key and without a path: whatever is said to that, it is said by the service.
 * @throws NotReachableError
 */
export async function expectReachable(url: string, timeoutMs: number): Promise<void> {
  const { origin } = new URL(url);
  const response = await fetch(origin, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error) => {
    throw new NotReachableError(origin, reasonOf((error as Error).cause ?? error), error);
  });
  if (response.status >= 500) throw new NotReachableError(origin, `it says ${response.status}`);
}
