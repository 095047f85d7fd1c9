/** What the commands of `hourglass workers` ask first: how the deploy stands, and whether a supervisor carries it on. */
import type { Client } from '@temporalio/client';
import { type KnownDeploy, knownDeploy, type LocalBuilds } from '../../clients/deploy-facts.ts';
import type { Database } from '../../clients/postgres.ts';
import { StackNotRunningError } from '../../config/addresses.ts';
import { type Config, loadConfig } from '../../config/load.ts';
import { readState } from '../../stack/data-dir.ts';
import { isAlive } from '../../stack/process-identity.ts';
import { presentBuilds, runningWorkers } from '../../stack/workers.ts';
import { withTemporal } from '../with-temporal.ts';

export interface DeployDoors {
  readonly config: Config;
  readonly client: Client;
  readonly database: Database;
  /** @throws what the doors throw */
  know(): Promise<KnownDeploy>;
}

/** @throws StackNotRunningError, TemporalUnreachableError, and what `ask` throws */
export function withDeploy<T>(ask: (doors: DeployDoors) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const watchMs = config.values.DEPLOY_WATCH_SECONDS * 1_000;
  return withTemporal((client, database) =>
    ask({
      ...{ config, client, database },
      know: async () => knownDeploy(client, database, await localBuilds(config.dataDir), { watchMs }),
    }),
  );
}

/** Without its supervisor no worker is kept alive. */
async function localBuilds(dataDir: string): Promise<LocalBuilds> {
  const services = (await isSupervised(dataDir)) ? (readState(dataDir)?.services ?? []) : [];
  return { builds: presentBuilds(dataDir), workers: runningWorkers(services) };
}

export async function isSupervised(dataDir: string): Promise<boolean> {
  const state = readState(dataDir);
  return state !== undefined && (await isAlive(state.supervisor));
}

/** @throws StackNotRunningError where nobody would carry the deploy out */
export async function requireSupervisor(dataDir: string): Promise<void> {
  if (!(await isSupervised(dataDir))) throw new StackNotRunningError();
}
