/** Owns the errors of the benches: each is one sentence that says what is wrong and what to do. */
import { HourglassError } from '../../domain/errors.ts';

/** Thrown when what a contestant stored is not what the input says. Its figures are worth nothing then. */
export class WrongResultError extends HourglassError {
  constructor(what: string, differences: readonly string[]) {
    super(
      'WRONG_RESULT',
      `${what} is wrong: ${differences.join('; ')}. A figure of this run proves nothing.`,
    );
  }
}

/** Thrown when a run comes no further, or the process that is measured has ended. */
export class StalledRunError extends HourglassError {
  constructor(what: string, stored: number, wanted: number, reason: string) {
    super(
      'STALLED_RUN',
      `${what} has stored ${stored} of ${wanted} observations and comes no further: ${reason}.`,
    );
  }
}

/** Thrown when the job or the process that is measured does not run, or does not do what it was asked. */
export class ContestantFailedError extends HourglassError {
  constructor(what: string, reason: string) {
    super(
      'CONTESTANT_FAILED',
      `${what} failed: ${reason}. Its figures would prove nothing; start the bench again.`,
    );
  }
}

/** Thrown on a system whose CPU times cannot be read. */
export class UnsupportedSystemError extends HourglassError {
  constructor(system: string) {
    super(
      'UNSUPPORTED_SYSTEM',
      `The benches read CPU times from /proc, which ${system} does not have: run them on Linux.`,
    );
  }
}

/** Thrown for a name given to `--only` that nothing has. */
export class UnknownChoiceError extends HourglassError {
  constructor(name: string, known: readonly string[]) {
    super('UNKNOWN_CHOICE', `There is no "${name}" to run; there are: ${known.join(', ')}.`);
  }
}

/** Thrown when Ctrl-C or SIGTERM ended a bench; everything it started has been stopped. */
export class BenchInterruptedError extends HourglassError {
  constructor() {
    super(
      'INTERRUPTED',
      'The bench was interrupted; what it had started is stopped and removed, and results.md keeps only what was finished.',
    );
  }
}
