/** Progress of a start or a stop as events, so that a terminal, a log and another process can each show it their way. */
import { HourglassError } from '../domain/errors.ts';

export interface ProgressEvent {
  readonly at: string;
  readonly step: string;
  readonly status: 'running' | 'done' | 'failed' | 'note';
  readonly text: string;
}

export type Report = (event: ProgressEvent) => void;

export interface Progress {
  /**
   * Runs one step and reports its begin, its end and how long it took; a string it returns, or what
   * `describe` makes of its result, is shown with the end.
   */
  step<T>(
    name: string,
    work: (detail: (text: string) => void) => Promise<T>,
    describe?: (result: T) => string,
  ): Promise<T>;
  note(step: string, text: string): void;
  /** The same report, for stopping what an interruption has left. */
  readonly uninterrupted: Progress;
}

/** Thrown by a step when the user has asked to stop: what was begun is stopped by whoever catches it. */
export class InterruptedError extends HourglassError {
  constructor() {
    super('INTERRUPTED', 'Stopped before everything was up.');
  }
}

/** @param interruption when it fires, a step that is under way ends at once and no other begins */
export function createProgress(report: Report, interruption?: AbortSignal): Progress {
  const interrupted = new Promise<never>((_, reject) => {
    interruption?.addEventListener('abort', () => reject(new InterruptedError()));
  });
  // Without a step under way nobody waits for it.
  interrupted.catch(() => undefined);
  const send = (step: string, status: ProgressEvent['status'], text: string): void =>
    report({ at: new Date().toISOString(), step, status, text });
  return {
    async step(name, work, describe) {
      if (interruption?.aborted) throw new InterruptedError();
      const startedAt = Date.now();
      send(name, 'running', '');
      try {
        const result = await Promise.race([work((text) => send(name, 'running', text)), interrupted]);
        const said =
          describe === undefined ? (typeof result === 'string' ? [result] : []) : [describe(result)];
        const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
        send(name, 'done', [...said, `${seconds} s`].join(', '));
        return result;
      } catch (error) {
        send(name, 'failed', error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
        throw error;
      }
    },
    note: (step, text) => send(step, 'note', text),
    get uninterrupted() {
      return createProgress(report);
    },
  };
}
