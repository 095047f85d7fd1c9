/**
 * Owns the mock of OpenWeatherMap as an HTTP server: its life, its route table and the check of the key. What a route answers
 * is the route's own file; what the weather is, `weather.ts`'s.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MockCity } from './cities.ts';
import { createCitySearch } from './city-search.ts';
import { currentWeatherRoute } from './current-weather-route.ts';
import { internalErrorReply, type MockReply, unauthorizedReply, unknownPathReply } from './replies.ts';
import type { MockWorld, Route } from './route.ts';
import { createServedLog, type ServedObservation } from './served-log.ts';
import { checkStepSeconds } from './weather.ts';

/** Every path the mock knows. A new one is a file with its route, and a line here. */
const routes: ReadonlyMap<string, Route> = new Map([['/data/2.5/weather', currentWeatherRoute]]);

/** A key that is always refused, to try out what a wrong key does. Any other text is welcome. */
const refusedKey = 'bad';
const servedLimit = 200_000;

export interface MockOptions {
  /** 0 takes any free port. */
  port: number;
  host?: string;
  /** The same seed invents the same weather. */
  seed: string;
  /** How often a city has a new observation. */
  stepSeconds: number;
  cities: readonly MockCity[];
  /** Unix milliseconds. */
  now?: () => number;
}

export interface Mock {
  port: number;
  url: string;
  /** The last 200,000 observations served, oldest first. */
  served(): readonly ServedObservation[];
  /** Stops listening and cuts every connection, kept-alive ones too. May be called again. */
  close(): Promise<void>;
}

/**
 * Resolves when the mock listens. Rejects with Node's own error (`EADDRINUSE`, `EACCES`) when it cannot, and with a RangeError
 * for a step that is no whole number of seconds.
 */
export async function startMock(options: MockOptions): Promise<Mock> {
  const { port, host = '127.0.0.1', seed, stepSeconds, cities, now = () => Date.now() } = options;
  checkStepSeconds(stepSeconds);
  const servedLog = createServedLog(servedLimit);
  const world: MockWorld = { seed, stepSeconds, searchCity: createCitySearch(cities), servedLog };
  const server = createServer((request, response) => send(response, replyTo(request, world, now())));
  await listening(server, port, host);
  const { port: boundPort } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    port: boundPort,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
    served: () => servedLog.latest(),
    close() {
      closing ??= closed(server);
      return closing;
    },
  };
}

function replyTo({ url = '/' }: IncomingMessage, world: MockWorld, nowMs: number): MockReply {
  // Not through URL, which throws for targets such as "//": whatever a client sends gets an answer.
  const [path = '/', ...search] = url.split('?');
  const query = new URLSearchParams(search.join('?'));
  const route = routes.get(path);
  if (route === undefined) return unknownPathReply;
  const key = query.get('appid') ?? query.get('APPID') ?? '';
  if (key === '' || key === refusedKey) return unauthorizedReply;
  try {
    return route({ query, nowMs }, world);
  } catch (error) {
    // A fault of the mock's own: its words reach whoever looks at the client's error.
    return internalErrorReply(String(error));
  }
}

function send(response: ServerResponse, { status, body }: MockReply): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
