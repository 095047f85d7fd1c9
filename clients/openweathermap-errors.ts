/**
 * Owns the typed errors of OpenWeatherMap and the one place that classifies a failure into them. Making requests is
 * `openweathermap.ts`'s; what Temporal does with an error is `activities/errors.ts`'s.
 */
import type * as z from 'zod';
import { HourglassError } from '../domain/errors.ts';
import { apiErrorSchema, describeIssue } from '../schemas/openweathermap.ts';
import { errorCode, innerError, type Redact, redactedCause } from './redaction.ts';

export type OpenWeatherMapErrorCode =
  | 'UNAUTHORIZED'
  | 'PLAN_MISSING'
  | 'CITY_NOT_FOUND'
  | 'RATE_LIMITED'
  | 'SOURCE_SERVER_ERROR'
  | 'SOURCE_NETWORK_ERROR'
  | 'INVALID_PAYLOAD'
  | 'UNEXPECTED_STATUS';

interface Verdict {
  code: OpenWeatherMapErrorCode;
  retryable: boolean;
}

/** What one call was about, in the words of its errors. */
export interface CallSubject {
  /** `city 2643743`, `the search "Oslo"`. */
  readonly name: string;
  /** What a right answer is: `a weather observation`. */
  readonly answer: string;
  /** What to do when the source knows no such thing, as the beginning of a sentence. */
  readonly correction: string;
  /** The variable that says where the call goes. */
  readonly address: 'OPENWEATHERMAP_BASE_URL' | 'OPENWEATHERMAP_HISTORY_URL';
}

interface Details {
  subject: CallSubject;
  message: string;
  cause?: Error;
}

/**
 * The base of everything that can go wrong with a call to OpenWeatherMap. No message, cause or property holds the API
 * key; `cause` is a redacted copy of what was thrown.
 */
export abstract class OpenWeatherMapError extends HourglassError {
  declare readonly code: OpenWeatherMapErrorCode;
  /** What the call was about: `city 2643743`. */
  readonly subject: string;

  constructor({ code, retryable }: Verdict, { subject, message, cause }: Details) {
    super(code, message, { retryable, cause });
    this.subject = subject.name;
  }
}

/**
 * Thrown when the API key is refused (401). A fresh key is refused too, for up to two hours after it was made. It does
 * not mean that the city is unknown.
 */
export class UnauthorizedError extends OpenWeatherMapError {
  constructor(details: Details) {
    super({ code: 'UNAUTHORIZED', retryable: false }, details);
  }
}

/**
 * Thrown when the key is known but its plan does not hold the call: a 401 that speaks of a subscription or plan, or one for
 * the history while the same key is answered elsewhere. It does not mean that the key is wrong, nor that a limit was
 * reached: that is {@link RateLimitedError}.
 */
export class PlanMissingError extends OpenWeatherMapError {
  constructor(details: Details) {
    super({ code: 'PLAN_MISSING', retryable: false }, details);
  }
}

/** Thrown when OpenWeatherMap has no such city or place (404) or refuses what names it (400). It says nothing about others. */
export class CityNotFoundError extends OpenWeatherMapError {
  constructor(details: Details) {
    super({ code: 'CITY_NOT_FOUND', retryable: false }, details);
  }
}

/**
 * Thrown when the key's calls per minute or month are used up (429). `retryAfterMs` is set only when a Retry-After header
 * came, and OpenWeatherMap sends none reliably: undefined does not mean that an immediate retry is welcome.
 */
export class RateLimitedError extends OpenWeatherMapError {
  readonly retryAfterMs: number | undefined;

  constructor(details: Details & { retryAfterMs: number | undefined }) {
    super({ code: 'RATE_LIMITED', retryable: true }, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Thrown for 5xx, be the body JSON or a gateway's HTML. It does not mean that OpenWeatherMap has no data for the hour. */
export class SourceServerError extends OpenWeatherMapError {
  readonly status: number;

  constructor(details: Details & { status: number }) {
    super({ code: 'SOURCE_SERVER_ERROR', retryable: true }, details);
    this.status = details.status;
  }
}

/**
 * Thrown when no whole answer arrived: timeout, reset, refused connection, DNS, 408. It does not mean that the call was
 * not counted against the key's limit.
 */
export class SourceNetworkError extends OpenWeatherMapError {
  constructor(details: Details) {
    super({ code: 'SOURCE_NETWORK_ERROR', retryable: true }, details);
  }
}

/**
 * Thrown when an answer with status 200 is not what was asked for, such as a weather observation of the city. It is
 * retryable when the text is no JSON (truncated, a gateway's page), and not when it is JSON of the wrong shape or for
 * another city: the source would say the same again. `body` is the text received, for the dead letter; only the API key
 * is taken out of it.
 */
export class InvalidPayloadError extends OpenWeatherMapError {
  readonly body: string;

  constructor(details: Details & { retryable: boolean; body: string }) {
    super({ code: 'INVALID_PAYLOAD', retryable: details.retryable }, details);
    this.body = details.body;
  }
}

/** Thrown for a status OpenWeatherMap does not document, such as a proxy's 403. Retrying does not change it. */
export class UnexpectedStatusError extends OpenWeatherMapError {
  readonly status: number;

  constructor(details: Details & { status: number }) {
    super({ code: 'UNEXPECTED_STATUS', retryable: false }, details);
    this.status = details.status;
  }
}

/** What was observed to go wrong with one call. All its texts may still hold the API key. */
export type SourceFailure =
  | { kind: 'status'; status: number; body: string; retryAfter: string | null }
  | { kind: 'timeout'; timeoutMs: number }
  | { kind: 'exception'; exception: unknown }
  | { kind: 'not_json'; body: string }
  | { kind: 'schema_mismatch'; body: string; error: z.ZodError }
  | { kind: 'wrong_city'; body: string; receivedId: number }
  | { kind: 'refused_for_history_alone'; refusal: OpenWeatherMapError };

/** The one classification: turns an observed failure into its typed error, free of the secret that `redact` knows. */
export function classifyFailure(
  failure: SourceFailure,
  subject: CallSubject,
  redact: Redact,
): OpenWeatherMapError {
  switch (failure.kind) {
    case 'status':
      return classifyStatus(failure, subject, redact);
    case 'timeout':
      return new SourceNetworkError({
        subject,
        message: `OpenWeatherMap did not answer for ${subject.name} within ${failure.timeoutMs} ms; the call can be repeated.`,
      });
    case 'exception': {
      const cause = redactedCause(failure.exception, redact);
      return new SourceNetworkError({
        subject,
        message: `OpenWeatherMap could not be reached for ${subject.name}: ${rootReason(cause)}. Check the network and ${subject.address}.`,
        cause,
      });
    }
    case 'not_json':
      return new InvalidPayloadError({
        subject,
        retryable: true,
        body: redact(failure.body),
        message: `OpenWeatherMap's answer for ${subject.name} is not JSON (${failure.body.length} characters, beginning ${excerpt(redact(failure.body))}); it may be truncated or a gateway's page.`,
      });
    case 'schema_mismatch':
      return new InvalidPayloadError({
        subject,
        retryable: false,
        body: redact(failure.body),
        message: `OpenWeatherMap's answer for ${subject.name} is not ${subject.answer}. ${describeIssue(failure.error, redact)}`,
      });
    case 'wrong_city':
      return new InvalidPayloadError({
        subject,
        retryable: false,
        body: redact(failure.body),
        message: `OpenWeatherMap answered for city ${failure.receivedId} instead of ${subject.name}; check that the registry's id is a city of its list.`,
      });
    case 'refused_for_history_alone':
      return new PlanMissingError({
        subject,
        message: `OpenWeatherMap refused ${subject.name} (401) and answered the same key for the current weather: its plan includes no history. Choose one that does at https://openweathermap.org/price, or take another input, such as a file.`,
        cause: failure.refusal,
      });
  }
}

type StatusFailure = Extract<SourceFailure, { kind: 'status' }>;

function classifyStatus(failure: StatusFailure, subject: CallSubject, redact: Redact): OpenWeatherMapError {
  const { status, body, retryAfter } = failure;
  const reason = redact(apiMessage(body));
  const said = `OpenWeatherMap answered ${status} for ${subject.name}: ${excerpt(reason)}.`;
  if (status === 401) {
    return /subscription|\bplan\b/i.test(reason)
      ? new PlanMissingError({
          subject,
          message: `${said} The key's plan does not include this call: subscribe at https://openweathermap.org/price or leave the feature off.`,
        })
      : new UnauthorizedError({
          subject,
          message: `${said} Check OPENWEATHERMAP_API_KEY; a new key takes up to two hours to become active.`,
        });
  }
  if (status === 400 || status === 404) {
    return new CityNotFoundError({
      subject,
      message: `${said} ${subject.correction}; if every call fails so, check ${subject.address}.`,
    });
  }
  if (status === 429) {
    const message = `${said} The key's calls are used up: lower the call rate or choose a larger plan.`;
    return new RateLimitedError({ subject, message, retryAfterMs: retryAfterMs(retryAfter, Date.now()) });
  }
  if (status >= 500) {
    return new SourceServerError({
      subject,
      status,
      message: `${said} The fault is the source's; retry later.`,
    });
  }
  if (status === 408) {
    return new SourceNetworkError({ subject, message: `${said} The request arrived too slowly; retry.` });
  }
  return new UnexpectedStatusError({
    subject,
    status,
    message: `${said} This status is not one of OpenWeatherMap's: check ${subject.address} and any proxy between.`,
  });
}

/** The message of an API error, or the body itself: gateways answer in HTML. */
function apiMessage(body: string): string {
  try {
    const parsed = apiErrorSchema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data.message : body;
  } catch {
    return body;
  }
}

/**
 * Milliseconds to wait according to a Retry-After header, which holds seconds or an HTTP date (RFC 9110, 10.2.3).
 * Undefined for an absent or unreadable header, zero for a date already past.
 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Date.parse is lenient enough to read "-5" as a year; an HTTP date begins with the name of a day.
  const dateMs = /^[A-Za-z]{3,}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

/** "fetch failed" tells nobody anything: the reason is at the end of the chain of causes. */
function rootReason(cause: Error): string {
  let root = cause;
  for (let inner = innerError(root); inner instanceof Error; inner = innerError(root)) root = inner;
  const code = errorCode(root);
  return code === undefined || root.message.includes(code) ? root.message : `${code} ${root.message}`.trim();
}

const excerptLength = 200;

function excerpt(text: string): string {
  const flat = text.trim().replace(/\s+/g, ' ').replace(/\.$/, '');
  if (flat === '') return '(empty)';
  return flat.length > excerptLength ? `${flat.slice(0, excerptLength - 1)}…` : flat;
}
