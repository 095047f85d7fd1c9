/** What an error of OpenWeatherMap's says of one location, for every pipeline that asks it. */
import {
  InvalidPayloadError,
  OpenWeatherMapError,
  type OpenWeatherMapErrorCode,
  RateLimitedError,
  UnexpectedStatusError,
} from '../clients/openweathermap-errors.ts';
import type { HistoryAnswer } from '../schemas/pipeline.ts';

/** What would be answered to every other location too: going on would only spend calls. */
const CONCERNS_EVERY_LOCATION: readonly OpenWeatherMapErrorCode[] = ['UNAUTHORIZED', 'PLAN_MISSING'];

/** @throws what concerns every location, and what is no error of the source */
export function answerOfFailure(error: unknown): Exclude<HistoryAnswer, { readonly kind: 'records' }> {
  if (!(error instanceof OpenWeatherMapError) || CONCERNS_EVERY_LOCATION.includes(error.code)) throw error;
  const { message: reason } = error;
  if (error instanceof InvalidPayloadError && !error.retryable)
    return { kind: 'rejected', reason, body: error.body };
  if (error instanceof RateLimitedError) return { kind: 'limited', reason, retryAfterMs: error.retryAfterMs };
  // A status that is not the source's says nothing of the city: if all have it, the source is away.
  return { kind: 'failed', reason, retryable: error.retryable || error instanceof UnexpectedStatusError };
}
