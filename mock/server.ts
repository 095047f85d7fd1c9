/**
 * Owns the mock of OpenWeatherMap as an HTTP server: its life, its clock and its memory. The way of a call through it is
 * `calls.ts`'s, which path is whose `routes.ts`'s; what the weather is, `weather.ts`'s.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdminServer } from './admin.ts';
import { answerCall, type MockState } from './calls.ts';
import type { MockCity } from './cities.ts';
import { createCityDirectory } from './city-directory.ts';
import { createCitySearch } from './city-search.ts';
import type { Faults } from './faults.ts';
import { createFaultsInForce } from './faults-in-force.ts';
import { createKeyAccounts } from './key-accounts.ts';
import { callsPerMinuteOfPlan } from './keys.ts';
import { createCallLog, type ServedCall } from './served-log.ts';
import { checkStepSeconds } from './weather.ts';

/** In calls. */
const remembered = 200_000;
const loopback = '127.0.0.1';

export interface MockOptions {
  /** 0 takes any free port. */
  port: number;
  host?: string;
  /** The port of the admin, on the loopback address alone; 0 takes any free one. No admin when it is absent. */
  adminPort?: number | undefined;
  /** The same seed invents the same weather, and the same faults. */
  seed: string;
  /** How often a city has a new observation. */
  stepSeconds: number;
  cities: readonly MockCity[];
  /** The limit of a key that is not named after a plan; that of the plan "developer" when it is absent. */
  callsPerMinute?: number;
  /** None when absent. */
  faults?: Faults;
  /** Unix milliseconds. */
  now?: () => number;
}

export interface Mock {
  port: number;
  url: string;
  /** Undefined without an admin. */
  adminUrl: string | undefined;
  /** The last 200,000 calls whose outcome is known, oldest first. */
  served(): readonly ServedCall[];
  /** The greatest number of calls with this key, refused ones too, that arrived within any sliding minute so far. */
  maxCallsInAnyMinute(key: string): number;
  /** Puts these faults in the place of those in force, and begins to count anew. */
  replaceFaults(faults: Faults): void;
  /** Stops listening and cuts every connection, kept-alive ones too. May be called again. */
  close(): Promise<void>;
}

/**
 * Resolves when the mock listens, and its admin too. Rejects with Node's own error (`EADDRINUSE`, `EACCES`; its `port` says which)
 * when one of them cannot, and with a RangeError for a step that is no whole number of seconds.
 */
export async function startMock(options: MockOptions): Promise<Mock> {
  const { port, host = loopback, adminPort, now = () => Date.now() } = options;
  const state = stateOf(options);
  const { calls, accounts, faults } = state;
  const server = createServer((request, response) => answerCall({ request, response, atMs: now() }, state));
  const admin = adminPort === undefined ? undefined : createAdminServer(state);
  await listening(server, port, host);
  if (admin !== undefined) {
    await listening(admin, adminPort as number, loopback).catch(async (error) => {
      await closed(server);
      throw error;
    });
  }
  let closing: Promise<unknown> | undefined;
  return {
    port: portOf(server),
    url: urlOf(server, host),
    adminUrl: admin === undefined ? undefined : urlOf(admin, loopback),
    served: () => calls.all(),
    maxCallsInAnyMinute: (key) => accounts.find(key)?.calls().mostInAnyMinute ?? 0,
    replaceFaults: (next) => faults.replace(next),
    async close() {
      closing ??= Promise.all([closed(server), admin === undefined ? undefined : closed(admin)]);
      await closing;
    },
  };
}

function stateOf({ seed, stepSeconds, cities, callsPerMinute, faults = {} }: MockOptions): MockState {
  checkStepSeconds(stepSeconds);
  const directory = createCityDirectory(cities);
  return {
    world: { seed, stepSeconds, directory, searchCity: createCitySearch(directory) },
    accounts: createKeyAccounts(callsPerMinute ?? callsPerMinuteOfPlan.developer),
    faults: createFaultsInForce(seed, faults),
    calls: createCallLog(remembered),
  };
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

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const urlOf = (server: Server, host: string): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${portOf(server)}`;
