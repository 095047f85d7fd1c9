/** One JSON request to one of Flink's REST APIs: tells "it did not answer" from "it answered no". */
import { reasonOf } from '../domain/errors.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** @throws the error made by `unreachable` when nothing answered; an HTTP status, whatever it is, is an answer */
export async function requestJson(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  url: string,
  body: unknown,
  unreachable: (reason: string, cause: unknown) => Error,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : parse(text) };
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreachable(reasonOf((error as Error).cause ?? error), error);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A page of a proxy, or a half-written answer: the text itself says more than a syntax error.
    return text;
  }
}
