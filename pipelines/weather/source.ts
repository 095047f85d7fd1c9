/**
 * How the weather pipeline asks its source for one location: a call of OpenWeatherMap's current weather for the present, one of
 * its history for the past.
 */
import {
  createOpenWeatherMapClient,
  type OpenWeatherMapClient,
  type OpenWeatherMapOptions,
} from '../../clients/openweathermap.ts';
import { longestHistoryMs } from '../../clients/openweathermap-history.ts';
import type { PipelineHistory, PipelineSource } from '../../schemas/pipeline.ts';
import { answerOfFailure } from '../openweathermap-answers.ts';
import { currentWeatherText, originOf } from './history.ts';

export function createWeatherSource(
  options: OpenWeatherMapOptions,
): PipelineSource & { readonly history: PipelineHistory } {
  const client = createOpenWeatherMapClient(options);
  return {
    async poll({ entityId: cityId }, signal) {
      try {
        const { body, weather } = await client.currentWeather(cityId, signal);
        return { kind: 'observation', body, observedAt: new Date(weather.dt * 1_000) };
      } catch (error) {
        return answerOfFailure(error);
      }
    },
    history: historyOf(client),
  };
}

const historyOf = (client: OpenWeatherMapClient): PipelineHistory => ({
  longestSpanMs: longestHistoryMs,
  // It depends on the plan, and the API does not tell.
  horizonMs: undefined,
  callsPerSpan: 1,
  // Another is made when the first is refused, to tell a wrong key from a plan without history.
  async fetch(location, from, to, { signal, takeCall }) {
    try {
      // The API's range holds its end, and its times are whole seconds.
      const last = new Date((Math.ceil(to.getTime() / 1_000) - 1) * 1_000);
      const { history } = await client.history(location.entityId, from, last, signal, takeCall);
      const origin = originOf(location);
      const records = history.list
        .map((row) => ({
          body: currentWeatherText(row, origin, 'metric'),
          observedAt: new Date(row.dt * 1_000),
        }))
        // What lies outside belongs to another range, which may take another path.
        .filter(({ observedAt }) => observedAt >= from && observedAt < to);
      return { kind: 'records', records };
    } catch (error) {
      return answerOfFailure(error);
    }
  },
});
