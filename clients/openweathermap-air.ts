/**
 * Owns the questions for the air of a place. OpenWeatherMap knows it by coordinates alone; how a question is asked is
 * `openweathermap-call.ts`'s.
 */
import { type AirPollution, parseAirPollution, parseCurrentAir } from '../schemas/openweathermap.ts';
import type { Coordinates, OpenWeatherMapOptions } from './openweathermap.ts';
import { createCaller } from './openweathermap-call.ts';
import type { CallSubject } from './openweathermap-errors.ts';

/** Both reject with an {@link OpenWeatherMapError}, never holding the API key, or with the caller's own reason to cancel. */
export interface AirPollutionClient {
  /** The air of this moment: a list of one row. */
  current(place: Coordinates, signal?: AbortSignal): Promise<AirPollution>;
  /** The rows, one an hour, from `from` up to and with `to`; none for what lies before the archive or in the future. */
  history(place: Coordinates, from: Date, to: Date, signal?: AbortSignal): Promise<AirPollution>;
}

/** Throws a TypeError when an address is no URL. */
export function createAirPollutionClient(options: OpenWeatherMapOptions): AirPollutionClient {
  const { apiKey, timeoutMs, baseUrl, historyUrl, fetch = globalThis.fetch } = options;
  const addresses = { OPENWEATHERMAP_BASE_URL: baseUrl, OPENWEATHERMAP_HISTORY_URL: historyUrl };
  const caller = createCaller({ addresses, apiKey, timeoutMs, fetch });
  return {
    async current({ lat, lon }, signal) {
      const question = {
        path: 'data/2.5/air_pollution',
        query: { lat, lon },
        subject: airAt({ lat, lon }),
        parse: parseCurrentAir,
      };
      return (await caller.ask(question, signal)).value;
    },
    async history({ lat, lon }, from, to, signal) {
      const question = {
        path: 'data/2.5/air_pollution/history',
        query: { lat, lon, start: secondsOf(from), end: secondsOf(to) },
        subject: airAt({ lat, lon }),
        parse: parseAirPollution,
      };
      return (await caller.ask(question, signal)).value;
    },
  };
}

const secondsOf = (at: Date): number => Math.floor(at.getTime() / 1_000);

/** The history has the address of the present, unlike that of the weather. */
const airAt = ({ lat, lon }: Coordinates): CallSubject => ({
  name: `the air at latitude ${lat}, longitude ${lon}`,
  answer: 'a list of air quality',
  correction: "Correct the location's latitude and longitude",
  address: 'OPENWEATHERMAP_BASE_URL',
});
