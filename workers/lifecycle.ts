/** The phases of a worker process, and what a signal does in each; what is served is `main.ts`'s. */
import { setTimeout as delay } from 'node:timers/promises';

/** A worker of one task queue, as far as its life goes. */
export interface Served {
  getState(): string;
  /** Resolves when it was shut down and has finished what it had. */
  run(): Promise<void>;
  /** @throws when it does not run */
  shutdown(): void;
}

export type WorkerPhase = 'starting' | 'serving' | 'stopping';

export interface Lifecycle {
  phase(): WorkerPhase;
  onSignal(signal: string): void;
  /** Returns when every one of them has ended, each after all others were told. @throws the first failure */
  serve(workers: readonly Served[]): Promise<void>;
}

interface LifecycleOptions {
  /** So long after the first signal the process is over, whatever still hangs in it. */
  readonly exitMs: number;
  readonly exit: (code: number) => void;
  readonly now: () => number;
  readonly logger: Record<'info' | 'error', (details: object, message: string) => void>;
}

/** A terminal's Ctrl-C reaches the process directly and again through what started it: it is the same request. */
const SAME_REQUEST_MS = 1_000;

export function createLifecycle({ exitMs, exit, now, logger }: LifecycleOptions): Lifecycle {
  let phase: WorkerPhase = 'starting';
  let workers: readonly Served[] = [];
  let askedAt: number | undefined;

  const stop = (details: object, message: string): void => {
    if (phase === 'stopping') return;
    phase = 'stopping';
    logger.info(details, message);
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    // A door that does not close, or an activity that hears nothing, must not keep a process that is not ready any more.
    void delay(exitMs, undefined, { ref: false }).then(() => {
      logger.error({ exitMs }, 'worker did not stop in time and ends as it is');
      exit(1);
    });
  };

  return {
    phase: () => phase,
    onSignal(signal) {
      if (askedAt !== undefined) {
        if (now() - askedAt <= SAME_REQUEST_MS) return;
        logger.error({ signal }, 'worker ends at once: it was asked again');
        return exit(1);
      }
      askedAt = now();
      if (phase === 'starting') {
        logger.info({ signal }, 'worker ends: it has not begun to poll');
        return exit(0);
      }
      stop({ signal }, 'worker stops polling and finishes what it has');
    },
    async serve(given) {
      workers = given;
      phase = 'serving';
      const results = await Promise.allSettled(
        workers.map((worker) =>
          worker.run().finally(() => stop({}, 'one task queue is served no more: the others stop too')),
        ),
      );
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}
