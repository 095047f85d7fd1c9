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
import { pollingBuilds } from './polling-builds.ts';

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
      know: async () => knownDeploy(client, database, await localBuilds(client, config), { watchMs }),
    }),
  );
}

/** What the supervisor says of its workers; without one, which builds poll is all that is seen. */
async function localBuilds(client: Client, config: Config): Promise<LocalBuilds> {
  const { dataDir } = config;
  if (!(await isSupervised(dataDir))) return pollingBuilds(client, dataDir);
  return { builds: presentBuilds(dataDir), workers: runningWorkers(readState(dataDir)?.services ?? []) };
}

export async function isSupervised(dataDir: string): Promise<boolean> {
  const state = readState(dataDir);
  return state !== undefined && (await isAlive(state.supervisor));
}

/** Whether workers are started by others than a supervisor of this data directory: Temporal itself is. */
export const isElsewhere = ({ origins }: Config): boolean => origins.TEMPORAL_ADDRESS !== 'stack';

/** @throws StackNotRunningError where nobody would start a worker */
export async function requireSupervisor({ dataDir }: Config): Promise<void> {
  if (!(await isSupervised(dataDir))) throw new StackNotRunningError();
}
