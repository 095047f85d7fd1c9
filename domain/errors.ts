/** Owns the one base of all errors a person may meet; where each is thrown is said beside its subclass. */

/**
 * An error whose message is meant for the person at the terminal: what happened, with which value, and what to do.
 * `retryable` says whether the same call may succeed later without anybody changing anything.
 */
export class HourglassError extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** The innermost readable sentence of anything thrown; an aggregate of refused connections has its reasons inside. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error instanceof Error) {
    if (error.message !== '') return error.message;
    return 'code' in error ? String(error.code) : error.name;
  }
  return String(error);
}

/** Thrown for a pipeline that no definition describes. */
export class UnknownPipelineError extends HourglassError {
  constructor(name: string, known: readonly string[]) {
    super('UNKNOWN_PIPELINE', `There is no pipeline "${name}"; there are: ${known.join(', ')}.`);
  }
}

/** What a pipeline has among the parts of all: its definition, its contract, its source. @throws UnknownPipelineError */
export function ofPipeline<T>(parts: Readonly<Record<string, T>>, name: string): T {
  const part = Object.hasOwn(parts, name) ? parts[name] : undefined;
  if (part === undefined) throw new UnknownPipelineError(name, Object.keys(parts));
  return part;
}
