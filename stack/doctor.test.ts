import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig, projectRoot } from '../config/load.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { clockCheck, judgeDisk, localeCheck, openFilesChecks } from './doctor/machine.ts';
import { dataDirectoryCheck, judgePorts } from './doctor/places.ts';
import { javaChecks, nodeCheck, programChecks, systemCheck, temporalCheck } from './doctor/programs.ts';
import { examine } from './doctor.ts';

const temporaryDirectory = temporaryDirectories();
const configOf = (environment: Record<string, string>) =>
  loadConfig({ environment, envFile: '/none', stackAddresses: false });

test('a whole examination has a cure for everything that is not as it should be, and makes nothing', async () => {
  const dataDir = join(temporaryDirectory(), 'data');
  const checks = await examine(configOf({ HOURGLASS_DATA_DIR: dataDir }));
  const names = [...new Set(checks.map(({ name }) => name))];
  for (const name of [
    'Node.js',
    'Java',
    'Maven',
    'Temporal',
    'Memory',
    'Disk for data',
    'Ports',
    'Clock',
    'Locale',
  ])
    expect(names).toContain(name);
  for (const { name, verdict, cure } of checks)
    expect([name, cure !== undefined]).toEqual([name, verdict !== 'ok']);
  expect(() => readFileSync(dataDir)).toThrow('ENOENT');
});

test('programs of services that somebody else runs are asked for nothing', async () => {
  const programs = async (environment: Record<string, string>) =>
    (await programChecks(configOf({ HOURGLASS_DATA_DIR: '/none', ...environment }))).map(({ name }) => name);
  const flink = {
    ...{ FLINK_REST_URL: 'http://flink:8081', FLINK_GATEWAY_URL: 'http://flink:8083' },
    FLINK_CHECKPOINT_DIR: 'file:///checkpoints',
  };
  const own = ['Java', 'Maven', 'Temporal', 'PostgreSQL'];
  expect(await programs({})).toEqual(['System', 'Node.js', ...own]);
  expect(await programs(flink)).toEqual(['System', 'Node.js', ...own]);
  const all = {
    ...flink,
    KAFKA_BROKERS: 'kafka:9092',
    TEMPORAL_ADDRESS: 't:7233',
    POSTGRES_HOST: 'postgres',
  };
  expect(await programs(all)).toEqual(['System', 'Node.js']);
});

describe('Node.js', () => {
  test('is judged as package.json says', () => {
    const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
    expect(engines.node).toBe('^20.19.0 || ^22.12.0 || >=24.0.0');
    for (const good of ['20.19.0', '20.20.2', '22.12.0', '24.0.0', '25.3.1'])
      expect([good, nodeCheck(good).verdict]).toEqual([good, 'ok']);
    for (const bad of ['18.20.0', '20.18.9', '21.7.0', '22.11.0', '23.1.0'])
      expect([bad, nodeCheck(bad).verdict]).toEqual([bad, 'failed']);
  });
});

describe('the programs', () => {
  test('a system that was not tried is a warning, one that cannot do it fails', () => {
    expect(systemCheck('linux', 'x64').verdict).toBe('ok');
    expect(systemCheck('darwin', 'arm64').verdict).toBe('warning');
    expect(systemCheck('win32', 'x64')).toMatchObject({
      verdict: 'failed',
      cure: expect.stringContaining('WSL2'),
    });
  });

  test('a Java that is missing fails only where the start cannot install it, with the command that does', () => {
    const found = {
      java: undefined,
      maven: '/usr/bin/mvn',
      remedy: 'sudo apt-get install -y openjdk-17-jre-headless',
    };
    expect(javaChecks({ ...found, isInstallable: true })).toMatchObject([
      { verdict: 'warning' },
      { verdict: 'ok' },
    ]);
    const [java] = javaChecks({ ...found, isInstallable: false });
    expect(java).toMatchObject({ verdict: 'failed', cure: expect.stringContaining(found.remedy) });
  });

  test('a Temporal that rests on a download alone is told with the ways out', () => {
    expect(temporalCheck({ how: '', standing: 'ready' }).verdict).toBe('ok');
    expect(temporalCheck({ how: '', standing: 'unsure' }).cure).toContain('TEMPORAL_ADDRESS');
  });
});

describe('the machine', () => {
  const gigabyte = 1_073_741_824;

  test('a disk that is nearly full fails, one that is filling up is a warning, with the variable that moves it', () => {
    const judged = [0.5, 2, 3].map((each) => judgeDisk('Disk for data', '/data', each * gigabyte));
    expect(judged.map(({ verdict }) => verdict)).toEqual(['failed', 'warning', 'ok']);
    expect(judged[0]?.cure).toContain('HOURGLASS_DATA_DIR');
    expect(judgeDisk('Disk for the cache', '/cache', 0).cure).toContain('HOURGLASS_CACHE_DIR');
  });

  test('few open files are a warning; a system that does not tell is not asked', () => {
    const limits = (hard: string) =>
      `Max open files            1024                 ${hard}               files\n`;
    expect(openFilesChecks(limits('1024'))).toMatchObject([{ verdict: 'warning' }]);
    expect(openFilesChecks(limits('524288'))).toMatchObject([{ verdict: 'ok' }]);
    expect(openFilesChecks('')).toEqual([]);
  });

  test('a clock that is behind the checkout fails', () => {
    const built = Date.parse('2026-01-31T00:00:00Z');
    expect(clockCheck(Date.parse('1970-01-01T00:00:05Z'), built)).toMatchObject({ verdict: 'failed' });
    expect(clockCheck(built + 1, built)).toMatchObject({ verdict: 'ok' });
  });

  test('a locale without UTF-8 is a warning, the strongest of its variables counting', () => {
    expect(localeCheck({ LANG: 'en_GB.UTF-8' }).verdict).toBe('ok');
    expect(localeCheck({ LANG: 'en_GB.UTF-8', LC_ALL: 'C' }).verdict).toBe('warning');
    expect(localeCheck({}).found).toBe('none is set');
  });
});

describe('the places', () => {
  test('a data directory of the other source fails with both ways out', () => {
    const dataDir = temporaryDirectory();
    writeFileSync(join(dataDir, 'source'), 'mock\n');
    const environment = { HOURGLASS_DATA_DIR: dataDir, OPENWEATHERMAP_API_KEY: 'x' };
    expect(dataDirectoryCheck(configOf(environment))).toMatchObject({ verdict: 'ok' });
    expect(dataDirectoryCheck(configOf({ ...environment, WEATHER_SOURCE: 'openweathermap' }))).toMatchObject({
      verdict: 'failed',
      cure: 'Set HOURGLASS_DATA_DIR=.stack-openweathermap, or WEATHER_SOURCE=mock.',
    });
  });

  test('one that cannot be made fails', () => {
    const file = join(temporaryDirectory(), 'file');
    mkdirSync(file.replace(/file$/, 'x'), { recursive: true });
    writeFileSync(file, '');
    expect(dataDirectoryCheck(configOf({ HOURGLASS_DATA_DIR: join(file, 'data') }))).toMatchObject({
      verdict: 'failed',
    });
  });

  test('a port in use fails where it was set, and moves where it was not', () => {
    const port = { service: 'Kafka', variable: 'KAFKA_PORT', port: 9092, explicit: false };
    expect(judgePorts([port], [])).toMatchObject([{ verdict: 'ok' }]);
    expect(judgePorts([port], [port])).toMatchObject([{ verdict: 'warning' }]);
    expect(judgePorts([port], [{ ...port, explicit: true }])).toMatchObject([
      { verdict: 'failed', cure: expect.stringContaining('KAFKA_PORT') },
    ]);
  });
});
