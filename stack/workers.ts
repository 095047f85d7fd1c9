/** How a worker of a build is made and run by the native stack. Which builds run is decided in `domain/deploy-steps.ts`. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeVariable, variableNames } from '../config/environment.ts';
import { type Config, projectRoot, textOf } from '../config/load.ts';
import { LOOPBACK } from './context.ts';
import { expectOk } from './probe.ts';
import { run } from './provision/run.ts';
import type { RunningServices } from './services.ts';
import type { ServiceSpec, ServiceStatus } from './supervisor.ts';

export const buildsDirectory = (dataDir: string): string => join(dataDir, 'builds');

const WORKER = 'worker-';

export const workerName = (buildId: string): string => `${WORKER}${buildId}`;

/** The builds whose directories are here. */
export function presentBuilds(dataDir: string): readonly string[] {
  const directory = buildsDirectory(dataDir);
  return existsSync(directory) ? readdirSync(directory).filter((name) => /^[0-9a-f]{16}$/.test(name)) : [];
}

/** The workers that run, or are to: by build id. */
export function runningWorkers(
  services: readonly ServiceStatus[],
): ReadonlyMap<string, 'starting' | 'ready'> {
  const workers = services.filter(
    ({ name, phase }) => name.startsWith(WORKER) && phase !== 'stopping' && phase !== 'stopped',
  );
  return new Map(
    workers.map(({ name, phase }) => [name.slice(WORKER.length), phase === 'ready' ? 'ready' : 'starting']),
  );
}

/** Replays histories by a build, in a process of its own that stores the verdict. @throws ProvisionError when it could not be reached */
export async function verifyBuild(services: RunningServices, buildId: string): Promise<void> {
  const { env } = workerService(services, buildId, 1);
  await run(
    process.execPath,
    [join(projectRoot, 'cli/bin.js'), 'workers', 'verify', buildId, '--record', '--json'],
    // The end of the supervisor is not the build's fault.
    { cwd: projectRoot, env: { ...env, WORKER_HEALTH_PORT: '' }, detached: true },
  );
}

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

/** As a service that is ready when it polls every task queue. */
export function workerService(
  { context, addresses }: RunningServices,
  buildId: string,
  healthPort: number,
): ServiceSpec {
  const { config, secrets, dataDir, logDir } = context;
  const graceMs = config.values.WORKER_GRACE_SECONDS * 1_000;
  const { command, args, env } = workerProcess(config, join(buildsDirectory(dataDir), buildId));
  return {
    ...{ name: workerName(buildId), command, args },
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
    metricsPort: healthPort,
    ready: async () => void (await expectOk(`http://${LOOPBACK}:${healthPort}/ready`)),
  };
}

/** How a build is run: with all settings in force, and no more heap than they allow. @param build its directory */
export function workerProcess(config: Config, build: string) {
  const env = Object.fromEntries(
    // A worker is told nothing that is for others, a superuser's password least of all.
    variableNames.flatMap((name) => {
      if (describeVariable(name).containersOnly) return [];
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
