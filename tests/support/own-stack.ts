/** A stack for one test file alone, on free ports and a data directory of its own: for failures that no other test may meet. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import pg from 'pg';
import { connectTemporal } from '../../clients/temporal.ts';
import { postgresAddress, temporalAddress } from '../../config/addresses.ts';
import { type Config, loadConfig } from '../../config/load.ts';
import { bringUp } from '../../stack/bring-up.ts';
import { readState } from '../../stack/data-dir.ts';
import { createProgress } from '../../stack/progress.ts';
import { startServices } from '../../stack/services.ts';
import type { ServiceStatus } from '../../stack/supervisor.ts';
import { freePorts } from './free-ports.ts';

export interface OwnStack {
  readonly config: Config;
  /** What the state file says of the services now, which is what `hourglass status` shows. */
  services(): readonly ServiceStatus[];
  service(name: string): ServiceStatus;
  /** Plain SQL as the owner, over a connection of its own: an outage breaks no later question. */
  sql<Row extends object>(text: string): Promise<Row[]>;
  withTemporal<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /** Parks the jobs, stops every service and removes the directory. */
  close(): Promise<void>;
}

/** Returns when rows flow. @throws what a start throws */
export async function startOwnStack(environment: Readonly<Record<string, string>> = {}): Promise<OwnStack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'hourglass-test-'));
  // PostgreSQL's own user must be able to pass.
  chmodSync(dataDir, 0o755);
  const { HOURGLASS_CACHE_DIR, XDG_CACHE_HOME } = process.env;
  const options = {
    environment: {
      HOURGLASS_CACHE_DIR,
      XDG_CACHE_HOME,
      HOURGLASS_DATA_DIR: dataDir,
      WEATHER_SOURCE: 'mock',
      JOB_UPGRADE_LEAST_SECONDS: '3',
      ...(await freePorts()),
      ...environment,
    },
    envFile: join(dataDir, 'no.env'),
  };
  const progress = createProgress(({ step, status, text }) => {
    if (status !== 'running') process.stderr.write(`  stack: ${step}: ${status}, ${text}\n`);
  });
  const running = await startServices(loadConfig({ ...options, stackAddresses: false }), progress);
  const flow = await bringUp(running, progress).catch(async (error) => {
    await running.stop(progress);
    throw error;
  });
  running.markReady();
  const config = loadConfig(options);
  const services = (): readonly ServiceStatus[] => readState(dataDir)?.services ?? [];
  return {
    config,
    services,
    service(name) {
      const found = services().find((service) => service.name === name);
      if (found === undefined) throw new Error(`the state names no ${name}`);
      return found;
    },
    async sql<Row extends object>(text: string) {
      const client = new pg.Client({
        ...postgresAddress(config),
        options: '-c timezone=UTC',
        connectionTimeoutMillis: 2_000,
      });
      // A server that is killed says so beside the failed question too.
      client.on('error', () => undefined);
      try {
        await client.connect();
        return (await client.query<Row>(text)).rows;
      } finally {
        await client.end().catch(() => undefined);
      }
    },
    async withTemporal(work) {
      const client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
      try {
        return await work(client);
      } finally {
        await client.connection.close();
      }
    },
    async close() {
      await flow.park(progress);
      await running.stop(progress);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
