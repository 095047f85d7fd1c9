/** Worker processes of the native stack: the present build, and one for each older build that still has open runs. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { openRuns } from '../clients/temporal.ts';
import { variableNames } from '../config/environment.ts';
import { type Config, projectRoot, textOf } from '../config/load.ts';
import { deploymentName } from '../domain/task-queues.ts';
import { LOOPBACK } from './context.ts';
import { expectOk } from './probe.ts';
import { run } from './provision/run.ts';
import type { RunningServices } from './services.ts';
import type { ServiceSpec, SupervisedService } from './supervisor.ts';

export const buildsDirectory = (dataDir: string): string => join(dataDir, 'builds');

/** In a process of its own: the bundlers' memory is given back when it ends. @returns the build id */
export async function buildPresentWorker(dataDir: string): Promise<string> {
  const printed = await run(
    process.execPath,
    [join(projectRoot, 'cli/bin.js'), 'workers', 'build', '--into', buildsDirectory(dataDir), '--json'],
    {
      cwd: projectRoot,
    },
  );
  return (JSON.parse(printed) as { buildId: string }).buildId;
}

/** Starts the worker of a build and keeps it alive; ready when it polls every task queue. */
export async function startWorker(
  services: RunningServices,
  buildId: string,
  healthPort: number,
): Promise<SupervisedService> {
  return services.add(workerService(services, buildId, healthPort));
}

function workerService(
  { context, addresses }: RunningServices,
  buildId: string,
  healthPort: number,
): ServiceSpec {
  const { config, secrets, dataDir, logDir } = context;
  const graceMs = config.values.WORKER_GRACE_SECONDS * 1_000;
  const { command, args, env } = workerProcess(config, join(buildsDirectory(dataDir), buildId));
  return {
    ...{ name: `worker-${buildId}`, command, args },
    env: {
      ...env,
      ...addresses,
      POSTGRES_PASSWORD: secrets.POSTGRES_PASSWORD,
      // Without one that serves them all the system stands still; more of some are added beside it.
      WORKER_ROLES: 'all',
      WORKER_HEALTH_HOST: LOOPBACK,
      WORKER_HEALTH_PORT: String(healthPort),
      HOURGLASS_DATA_DIR: dataDir,
    },
    cwd: dataDir,
    logFile: join(logDir, `worker-${buildId}.log`),
    stopTimeoutMs: graceMs + 15_000,
    ready: async () => void (await expectOk(`http://${LOOPBACK}:${healthPort}/ready`)),
  };
}

/** How a build is run: with all settings in force, and no more heap than they allow. @param build its directory */
export function workerProcess(config: Config, build: string) {
  const env = Object.fromEntries(
    variableNames.flatMap((name) => {
      const text = textOf(config, name);
      return text === null ? [] : [[name, text]];
    }),
  );
  const heap = `--max-old-space-size=${config.values.WORKER_MAX_HEAP_MB}`;
  return {
    command: process.execPath,
    args: ['--enable-source-maps', heap, join(build, 'workers/main.js')],
    env,
  };
}

/** Builds other than the present one on which runs are open: pinned runs move on only with workers of their own build. */
export async function olderBuildsWithOpenRuns(
  client: Client,
  dataDir: string,
  present: string,
): Promise<readonly string[]> {
  const directory = buildsDirectory(dataDir);
  const builds = existsSync(directory)
    ? readdirSync(directory).filter((name) => /^[0-9a-f]{16}$/.test(name) && name !== present)
    : [];
  const counts = await Promise.all(builds.map((buildId) => openRuns(client, { deploymentName, buildId })));
  return builds.filter((_, index) => (counts[index] ?? 0) > 0);
}
