/** Asks the mock's routes without HTTP, at a moment of the test's choice. */
import { fileURLToPath } from 'node:url';
import { loadCities, type MockCity } from '../../mock/cities.ts';
import { createCityDirectory } from '../../mock/city-directory.ts';
import { createCitySearch } from '../../mock/city-search.ts';
import type { MockReply } from '../../mock/replies.ts';
import type { MockWorld } from '../../mock/route.ts';
import { routes } from '../../mock/routes.ts';

export const mockSeed = 'hourglass';
export const mockStepSeconds = 600;
export const mockCities: readonly MockCity[] = loadCities(
  fileURLToPath(new URL('../../sql/seed/locations.csv', import.meta.url)),
);
/** A day in spring, at no whole hour. */
export const mockNowMs = Date.parse('2026-04-15T12:34:56.789Z');

export function cityNamed(name: string): MockCity {
  const city = mockCities.find((candidate) => candidate.name === name);
  if (city === undefined) throw new Error(`The mock has no city ${name}.`);
  return city;
}

const directory = createCityDirectory(mockCities);
const world: MockWorld = {
  seed: mockSeed,
  stepSeconds: mockStepSeconds,
  directory,
  searchCity: createCitySearch(directory),
};

export function answerOf(path: string, query: string, nowMs = mockNowMs): MockReply {
  const route = routes.get(path);
  if (route === undefined) throw new Error(`The mock has no path ${path}.`);
  return route.answer({ query: new URLSearchParams(query), nowMs }, world);
}

/** The JSON of an answer, for tests that look into it. */
// biome-ignore lint/suspicious/noExplicitAny: the shapes are held by tests/support/openweathermap-shapes.ts
export function jsonOf(path: string, query: string, nowMs = mockNowMs): any {
  return JSON.parse(answerOf(path, query, nowMs).body);
}
