/** Owns the errors of Flink's two REST APIs, and how a Java stack trace becomes one sentence. */
import { HourglassError } from '../domain/errors.ts';

/** Thrown when a Flink process does not answer. It says nothing about any job: a job is never gone because of it. */
export class FlinkUnreachableError extends HourglassError {
  constructor(service: string, url: string, reason: string, cause: unknown) {
    super('FLINK_UNREACHABLE', `The ${service} at ${url} does not answer: ${reason}.`, {
      retryable: true,
      cause,
    });
  }
}

/** Thrown when Flink answers a request with an error; the message is the innermost cause of its stack trace. */
export class FlinkRequestError extends HourglassError {
  readonly status: number;

  constructor(what: string, status: number, trace: string) {
    super('FLINK_REQUEST', `Flink refused to ${what} (HTTP ${status}): ${innermostCause(trace)}`, {
      // 408 is its own timeout: it may still have done what it was asked.
      retryable: status >= 500 || status === 408,
    });
    this.status = status;
  }
}

/** Thrown when the SQL Gateway fails a statement: the SQL, or the job it starts, is wrong, so that a retry changes nothing. */
export class FlinkStatementError extends HourglassError {
  constructor(statement: string, trace: string) {
    super(
      'FLINK_STATEMENT',
      `Flink refused "${statement
        .split('\n')
        .find((line) => !line.startsWith('--'))
        ?.slice(0, 80)}": ${innermostCause(trace)}`,
    );
  }
}

const MOST_CHARACTERS = 600;

/** What Flink puts around a stack trace; none of it says what happened. */
const WRAPPING = /^(?:|Internal server error\.|<Exception on server side:|End of exception on server side>)$/;

/** The line of the innermost `Caused by` without its class's package; of a text without any, the first that says something. */
export function innermostCause(trace: string): string {
  const lines = trace.split('\n').map((line) => line.trim());
  const causes = lines.filter((line) => line.startsWith('Caused by: '));
  const line = (causes.at(-1) ?? lines.find((candidate) => !WRAPPING.test(candidate)) ?? trace).replace(
    /^Caused by: /,
    '',
  );
  return line.replace(/^(?:[a-z_$][\w$]*\.)+([A-Z][\w$]*)/, '$1').slice(0, MOST_CHARACTERS);
}

/** The text of an error answer, whichever of Flink's shapes it has. */
export function errorText(body: unknown): string {
  if (body === undefined) return 'it gave no reason';
  const errors = (body as { errors?: unknown } | null)?.errors;
  return Array.isArray(errors) ? errors.join('\n') : typeof body === 'string' ? body : JSON.stringify(body);
}
