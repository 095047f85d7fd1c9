/**
 * Owns one request to OpenWeatherMap, from the question to its answer or its typed error. Which questions there are is
 * `openweathermap.ts`'s, what an error is `openweathermap-errors.ts`'s.
 */
import type * as z from 'zod';
import {
  type CallSubject,
  classifyFailure,
  type OpenWeatherMapError,
  type SourceFailure,
} from './openweathermap-errors.ts';
import { createRedactor } from './redaction.ts';

export interface CallerOptions {
  /** Where the calls go, each a scheme, a host and any path before `/data/2.5`. */
  readonly addresses: Readonly<Record<CallSubject['address'], string>>;
  readonly apiKey: string;
  readonly timeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
}

export interface Question<T> {
  readonly path: string;
  readonly query: Readonly<Record<string, string | number>>;
  readonly subject: CallSubject;
  readonly parse: (document: unknown) => z.ZodSafeParseResult<T>;
}

/** The text as it was received, and what it says. */
export interface Answer<T> {
  readonly kind: 'answer';
  readonly body: string;
  readonly value: T;
}

export interface Caller {
  /** @throws OpenWeatherMapError, or the reason of the signal */
  ask<T>(question: Question<T>, signal: AbortSignal | undefined): Promise<Answer<T>>;
  /** The typed error of something that is wrong with an answer as a whole. */
  failureOf(failure: SourceFailure, subject: CallSubject): OpenWeatherMapError;
}

/** Throws a TypeError when an address is no URL. */
export function createCaller({ addresses, apiKey, timeoutMs, fetch }: CallerOptions): Caller {
  const redact = createRedactor(apiKey);
  const baseOf = (address: string): URL => new URL(address.replace(/\/*$/, '/'));
  const bases: Readonly<Record<CallSubject['address'], URL>> = {
    OPENWEATHERMAP_BASE_URL: baseOf(addresses.OPENWEATHERMAP_BASE_URL),
    OPENWEATHERMAP_HISTORY_URL: baseOf(addresses.OPENWEATHERMAP_HISTORY_URL),
  };
  return {
    async ask({ path, query, subject, parse }, signal) {
      const url = new URL(path, bases[subject.address]);
      for (const [name, value] of Object.entries({ ...query, appid: apiKey }))
        url.searchParams.set(name, String(value));
      const received = await receiveText({ fetch, url, timeoutMs, signal });
      const outcome = received.kind === 'text' ? parseAnswer(received.body, parse) : received;
      if (outcome.kind === 'answer') return outcome;
      throw classifyFailure(outcome, subject, redact);
    },
    failureOf: (failure, subject) => classifyFailure(failure, subject, redact),
  };
}

interface TextRequest {
  fetch: typeof globalThis.fetch;
  url: URL;
  timeoutMs: number;
  signal: AbortSignal | undefined;
}

/** Throws only the reason of the caller's own signal; every other failure is returned for classification. */
async function receiveText(request: TextRequest): Promise<{ kind: 'text'; body: string } | SourceFailure> {
  const { fetch, url, timeoutMs, signal } = request;
  signal?.throwIfAborted();
  // Not AbortSignal.any: on Node 20 it keeps every derived signal alive as long as the caller's, which may be a worker's.
  const controller = new AbortController();
  const forwardAbort = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', forwardAbort, { once: true });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, timeoutMs);
  try {
    const response = await fetch(url, { headers: { accept: 'application/json' }, signal: controller.signal });
    const body = await response.text();
    if (response.status === 200) return { kind: 'text', body };
    return { kind: 'status', status: response.status, body, retryAfter: response.headers.get('retry-after') };
  } catch (exception) {
    signal?.throwIfAborted();
    return timedOut ? { kind: 'timeout', timeoutMs } : { kind: 'exception', exception };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', forwardAbort);
  }
}

function parseAnswer<T>(body: string, parse: Question<T>['parse']): Answer<T> | SourceFailure {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    // The SyntaxError is not kept: V8 quotes a few characters of the text, and half a key can no longer be recognised.
    return { kind: 'not_json', body };
  }
  const result = parse(document);
  if (!result.success) return { kind: 'schema_mismatch', body, error: result.error };
  return { kind: 'answer', body, value: result.data };
}
