import { describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { availableMb, availableMbHere, memoryNeed, memoryWarning } from './memory.ts';

const configOf = (environment: Record<string, string> = {}) =>
  loadConfig({
    environment: { HOURGLASS_DATA_DIR: '/none', ...environment },
    envFile: '/none',
    stackAddresses: false,
  });
const none = { meminfo: undefined, limit: undefined, usage: undefined, statistics: undefined };

describe('the memory that is needed', () => {
  test('is what the whole stack was measured with', () => {
    expect(memoryNeed(configOf())).toEqual({ atRestMb: 2_261, peakMb: 2_346 });
  });

  test('is less where somebody else runs a service, and without the mock', () => {
    const real = { WEATHER_SOURCE: 'openweathermap', OPENWEATHERMAP_API_KEY: 'x' };
    expect(memoryNeed(configOf(real)).atRestMb).toBe(2_141);
    expect(memoryNeed(configOf({ KAFKA_BROKERS: 'kafka:9092' })).atRestMb).toBe(1_861);
  });
});

describe('the warning', () => {
  const need = { atRestMb: 2_261, peakMb: 2_346 };

  test('says what is needed and what is there', () => {
    expect(memoryWarning(need, 1_200)).toMatch(
      /^2,346 MB of memory are needed at peak, 2,261 at rest, and 1,200 MB are available:/,
    );
  });

  test('is not given where there is enough', () => {
    expect(memoryWarning(need, 2_346)).toBeUndefined();
  });
});

describe('the memory that is available', () => {
  test('is the machine’s, as its kernel tells', () => {
    expect(availableMb({ ...none, meminfo: 'MemFree: 1 kB\nMemAvailable:    2097152 kB\n' }, 0)).toBe(2_048);
    expect(availableMb(none, 3 * 1_048_576)).toBe(3);
  });

  test('is no more than a container’s limit leaves, its cache counted as free', () => {
    const meminfo = 'MemAvailable: 99999999 kB';
    const files = {
      meminfo,
      limit: '4194304',
      usage: '3145728',
      statistics: 'anon 7\ninactive_file 1048576\n',
    };
    expect(availableMb(files, 0)).toBe(2);
    expect(availableMb({ ...files, limit: 'max', meminfo: 'MemAvailable: 1024 kB' }, 0)).toBe(1);
  });

  test('is known on this machine', () => {
    expect(availableMbHere()).toBeGreaterThan(0);
  });
});
