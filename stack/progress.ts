/** Progress of a start or a stop as events, so that a terminal, a log and another process can each show it their way. */

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
}

export function createProgress(report: Report): Progress {
  const send = (step: string, status: ProgressEvent['status'], text: string): void =>
    report({ at: new Date().toISOString(), step, status, text });
  return {
    async step(name, work, describe) {
      const startedAt = Date.now();
      send(name, 'running', '');
      try {
        const result = await work((text) => send(name, 'running', text));
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
  };
}
