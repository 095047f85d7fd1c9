import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { metricsAddress, writeScrapeTargets } from './scrape-targets.ts';
import type { ServicePhase, ServiceSpec } from './supervisor.ts';

const temporaryDirectory = temporaryDirectories();

function serviceOf(name: string, metricsPort: number | undefined, phase: ServicePhase = 'ready') {
  const spec: ServiceSpec = {
    ...{ name, command: 'node', args: [], logFile: 'log', ready: async () => undefined },
    ...(metricsPort === undefined ? {} : { metricsPort }),
  };
  return { spec, status: () => ({ name, phase, process: undefined, restarts: 0 }) };
}

test('the file lists each worker that runs, in the format that a Prometheus reads', () => {
  const dataDir = temporaryDirectory();
  writeScrapeTargets(dataDir, [
    serviceOf('kafka', undefined),
    serviceOf('worker-old', 21_001),
    serviceOf('worker-new', 21_002, 'restarting'),
    serviceOf('worker-gone', 21_003, 'stopped'),
  ]);
  expect(JSON.parse(readFileSync(join(dataDir, 'prometheus-targets.json'), 'utf8'))).toEqual([
    { targets: ['127.0.0.1:21001'], labels: { service: 'worker-old' } },
    { targets: ['127.0.0.1:21002'], labels: { service: 'worker-new' } },
  ]);
  expect(metricsAddress(dataDir, 'worker-new')).toBe('127.0.0.1:21002');
  expect(metricsAddress(dataDir, 'worker-gone')).toBeUndefined();
});

test('what is as it was is not written again', () => {
  const dataDir = temporaryDirectory();
  const services = [serviceOf('worker-one', 21_001)];
  const inode = (): number => statSync(join(dataDir, 'prometheus-targets.json')).ino;
  writeScrapeTargets(dataDir, services);
  const before = inode();
  writeScrapeTargets(dataDir, services);
  expect(inode()).toBe(before);
});

test('of a directory that no stack has used nothing is known', () => {
  expect(metricsAddress(temporaryDirectory(), 'worker-one')).toBeUndefined();
});
