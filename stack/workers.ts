/** Worker processes of the native stack: the present build, and one for each older build that still has open runs. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { openRuns } from '../clients/temporal.ts';
import { describeVariable, variableNames } from '../config/environment.ts';
import { projectRoot, textOf } from '../config/load.ts';
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
  const settings = Object.fromEntries(
    // A worker is told nothing that is for others, a superuser's password least of all.
    variableNames.flatMap((name) => {
      if (describeVariable(name).containersOnly) return [];
      const text = textOf(config, name);
      return text === null ? [] : [[name, text]];
    }),
  );
  return {
    name: `worker-${buildId}`,
    command: process.execPath,
    args: ['--enable-source-maps', join(buildsDirectory(dataDir), buildId, 'workers/main.js')],
    env: {
      ...settings,
      ...addresses,
      POSTGRES_PASSWORD: secrets.POSTGRES_PASSWORD,
      WORKER_HEALTH_PORT: String(healthPort),
      HOURGLASS_DATA_DIR: dataDir,
    },
    cwd: dataDir,
    logFile: join(logDir, `worker-${buildId}.log`),
    stopTimeoutMs: graceMs + 15_000,
    ready: async () => void (await expectOk(`http://${LOOPBACK}:${healthPort}/ready`)),
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
