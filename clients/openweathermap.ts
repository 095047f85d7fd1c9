/**
 * Owns the calls to OpenWeatherMap: one request, one validated answer or one typed error. Retrying, budgets and what becomes
 * of an observation belong to the activities.
 */
import { type CurrentWeather, parseCurrentWeather } from '../schemas/openweathermap.ts';
import { classifyFailure, type OpenWeatherMapError, type SourceFailure } from './openweathermap-errors.ts';
import { createRedactor } from './redaction.ts';

export interface OpenWeatherMapOptions {
  /** Scheme, host and any path before `/data/2.5`, for example `https://api.openweathermap.org`. */
  baseUrl: string;
  apiKey: string;
  /** How long one call may take, until its body has been read. */
  timeoutMs: number;
  fetch?: typeof globalThis.fetch;
}

export interface CurrentWeatherAnswer {
  /** The text exactly as received; this is what gets published. */
  body: string;
  weather: CurrentWeather;
}

export interface OpenWeatherMapClient {
  /**
   * The current weather of one city in metric units (°C, m/s, hPa, mm). Rejects with an {@link OpenWeatherMapError}, never
   * holding the API key, or with the signal's own reason when the caller cancelled.
   */
  currentWeather(cityId: number, signal?: AbortSignal): Promise<CurrentWeatherAnswer>;
}

/** Throws a TypeError when `baseUrl` is no URL. Holds no connection and no state: it needs no closing. */
export function createOpenWeatherMapClient(options: OpenWeatherMapOptions): OpenWeatherMapClient {
  const { apiKey, timeoutMs, fetch = globalThis.fetch } = options;
  const redact = createRedactor(apiKey);
  const weatherUrl = new URL('data/2.5/weather', options.baseUrl.replace(/\/*$/, '/'));

  return {
    async currentWeather(cityId, signal) {
      const url = new URL(weatherUrl);
      url.search = new URLSearchParams({ id: String(cityId), units: 'metric', appid: apiKey }).toString();
      const received = await receiveText({ fetch, url, timeoutMs, signal });
      const outcome = received.kind === 'text' ? parseAnswer(received.body, cityId) : received;
      if (outcome.kind === 'answer') return outcome.answer;
      throw classifyFailure(outcome, cityId, redact);
    },
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

type ParsedAnswer = { kind: 'answer'; answer: CurrentWeatherAnswer } | SourceFailure;

function parseAnswer(body: string, cityId: number): ParsedAnswer {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    // The SyntaxError is not kept: V8 quotes a few characters of the text, and half a key can no longer be recognised.
    return { kind: 'not_json', body };
  }
  const result = parseCurrentWeather(document);
  if (!result.success) return { kind: 'schema_mismatch', body, error: result.error };
  if (result.data.id !== cityId) return { kind: 'wrong_city', body, receivedId: result.data.id };
  return { kind: 'answer', answer: { body, weather: result.data } };
}
