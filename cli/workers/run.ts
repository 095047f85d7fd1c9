/** `hourglass workers run`: one more worker in the foreground, for some of the task queues or for all. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  flinkRestUrl,
  kafkaBrokers,
  postgresAddress,
  temporalAddress,
  weatherApi,
} from '../../config/addresses.ts';
import { type Config, loadConfig } from '../../config/load.ts';
import { serviceEnvironment } from '../../config/system.ts';
import { HourglassError } from '../../domain/errors.ts';
import { buildsDirectory, workerProcess } from '../../stack/workers.ts';
import { buildWorker } from '../../workers/bundle.ts';

export interface RunOptions {
  readonly roles?: string;
  readonly healthPort?: string;
  readonly build?: string;
}

/** Thrown for a build that is not in the builds directory. */
class UnknownBuildError extends HourglassError {
  constructor(buildId: string, directory: string) {
    super(
      'UNKNOWN_BUILD',
      `There is no build ${buildId} in ${directory}: see \`npx hourglass workers versions\`, or leave --build out to build this checkout.`,
    );
  }
}

/**
 * Returns when the worker has ended, and ends as it did. A signal is passed on once: the worker is in a process group of its own,
 * for a terminal's Ctrl-C would otherwise reach it as a second one, which ends it at once.
 */
export async function runWorker({ roles, healthPort, build }: RunOptions): Promise<void> {
  const config = loadConfig({
    settings: {
      ...(roles === undefined ? {} : { WORKER_ROLES: roles }),
      ...(healthPort === undefined ? {} : { WORKER_HEALTH_PORT: healthPort }),
    },
  });
  expectAddresses(config);
  const { buildId, directory } = await buildToRun(config, build);
  console.log(`Build ${buildId} serves ${config.values.WORKER_ROLES.join(', ')}; Ctrl-C stops it in order.`);
  const { command, args, env } = workerProcess(config, directory);
  const child = spawn(command, args, {
    stdio: 'inherit',
    detached: true,
    // The build would look for a relative directory within itself.
    env: { ...serviceEnvironment(), ...env, HOURGLASS_DATA_DIR: config.dataDir },
  });
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, passOn);
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** What is missing is told in a sentence, before anything is built. @throws StackNotRunningError */
function expectAddresses(config: Config): void {
  for (const addressOf of [postgresAddress, kafkaBrokers, temporalAddress, flinkRestUrl, weatherApi])
    addressOf(config);
}

async function buildToRun({ dataDir }: Config, buildId: string | undefined) {
  const buildsDir = buildsDirectory(dataDir);
  if (buildId === undefined) return buildWorker({ buildsDir });
  const directory = join(buildsDir, buildId);
  if (!existsSync(directory)) throw new UnknownBuildError(buildId, buildsDir);
  return { buildId, directory };
}
