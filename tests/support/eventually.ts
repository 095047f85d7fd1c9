/** Waits on a condition instead of a guess: asks again until it holds, and fails with what it was last told. */
import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  readonly withinMs?: number;
  readonly everyMs?: number;
}

/** @returns what `ask` returned when it first satisfied `holds` */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  holds: (value: T) => boolean,
  options: EventuallyOptions = {},
): Promise<T> {
  const { withinMs = 60_000, everyMs = 200 } = options;
  const deadline = Date.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await ask();
      if (holds(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(
        `not within ${withinMs} ms: ${what}; last: ${last instanceof Error ? last.stack : JSON.stringify(last)?.slice(0, 2_000)}`,
      );
    await delay(everyMs);
  }
}
