/** Owns the removal of a secret from texts and errors before they leave a client. Which secret, and when, is the client's. */

/** Replaces every occurrence of the secret it was made for. */
export type Redact = (text: string) => string;

const replacement = '***';
/** Errors nest; a chain longer than this is cut, which also ends circular causes. */
const maxCauseDepth = 5;

/** A {@link Redact} for the secret as it is and as it stands in a URL. An empty secret redacts nothing. */
export function createRedactor(secret: string): Redact {
  const inForm = new URLSearchParams([['', secret]]).toString().slice(1);
  const forms = new Set([secret, encodeURIComponent(secret), inForm]);
  // Longest first: a raw secret may be a part of its encoded form, and the rest of the form would stay behind.
  const spellings = [...forms].filter((form) => form !== '').sort((a, b) => b.length - a.length);
  return (text) => spellings.reduce((result, form) => result.replaceAll(form, replacement), text);
}

/**
 * A copy of an error that is safe to log: only name, message, code, stack and the causes are copied, each redacted.
 * A copy, because undici and others hang URLs, sockets and options on their errors under names nobody can enumerate.
 */
export function redactedCause(thrown: unknown, redact: Redact, depth = 0): Error {
  if (!(thrown instanceof Error)) return new Error(redact(String(thrown)));
  const copy: Error & { code?: string } = new Error(redact(thrown.message));
  copy.name = redact(thrown.name);
  if (thrown.stack !== undefined) copy.stack = redact(thrown.stack);
  const code = errorCode(thrown);
  if (code !== undefined) copy.code = redact(code);
  const nested = innerError(thrown);
  if (nested !== undefined && depth < maxCauseDepth) copy.cause = redactedCause(nested, redact, depth + 1);
  return copy;
}

/** The text code of a Node error (`ECONNRESET`, `UND_ERR_SOCKET`), if it has one. */
export function errorCode(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The cause, or the first of several errors: Node's dual-stack connect throws an AggregateError. */
export function innerError(error: Error): unknown {
  return error.cause ?? (error instanceof AggregateError ? error.errors[0] : undefined);
}
