/** The OpenWeatherMap mock as a service of the native stack. */
import { join } from 'node:path';
import { projectRoot } from '../config/load.ts';
import { LOOPBACK, type StackContext } from './context.ts';
import type { ServiceSpec } from './supervisor.ts';

export function mockService({ config, ports, logDir }: StackContext): ServiceSpec {
  const { MOCK_SEED, MOCK_STEP_SECONDS, MOCK_FAULTS, OPENWEATHERMAP_PLAN } = config.values;
  return {
    name: 'mock',
    command: process.execPath,
    args: [
      join(projectRoot, 'cli/bin.js'),
      'mock',
      '--port',
      String(ports.mock),
      '--admin-port',
      String(ports.mockAdmin),
      '--seed',
      MOCK_SEED,
      '--step-seconds',
      String(MOCK_STEP_SECONDS),
      ...(OPENWEATHERMAP_PLAN === undefined ? [] : ['--plan', OPENWEATHERMAP_PLAN]),
      ...(MOCK_FAULTS === undefined ? [] : ['--faults', MOCK_FAULTS]),
    ],
    cwd: projectRoot,
    logFile: join(logDir, 'mock.log'),
    ready: async () => {
      // Without a key the mock answers 401: it answers.
      await fetch(`http://${LOOPBACK}:${ports.mock}/data/2.5/weather`, {
        signal: AbortSignal.timeout(2_000),
      });
    },
  };
}
