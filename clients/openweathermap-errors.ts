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

interface Details {
  cityId: number;
  message: string;
  cause?: Error;
}

/**
 * The base of everything that can go wrong with a call to OpenWeatherMap. No message, cause or property holds the API
 * key; `cause` is a redacted copy of what was thrown.
 */
export abstract class OpenWeatherMapError extends HourglassError {
  declare readonly code: OpenWeatherMapErrorCode;
  readonly cityId: number;

  constructor({ code, retryable }: Verdict, { cityId, message, cause }: Details) {
    super(code, message, { retryable, cause });
    this.cityId = cityId;
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
 * Thrown when the key is known but its plan does not hold the call (401 that speaks of a subscription or plan). It does
 * not mean that the key is wrong, nor that a limit was reached: that is {@link RateLimitedError}.
 */
export class PlanMissingError extends OpenWeatherMapError {
  constructor(details: Details) {
    super({ code: 'PLAN_MISSING', retryable: false }, details);
  }
}

/** Thrown when OpenWeatherMap has no such city (404) or refuses the id as none (400). It says nothing about other cities. */
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
 * Thrown when an answer with status 200 is not a weather observation of the city asked for. It is retryable when the
 * text is no JSON (truncated, a gateway's page), and not when it is JSON of the wrong shape or for another city: the
 * source would say the same again. `body` is the text received, for the dead letter; only the API key is taken out of it.
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
  | { kind: 'wrong_city'; body: string; receivedId: number };

/** The one classification: turns an observed failure into its typed error, free of the secret that `redact` knows. */
export function classifyFailure(failure: SourceFailure, cityId: number, redact: Redact): OpenWeatherMapError {
  switch (failure.kind) {
    case 'status':
      return classifyStatus(failure, cityId, redact);
    case 'timeout':
      return new SourceNetworkError({
        cityId,
        message: `OpenWeatherMap did not answer for city ${cityId} within ${failure.timeoutMs} ms; the call can be repeated.`,
      });
    case 'exception': {
      const cause = redactedCause(failure.exception, redact);
      return new SourceNetworkError({
        cityId,
        message: `OpenWeatherMap could not be reached for city ${cityId}: ${rootReason(cause)}. Check the network and OPENWEATHERMAP_BASE_URL.`,
        cause,
      });
    }
    case 'not_json':
      return new InvalidPayloadError({
        cityId,
        retryable: true,
        body: redact(failure.body),
        message: `OpenWeatherMap's answer for city ${cityId} is not JSON (${failure.body.length} characters, beginning ${excerpt(redact(failure.body))}); it may be truncated or a gateway's page.`,
      });
    case 'schema_mismatch':
      return new InvalidPayloadError({
        cityId,
        retryable: false,
        body: redact(failure.body),
        message: `OpenWeatherMap's answer for city ${cityId} is not a weather observation. ${describeIssue(failure.error, redact)}`,
      });
    case 'wrong_city':
      return new InvalidPayloadError({
        cityId,
        retryable: false,
        body: redact(failure.body),
        message: `OpenWeatherMap answered for city ${failure.receivedId} instead of ${cityId}; check that the registry's id is a city of its list.`,
      });
  }
}

type StatusFailure = Extract<SourceFailure, { kind: 'status' }>;

function classifyStatus(failure: StatusFailure, cityId: number, redact: Redact): OpenWeatherMapError {
  const { status, body, retryAfter } = failure;
  const reason = redact(apiMessage(body));
  const said = `OpenWeatherMap answered ${status} for city ${cityId}: ${excerpt(reason)}.`;
  if (status === 401) {
    return /subscription|\bplan\b/i.test(reason)
      ? new PlanMissingError({
          cityId,
          message: `${said} The key's plan does not include this call: subscribe at https://openweathermap.org/price or leave the feature off.`,
        })
      : new UnauthorizedError({
          cityId,
          message: `${said} Check OPENWEATHERMAP_API_KEY; a new key takes up to two hours to become active.`,
        });
  }
  if (status === 400 || status === 404) {
    return new CityNotFoundError({
      cityId,
      message: `${said} Correct the location's city id; if every city fails so, check OPENWEATHERMAP_BASE_URL.`,
    });
  }
  if (status === 429) {
    const message = `${said} The key's calls are used up: lower the call rate or choose a larger plan.`;
    return new RateLimitedError({ cityId, message, retryAfterMs: retryAfterMs(retryAfter, Date.now()) });
  }
  if (status >= 500) {
    return new SourceServerError({
      cityId,
      status,
      message: `${said} The fault is the source's; retry later.`,
    });
  }
  if (status === 408) {
    return new SourceNetworkError({ cityId, message: `${said} The request arrived too slowly; retry.` });
  }
  return new UnexpectedStatusError({
    cityId,
    status,
    message: `${said} This status is not one of OpenWeatherMap's: check OPENWEATHERMAP_BASE_URL and any proxy between.`,
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
