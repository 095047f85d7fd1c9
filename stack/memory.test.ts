import { describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { availableMb, availableMbHere, memoryCheck, memoryNeed, memoryWarning } from './memory.ts';

const configOf = (environment: Record<string, string> = {}) =>
  loadConfig({
    environment: { HOURGLASS_DATA_DIR: '/none', ...environment },
    envFile: '/none',
    stackAddresses: false,
  });
const none = { meminfo: undefined, limit: undefined, usage: undefined, statistics: undefined };

describe('the memory that is needed', () => {
  test('is what the whole stack was measured with', () => {
    expect(memoryNeed(configOf())).toEqual({ atRestMb: 2_261, startMb: 2_346, underLoadMb: 3_881 });
  });

  test('is less where somebody else runs a service, and without the mock', () => {
    const real = { WEATHER_SOURCE: 'openweathermap', OPENWEATHERMAP_API_KEY: 'x' };
    expect(memoryNeed(configOf(real)).atRestMb).toBe(2_141);
    expect(memoryNeed(configOf({ KAFKA_BROKERS: 'kafka:9092' })).atRestMb).toBe(1_861);
  });
});

describe('the need of a Flink that is made larger', () => {
  const one = memoryNeed(configOf());

  test('is that of each TaskManager more, at rest and under load', () => {
    const two = memoryNeed(configOf({ FLINK_TASK_MANAGERS: '2' }));
    expect(two.atRestMb - one.atRestMb).toBe(420);
    expect(two.startMb - one.startMb).toBe(420);
    expect(two.underLoadMb - one.underLoadMb).toBe(1_824);
  });

  test('is that of the slots of each pipeline more', () => {
    const both = memoryNeed(configOf({ PIPELINES: 'weather,air-pollution' }));
    expect(both.underLoadMb - one.underLoadMb).toBe(32 + 16);
  });

  test('is none where somebody else runs it', () => {
    const address = { FLINK_REST_URL: 'http://flink:8081', FLINK_GATEWAY_URL: 'http://flink:8083' };
    const elsewhere = { ...address, FLINK_CHECKPOINT_DIR: 'file:///checkpoints', FLINK_TASK_MANAGERS: '4' };
    expect(memoryNeed(configOf(elsewhere))).toEqual({
      ...{ atRestMb: 2_261 - 725 - 420, startMb: 2_346 - 725 - 420 },
      underLoadMb: 2_261 - 725 - 420 + 216,
    });
  });
});

describe('the warning', () => {
  const need = { atRestMb: 2_261, startMb: 2_346, underLoadMb: 3_881 };

  test('says what is needed and what is there', () => {
    expect(memoryWarning(need, 1_200)).toMatch(
      /^2,346 MB of memory are needed by a start, 2,261 at rest, and 1,200 MB are available:/,
    );
  });

  test('is not given where there is enough', () => {
    expect(memoryWarning(need, 2_346)).toBeUndefined();
  });
});

describe('the check of the doctor', () => {
  const need = { atRestMb: 2_261, startMb: 2_346, underLoadMb: 3_881 };

  test('warns below what load may take', () => {
    expect(memoryCheck(need, 3_900)).toEqual({
      ...{ name: 'Memory', verdict: 'ok' },
      found: '3,900 MB available; a start needs 2,346, load up to 3,881',
    });
    expect(memoryCheck(need, 3_000)).toMatchObject({
      verdict: 'warning',
      cure: expect.stringContaining('Close other programs'),
    });
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
