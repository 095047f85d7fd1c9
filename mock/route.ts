/** Owns what a route of the mock is: what it is asked, and the world it answers from. */
import type { CityDirectory } from './city-directory.ts';
import type { CitySearch } from './city-search.ts';
import type { MockReply } from './replies.ts';

/** What every route answers from. */
export interface MockWorld {
  seed: string;
  stepSeconds: number;
  directory: CityDirectory;
  searchCity: CitySearch;
}

export interface MockRequest {
  query: URLSearchParams;
  /** One reading of the clock for the whole request. */
  nowMs: number;
}

export type Route = (request: MockRequest, world: MockWorld) => MockReply;
