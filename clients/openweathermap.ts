/**
 * Owns the questions that OpenWeatherMap is asked: each has one validated answer or one typed error. How a question is asked is
 * `openweathermap-call.ts`'s; retrying, budgets and what becomes of an observation belong to the activities.
 */
import {
  type CurrentWeather,
  type GeocodedPlace,
  parseCurrentWeather,
  parseGeocodedPlaces,
} from '../schemas/openweathermap.ts';
import { createCaller, type Question } from './openweathermap-call.ts';
import type { CallSubject } from './openweathermap-errors.ts';
import { askHistory, type CityHistoryAnswer } from './openweathermap-history.ts';

export interface OpenWeatherMapOptions {
  /** Scheme, host and any path before `/data/2.5`, for example `https://api.openweathermap.org`. */
  baseUrl: string;
  /** The same of the history API, for example `https://history.openweathermap.org`. */
  historyUrl: string;
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

export interface Coordinates {
  readonly lat: number;
  readonly lon: number;
}

/** Every call rejects with an {@link OpenWeatherMapError}, never holding the API key, or with the caller's own reason to cancel. */
export interface OpenWeatherMapClient {
  /** The current weather of one city in metric units (°C, m/s, hPa, mm). */
  currentWeather(cityId: number, signal?: AbortSignal): Promise<CurrentWeatherAnswer>;
  /** The same for whatever city of its list OpenWeatherMap finds at the coordinates; its id is in the answer. */
  currentWeatherAt(place: Coordinates, signal?: AbortSignal): Promise<CurrentWeatherAnswer>;
  /** The places of a name, `Oslo` or `Oslo,NO`, the likeliest first; none when there is no such place. At most five come. */
  geocode(text: string, limit: number, signal?: AbortSignal): Promise<readonly GeocodedPlace[]>;
  /**
   * What was observed in a city from `from` up to and with `to`, at most a week, in metric units. The API refuses a key whose
   * plan holds no history with the words for a wrong key; so when it is refused (401), the current weather of the city is asked
   * for: **that is a second call**. An answer to it makes a PlanMissingError of the refusal, another 401 leaves it an
   * UnauthorizedError, and whatever else goes wrong with it is thrown itself: the key may be right.
   * @param mayCallAgain resolves when the second call may be made
   * @throws RangeError for more than a week, or when `to` is before `from`
   */
  history(
    cityId: number,
    from: Date,
    to: Date,
    signal?: AbortSignal,
    mayCallAgain?: () => Promise<void>,
  ): Promise<CityHistoryAnswer>;
}

/** Throws a TypeError when an address is no URL. Holds no connection and no state: it needs no closing. */
export function createOpenWeatherMapClient(options: OpenWeatherMapOptions): OpenWeatherMapClient {
  const { apiKey, timeoutMs, fetch = globalThis.fetch } = options;
  const addresses = {
    OPENWEATHERMAP_BASE_URL: options.baseUrl,
    OPENWEATHERMAP_HISTORY_URL: options.historyUrl,
  };
  const caller = createCaller({ addresses, apiKey, timeoutMs, fetch });

  const currentWeather: OpenWeatherMapClient['currentWeather'] = async (cityId, signal) => {
    const subject = cityOf(cityId);
    const { body, value: weather } = await caller.ask(weatherQuestion({ id: cityId }, subject), signal);
    if (weather.id !== cityId)
      throw caller.failureOf({ kind: 'wrong_city', body, receivedId: weather.id }, subject);
    return { body, weather };
  };

  return {
    currentWeather,
    async currentWeatherAt({ lat, lon }, signal) {
      const question = weatherQuestion({ lat, lon }, placeAt(lat, lon));
      const { body, value: weather } = await caller.ask(question, signal);
      return { body, weather };
    },
    async geocode(text, limit, signal) {
      const query = { q: text, limit };
      const question = {
        path: 'geo/1.0/direct',
        query,
        subject: searchFor(text),
        parse: parseGeocodedPlaces,
      };
      return (await caller.ask(question, signal)).value;
    },
    history: (cityId, from, to, signal, mayCallAgain = async () => undefined) =>
      askHistory(
        caller,
        { cityId, from, to },
        async () => {
          await mayCallAgain();
          return currentWeather(cityId, signal);
        },
        signal,
      ),
  };
}

const weatherQuestion = (
  query: Readonly<Record<string, number>>,
  subject: CallSubject,
): Question<CurrentWeather> => ({
  path: 'data/2.5/weather',
  query: { ...query, units: 'metric' },
  subject,
  parse: parseCurrentWeather,
});

const cityOf = (cityId: number): CallSubject => ({
  name: `city ${cityId}`,
  answer: 'a weather observation',
  correction: "Correct the location's city id",
  address: 'OPENWEATHERMAP_BASE_URL',
});

const placeAt = (lat: number, lon: number): CallSubject => ({
  name: `the place at latitude ${lat}, longitude ${lon}`,
  answer: 'a weather observation',
  correction: 'Correct the latitude and the longitude',
  address: 'OPENWEATHERMAP_BASE_URL',
});

const searchFor = (text: string): CallSubject => ({
  name: `the search "${text}"`,
  answer: 'a list of places',
  correction: 'Search for a name such as Oslo or Oslo,NO',
  address: 'OPENWEATHERMAP_BASE_URL',
});
