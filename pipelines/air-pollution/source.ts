/**
 * How the air pollution pipeline asks its source for one location: by its coordinates. What is published is a row of the answer with the id
 * of the location, the same for the present and the past.
 */
import type { OpenWeatherMapOptions } from '../../clients/openweathermap.ts';
import { createAirPollutionClient } from '../../clients/openweathermap-air.ts';
import type { AirPollution } from '../../schemas/openweathermap.ts';
import type {
  HistoryRecord,
  PipelineHistory,
  PipelineSource,
  RegisteredLocation,
} from '../../schemas/pipeline.ts';
import { answerOfFailure } from '../openweathermap-answers.ts';

/** The API answers a longer range too; so long, a location's answer stays small and a chunk of a backfill short. */
const LONGEST_SPAN_MS = 30 * 24 * 3_600_000;

export function createAirPollutionSource(
  options: OpenWeatherMapOptions,
): PipelineSource & { readonly history: PipelineHistory } {
  const client = createAirPollutionClient(options);
  return {
    async poll(location, signal) {
      try {
        const [record] = recordsOf(location, await client.current(location, signal));
        // The answer was refused if it had none.
        if (record === undefined) throw new Error(`no air at ${location.name}`);
        return { kind: 'observation', ...record };
      } catch (error) {
        return answerOfFailure(error);
      }
    },
    history: {
      longestSpanMs: LONGEST_SPAN_MS,
      // There is nothing from before 27 November 2020: an empty answer says so.
      horizonMs: undefined,
      callsPerSpan: 1,
      async fetch(location, from, to, { signal }) {
        try {
          // The API's range holds its end, and its times are whole seconds.
          const last = new Date((Math.ceil(to.getTime() / 1_000) - 1) * 1_000);
          const records = recordsOf(location, await client.history(location, from, last, signal));
          // What lies outside belongs to another range, which may take another path.
          return {
            kind: 'records',
            records: records.filter(({ observedAt }) => observedAt >= from && observedAt < to),
          };
        } catch (error) {
          return answerOfFailure(error);
        }
      },
    },
  };
}

const recordsOf = ({ entityId }: RegisteredLocation, { coord, list }: AirPollution): HistoryRecord[] =>
  list.map((row) => ({
    body: JSON.stringify({ id: entityId, coord, ...row }),
    observedAt: new Date(row.dt * 1_000),
  }));
