/**
 * The stack as a user has it, worker and Temporal included, for a bench of what only they can do: on free ports and a directory of its
 * own, gone afterwards. The parts that it has in common with a bench's smaller stack are `stack.ts`'s.
 */
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { connectKafka, type KafkaClient } from '../../clients/kafka.ts';
import { connectDatabase, connectionOptions, type Database } from '../../clients/postgres.ts';
import { connectTemporal } from '../../clients/temporal.ts';
import { kafkaBrokers, postgresAddress, temporalAddress } from '../../config/addresses.ts';
import { loadConfig } from '../../config/load.ts';
import { tablesOf } from '../../pipelines/index.ts';
import { bringUp } from '../../stack/bring-up.ts';
import { readState } from '../../stack/data-dir.ts';
import { createProgress } from '../../stack/progress.ts';
import { type RunningServices, startServices } from '../../stack/services.ts';
import { ContestantFailedError } from './errors.ts';
import { connectQuietly, ownEnvironment, report, type StackPlace, withOwnDirectory } from './stack.ts';

export interface WholeStack {
  readonly dataDir: string;
  readonly services: RunningServices;
  readonly kafka: KafkaClient;
  readonly temporal: Client;
  /** The project's own queries. */
  readonly database: Database;
  /** The owner's connection, on which the bench asks. */
  readonly sql: pg.Client;
  /** @throws ContestantFailedError when no worker runs */
  workerPid(): number;
}

/** Rows flow when `work` begins. @throws as `withOwnDirectory` does */
export const withWholeStack = <T>(work: (stack: WholeStack) => Promise<T>): Promise<T> =>
  withOwnDirectory(open, work);

async function open({ dataDir, interruption, onEnd }: StackPlace): Promise<WholeStack> {
  const progress = createProgress(report, interruption);
  // The first start's own backfill would run beside what is measured.
  const environment = { ...(await ownEnvironment(dataDir)), FIRST_START_HISTORY_HOURS: '0' };
  const envFile = join(dataDir, 'no.env');
  const services = await startServices(loadConfig({ environment, envFile, stackAddresses: false }), progress);
  onEnd(() => services.stop(progress.uninterrupted));
  await bringUp(services, progress);
  services.markReady();
  const config = loadConfig({ environment, envFile });
  const kafka = connectKafka(kafkaBrokers(config), 'hourglass-bench');
  onEnd(() => kafka.close());
  const temporal = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  onEnd(() => temporal.connection.close());
  const database = connectDatabase(postgresAddress(config), tablesOf);
  onEnd(() => database.close());
  const sql = await connectQuietly(connectionOptions(postgresAddress(config)));
  onEnd(() => sql.end());
  await sql.query("set max_parallel_workers_per_gather = 0; set work_mem = '256MB'");
  return { dataDir, services, kafka, temporal, database, sql, workerPid: () => workerPidOf(dataDir) };
}

function workerPidOf(dataDir: string): number {
  const worker = readState(dataDir)?.services.find(({ name }) => name.startsWith('worker-'));
  if (worker?.process === undefined) throw new ContestantFailedError('the worker', 'it does not run');
  return worker.process.pid;
}
