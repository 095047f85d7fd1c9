import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { variableNames } from '../config/environment.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { configCommand } from './config.ts';

const temporaryDirectory = temporaryDirectories();

beforeEach(() => {
  for (const name of variableNames) vi.stubEnv(name, undefined);
  vi.stubEnv('HOURGLASS_DATA_DIR', temporaryDirectory());
  vi.stubEnv('POSTGRES_PASSWORD', 'the-secret');
  vi.stubEnv('KAFKA_BROKERS', 'k1:9092,k2:9092');
});
afterEach(() => vi.unstubAllEnvs());

async function print(...args: string[]): Promise<string> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await configCommand().exitOverride().parseAsync(args, { from: 'user' });
  const printed = log.mock.calls.join('\n');
  log.mockRestore();
  return printed;
}

describe('hourglass config', () => {
  test('lists every variable with its origin, its secrets masked', async () => {
    vi.stubEnv('OPENWEATHERMAP_API_KEY', 'the-secret');
    const listed = JSON.parse(await print('list', '--json')) as { name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(variableNames);
    expect(listed).toEqual(
      expect.arrayContaining([
        { name: 'POSTGRES_PASSWORD', value: '********', origin: 'environment' },
        { name: 'KAFKA_BROKERS', value: 'k1:9092,k2:9092', origin: 'environment' },
        { name: 'OPENWEATHERMAP_API_KEY', value: '********', origin: 'environment' },
      ]),
    );
  });

  test('masks in the table too', async () => {
    const table = await print('list');
    expect(table).toMatch(/^POSTGRES_PASSWORD +\*{8} +environment$/m);
    expect(table).toMatch(/^WORKER_HEALTH_PORT +\(not set\) +default$/m);
    expect(table).not.toContain('the-secret');
  });

  test('gets one value as it is, for a script', async () => {
    expect(await print('get', 'POSTGRES_PASSWORD')).toBe('the-secret');
    expect(await print('get', 'KAFKA_BROKERS')).toBe('k1:9092,k2:9092');
  });
});
