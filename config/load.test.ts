import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import type { VariableName } from './environment.ts';
import { type Config, ConfigurationError, loadConfig, projectRoot, stackFiles } from './load.ts';

const temporaryDirectory = temporaryDirectories();

interface Layers {
  readonly environment?: Record<string, string | undefined>;
  readonly settings?: Partial<Record<VariableName, string>>;
  readonly dotEnv?: string;
  readonly addresses?: string;
  readonly secrets?: string;
  readonly stackAddresses?: boolean;
}

function load({
  environment = {},
  settings = {},
  dotEnv,
  addresses,
  secrets,
  stackAddresses,
}: Layers): Config {
  const home = temporaryDirectory();
  const dataDir = join(home, 'data');
  mkdirSync(dataDir);
  const files = {
    [join(home, '.env')]: dotEnv,
    [join(dataDir, stackFiles.addresses)]: addresses,
    [join(dataDir, stackFiles.secrets)]: secrets,
  };
  for (const [file, content] of Object.entries(files))
    if (content !== undefined) writeFileSync(file, content);
  return loadConfig({
    environment: { HOURGLASS_DATA_DIR: dataDir, ...environment },
    settings,
    envFile: join(home, '.env'),
    ...(stackAddresses === undefined ? {} : { stackAddresses }),
  });
}

/** The lines of the mistakes, without the sentence above them. */
function mistakesOf(layers: Layers): string[] {
  try {
    load(layers);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

describe('the layers of the configuration', () => {
  test('the environment wins over .env, .env over the running stack, the running stack over the defaults', () => {
    const { values, origins } = load({
      environment: { KAFKA_PORT: '1001' },
      dotEnv: 'KAFKA_PORT=2001\nFLINK_REST_PORT=2002\n',
      addresses: 'KAFKA_PORT="3001"\nFLINK_REST_PORT="3002"\nTEMPORAL_PORT="3003"\n',
    });
    expect(values).toMatchObject({
      KAFKA_PORT: 1001,
      FLINK_REST_PORT: 2002,
      TEMPORAL_PORT: 3003,
      MOCK_PORT: 8090,
    });
    expect(origins).toMatchObject({
      KAFKA_PORT: 'environment',
      FLINK_REST_PORT: '.env',
      TEMPORAL_PORT: 'stack',
      MOCK_PORT: 'default',
      KAFKA_BROKERS: 'default',
    });
  });

  test('the supervisor, which decides the addresses, does not read those of its predecessor, but its passwords', () => {
    const layers = { addresses: 'KAFKA_BROKERS="127.0.0.1:9999"\n', secrets: 'POSTGRES_PASSWORD="kept"\n' };
    expect(load(layers).values).toMatchObject({
      KAFKA_BROKERS: ['127.0.0.1:9999'],
      POSTGRES_PASSWORD: 'kept',
    });
    const supervisor = load({ ...layers, stackAddresses: false });
    expect(supervisor.values.KAFKA_BROKERS).toBeUndefined();
    expect(supervisor.values.POSTGRES_PASSWORD).toBe('kept');
  });

  test('what a command sets wins over the environment', () => {
    const { values, origins } = load({
      environment: { WORKER_ROLES: 'control', KAFKA_PORT: '1001' },
      settings: { WORKER_ROLES: 'flink' },
    });
    expect(values).toMatchObject({ WORKER_ROLES: ['flink'], KAFKA_PORT: 1001 });
    expect(origins.WORKER_ROLES).toBe('environment');
  });

  test('an empty value counts as not set, in the environment as in .env', () => {
    const { values, origins } = load({
      environment: { KAFKA_PORT: '', FLINK_REST_PORT: '', POSTGRES_HOST: '' },
      dotEnv: 'FLINK_REST_PORT=2002\nTEMPORAL_PORT=\n',
    });
    expect(values).toMatchObject({ KAFKA_PORT: 9092, FLINK_REST_PORT: 2002, TEMPORAL_PORT: 7233 });
    expect(values.POSTGRES_HOST).toBeUndefined();
    expect(origins).toMatchObject({
      KAFKA_PORT: 'default',
      FLINK_REST_PORT: '.env',
      TEMPORAL_PORT: 'default',
    });
  });

  test('without any file everything has its default', () => {
    const { values } = load({});
    expect(values).toMatchObject({
      WEATHER_SOURCE: 'mock',
      POSTGRES_DATABASE: 'hourglass',
      LOG_LEVEL: 'info',
    });
  });

  test('what depends on the source has its default by the source, and a value that is set stays', () => {
    const real = { WEATHER_SOURCE: 'openweathermap', OPENWEATHERMAP_API_KEY: 'k' };
    const name = 'FIRST_START_HISTORY_HOURS';
    expect(load({}).values[name]).toBe(24);
    expect(load({ environment: real }).values[name]).toBe(0);
    expect(load({ environment: { ...real, [name]: '48' } }).values[name]).toBe(48);
    expect(load({ environment: { [name]: '0' } }).values[name]).toBe(0);
  });

  test('a relative directory is meant from the checkout, whatever the present directory is', () => {
    const { dataDir, cacheDir } = load({
      environment: { HOURGLASS_DATA_DIR: 'somewhere', HOURGLASS_CACHE_DIR: 'cache' },
    });
    expect(dataDir).toBe(join(projectRoot, 'somewhere'));
    expect(cacheDir).toBe(join(projectRoot, 'cache'));
  });

  test('the brokers are a list', () => {
    expect(load({ environment: { KAFKA_BROKERS: 'a:1,b:2' } }).values.KAFKA_BROKERS).toEqual(['a:1', 'b:2']);
  });
});

const cluster = {
  FLINK_REST_URL: 'http://flink:8081',
  FLINK_GATEWAY_URL: 'http://flink:8083',
  FLINK_CHECKPOINT_DIR: 'file:///data',
};

describe('the mistakes of the configuration', () => {
  test('all are named at once, the missing key of the real API among them, each with value and example', () => {
    const mistakes = mistakesOf({
      environment: { WEATHER_SOURCE: 'openweathermap', KAFKA_PORT: '70000', LOG_LEVEL: 'loud' },
      dotEnv: 'KAFKA_BROKERS=kafka\nKAFKA_PROT=9092\n',
    });
    expect(mistakes).toHaveLength(5);
    expect(mistakes).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^KAFKA_PROT in \.env is not a variable of Hourglass: .*example\.env/),
        'KAFKA_PORT is "70000": expected a port from 1 to 65535 (for example KAFKA_PORT=9092)',
        'KAFKA_BROKERS is "kafka": expected host:port (for example KAFKA_BROKERS=kafka-1:9092,kafka-2:9092)',
        expect.stringMatching(/^LOG_LEVEL is "loud": .*\(for example LOG_LEVEL=info\)$/),
        expect.stringMatching(
          /^OPENWEATHERMAP_API_KEY is not set: .*WEATHER_SOURCE=openweathermap \(for example OPENWEATHERMAP_API_KEY=[0-9a-f]{32}\)$/,
        ),
      ]),
    );
  });

  test('the first line says how many there are', () => {
    expect(() => load({ environment: { KAFKA_PORT: 'x' } })).toThrow(
      /^The configuration has a mistake:\n {2}KAFKA_PORT/,
    );
    expect(() => load({ environment: { KAFKA_PORT: 'x', MOCK_PORT: '0' } })).toThrow(
      /^The configuration has 2 mistakes:\n/,
    );
  });

  test('an unknown variable in .env is a mistake, one in the environment is somebody else’s', () => {
    expect(mistakesOf({ dotEnv: 'HOME_OF_WEATHER=1\n' })).toHaveLength(1);
    expect(mistakesOf({ environment: { HOME_OF_WEATHER: '1' } })).toEqual([]);
  });

  test('the key is required of the real API alone, and an empty one is none', () => {
    expect(mistakesOf({ environment: { WEATHER_SOURCE: 'mock' } })).toEqual([]);
    expect(
      mistakesOf({ environment: { WEATHER_SOURCE: 'openweathermap', OPENWEATHERMAP_API_KEY: 'k' } }),
    ).toEqual([]);
    expect(
      mistakesOf({ environment: { WEATHER_SOURCE: 'openweathermap', OPENWEATHERMAP_API_KEY: '' } }),
    ).toEqual([expect.stringMatching(/^OPENWEATHERMAP_API_KEY is not set/)]);
  });

  test('the addresses of a Flink cluster are set together: those that are missing are named', () => {
    expect(mistakesOf({ environment: cluster })).toEqual([]);
    for (const missing of Object.keys(cluster)) {
      expect(mistakesOf({ environment: { ...cluster, [missing]: '' } })).toEqual([
        expect.stringMatching(new RegExp(`^${missing} is not set: expected with the other two`)),
      ]);
    }
  });

  test('no secret stands among the mistakes', () => {
    const mistakes = mistakesOf({
      environment: {
        OPENWEATHERMAP_API_KEY: 'the-key',
        POSTGRES_PASSWORD: 'the-password',
        ALERT_WEBHOOK_URL: 'ftp://the-webhook',
        MOCK_PORT: 'x',
      },
      dotEnv: 'POSTGRES_PASWORD=the-misspelt\n',
    });
    expect(mistakes).toHaveLength(3);
    expect(mistakes.join()).not.toMatch(/the-/);
  });

  test.each([
    ['WEATHER_SOURCE', 'accuweather'],
    ['OPENWEATHERMAP_PLAN', 'gold'],
    ['OPENWEATHERMAP_BASE_URL', 'api.openweathermap.org'],
    ['OPENWEATHERMAP_TIMEOUT_MS', '5'],
    ['MOCK_STEP_SECONDS', '1.5'],
    ['FIRST_START_HISTORY_HOURS', '169'],
    ['INGEST_SHARDS', '0'],
    ['FLINK_REST_URL', 'ftp://jobmanager'],
    ['FLINK_CHECKPOINT_DIR', '/data/checkpoints'],
    ['TEMPORAL_ADDRESS', 'http://temporal:7233'],
    ['TEMPORAL_NAMESPACE', 'our weather'],
    ['TEMPORAL_MIN_SERVER_VERSION', 'v1.31'],
    ['POSTGRES_DATABASE', 'Weather; drop'],
    ['POSTGRES_PORT', 'five'],
    ['WORKER_GRACE_SECONDS', '0'],
  ])('%s=%s is refused in a line of its own', (name, value) => {
    const others = name.startsWith('FLINK_') ? cluster : {};
    const mistakes = mistakesOf({ environment: { ...others, [name]: value } });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(/: .+ \(for example [A-Z_]+=.+\)$/);
    expect(mistakes[0]).toContain(`${name} is "${value}": `);
  });
});
