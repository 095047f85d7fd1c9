/** How the weather pipeline asks its source for one location: one call of OpenWeatherMap's current weather. */
import { createOpenWeatherMapClient, type OpenWeatherMapOptions } from '../../clients/openweathermap.ts';
import {
  InvalidPayloadError,
  OpenWeatherMapError,
  type OpenWeatherMapErrorCode,
} from '../../clients/openweathermap-errors.ts';
import type { PipelineSource } from '../../schemas/pipeline.ts';

/** What would be answered to every other location too: going on would only spend calls. */
const CONCERNS_EVERY_LOCATION: readonly OpenWeatherMapErrorCode[] = [
  'UNAUTHORIZED',
  'PLAN_MISSING',
  'RATE_LIMITED',
];

export function createWeatherSource(options: OpenWeatherMapOptions): PipelineSource {
  const client = createOpenWeatherMapClient(options);
  return {
    async poll({ entityId: cityId }, signal) {
      try {
        const { body, weather } = await client.currentWeather(cityId, signal);
        return { kind: 'observation', body, observedAt: new Date(weather.dt * 1_000) };
      } catch (error) {
        if (!(error instanceof OpenWeatherMapError) || CONCERNS_EVERY_LOCATION.includes(error.code))
          throw error;
        if (error instanceof InvalidPayloadError && !error.retryable) {
          return { kind: 'rejected', reason: error.message, body: error.body };
        }
        return { kind: 'failed', reason: error.message };
      }
    },
  };
}
