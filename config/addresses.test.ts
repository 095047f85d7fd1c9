import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import {
  flinkCheckpointDirectory,
  flinkGatewayUrl,
  flinkRestUrl,
  kafkaBrokers,
  postgresAddress,
  ReaderUnknownError,
  readerAddress,
  StackNotRunningError,
  temporalAddress,
  weatherApi,
} from './addresses.ts';
import { type Config, loadConfig } from './load.ts';

const temporaryDirectory = temporaryDirectories();

function configOf(environment: Record<string, string> = {}): Config {
  const home = temporaryDirectory();
  return loadConfig({
    environment: { HOURGLASS_DATA_DIR: home, ...environment },
    envFile: join(home, 'none'),
  });
}

describe('an address that nobody has set', () => {
  test.each([
    ['KAFKA_BROKERS', kafkaBrokers],
    ['FLINK_REST_URL', flinkRestUrl],
    ['FLINK_GATEWAY_URL', flinkGatewayUrl],
    ['FLINK_CHECKPOINT_DIR', flinkCheckpointDirectory],
    ['TEMPORAL_ADDRESS', temporalAddress],
    ['POSTGRES_HOST', postgresAddress],
    ['OPENWEATHERMAP_BASE_URL', weatherApi],
  ] as const)(
    '%s: the message says how to start the stack and which variable names a service of one’s own',
    (variable, addressOf) => {
      const ask = () => addressOf(configOf());
      expect(ask).toThrow(StackNotRunningError);
      expect(ask).toThrow(
        `The stack is not running: start it with \`npx hourglass up\`, or set ${variable} to a service of yours.`,
      );
    },
  );

  test('who needs the stack itself is not sent to look for a service of one’s own', () => {
    expect(new StackNotRunningError().message).toBe(
      'The stack is not running: start it with `npx hourglass up`.',
    );
  });

  test('it may be there later without anybody changing anything', () => {
    expect(new StackNotRunningError('KAFKA_BROKERS')).toMatchObject({
      code: 'STACK_NOT_RUNNING',
      retryable: true,
    });
  });
});

describe('the addresses in force', () => {
  test('PostgreSQL’s address holds all that a connection needs, and a host alone is not enough', () => {
    expect(postgresAddress(configOf({ POSTGRES_HOST: 'db', POSTGRES_PASSWORD: 'p' }))).toEqual({
      host: 'db',
      port: 5432,
      database: 'hourglass',
      user: 'hourglass',
      password: 'p',
    });
    expect(() => postgresAddress(configOf({ POSTGRES_HOST: 'db' }))).toThrow('POSTGRES_PASSWORD');
  });

  test('the real API needs no address, the mock no key', () => {
    expect(weatherApi(configOf({ WEATHER_SOURCE: 'openweathermap', OPENWEATHERMAP_API_KEY: 'k' }))).toEqual({
      baseUrl: 'https://api.openweathermap.org',
      historyUrl: 'https://history.openweathermap.org',
      apiKey: 'k',
      timeoutMs: 10_000,
      plan: 'free',
    });
    expect(weatherApi(configOf({ OPENWEATHERMAP_BASE_URL: 'http://127.0.0.1:8090' }))).toEqual({
      baseUrl: 'http://127.0.0.1:8090',
      historyUrl: 'http://127.0.0.1:8090',
      apiKey: 'mock',
      timeoutMs: 10_000,
      plan: 'developer',
    });
  });

  test('a mock that somebody else runs is asked for invented hours alone', () => {
    const mock = { MOCK_URL: 'http://mock:8090' };
    expect(weatherApi(configOf(mock))).toMatchObject({
      baseUrl: 'http://mock:8090',
      historyUrl: 'http://mock:8090',
    });
    const real = configOf({ ...mock, WEATHER_SOURCE: 'openweathermap', OPENWEATHERMAP_API_KEY: 'k' });
    expect(weatherApi(real).baseUrl).toBe('https://api.openweathermap.org');
    const own = configOf({ ...mock, OPENWEATHERMAP_BASE_URL: 'http://own' });
    expect(weatherApi(own)).toMatchObject({ baseUrl: 'http://own', historyUrl: 'http://own' });
  });

  test('the history may be had elsewhere than the present', () => {
    const [OPENWEATHERMAP_BASE_URL, OPENWEATHERMAP_HISTORY_URL] = ['http://present', 'http://past'];
    for (const source of [
      { WEATHER_SOURCE: 'mock' },
      { WEATHER_SOURCE: 'openweathermap', OPENWEATHERMAP_API_KEY: 'k' },
    ]) {
      const config = configOf({ ...source, OPENWEATHERMAP_BASE_URL, OPENWEATHERMAP_HISTORY_URL });
      expect(weatherApi(config)).toMatchObject({ baseUrl: 'http://present', historyUrl: 'http://past' });
    }
  });
});

describe('the reader of the database', () => {
  test('is known with the database and its own password, and never takes the owner’s', () => {
    const own = { POSTGRES_HOST: 'db.internal', POSTGRES_PASSWORD: 'the-owner-secret' };
    expect(() => readerAddress(configOf())).toThrow(StackNotRunningError);
    expect(() => readerAddress(configOf(own))).toThrow(ReaderUnknownError);
    expect(readerAddress(configOf({ ...own, POSTGRES_READER_PASSWORD: 'the-reader-secret' }))).toMatchObject({
      host: 'db.internal',
      user: 'hourglass_reader',
      password: 'the-reader-secret',
    });
  });
});
