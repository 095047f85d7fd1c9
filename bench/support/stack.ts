/**
 * A native stack for one bench: Kafka, PostgreSQL and Flink on free ports and a directory of its own, gone afterwards. Neither
 * Temporal nor the mock's server runs beside what is measured; where they are to, it is `whole-stack.ts`'s.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createFlinkGatewayClient, type FlinkGatewayClient } from '../../clients/flink-gateway.ts';
import { createFlinkRestClient, type FlinkRestClient } from '../../clients/flink-rest.ts';
import { connectKafka, type KafkaClient } from '../../clients/kafka.ts';
import { connectionOptions } from '../../clients/postgres.ts';
import { flinkGatewayUrl, flinkRestUrl, kafkaBrokers, postgresAddress } from '../../config/addresses.ts';
import { type Config, loadConfig } from '../../config/load.ts';
import { systemEnvironment } from '../../config/system.ts';
import { ensureRolesAndDatabase } from '../../stack/database.ts';
import { createPortChooser } from '../../stack/ports.ts';
import { superuserAddress } from '../../stack/postgres.ts';
import { createProgress, type ProgressEvent } from '../../stack/progress.ts';
import { type RunningServices, startServices } from '../../stack/services.ts';
import { BenchInterruptedError } from './errors.ts';

export interface BenchStack {
  readonly dataDir: string;
  readonly config: Config;
  readonly services: RunningServices;
  readonly kafka: KafkaClient;
  readonly rest: FlinkRestClient;
  readonly gateway: FlinkGatewayClient;
  /** The owner's one connection, on which all questions of the bench are asked; what it costs is in no contestant's account. */
  readonly sql: pg.Client;
  readonly sqlPid: number;
  /** Statements that only the superuser may run, such as `checkpoint`. */
  asSuperuser(statement: string): Promise<void>;
  /** To be run when the bench ends, however it ends; the last one added runs first. */
  onEnd(cleanUp: CleanUp): void;
}

/** Never reached: an address that is set means that the native stack leaves this service out. */
const LEFT_OUT = { TEMPORAL_ADDRESS: '127.0.0.1:1', OPENWEATHERMAP_BASE_URL: 'http://127.0.0.1:1' } as const;

/** @throws BenchInterruptedError, what the stack throws at its start, and what `work` throws; nothing is left behind */
export const withBenchStack = <T>(work: (stack: BenchStack) => Promise<T>): Promise<T> =>
  withOwnDirectory(open, work);

/** Where a stack is opened: its directory, and what is to be done when it ends, the last one added first. */
export interface StackPlace {
  readonly dataDir: string;
  readonly interruption: AbortSignal;
  onEnd(cleanUp: CleanUp): void;
}

type CleanUp = () => Promise<void> | void;

/** @throws as above */
export async function withOwnDirectory<Stack, T>(
  openStack: (place: StackPlace) => Promise<Stack>,
  work: (stack: Stack) => Promise<T>,
): Promise<T> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const interrupted = new Promise<never>((_, reject) => {
    interruption.signal.addEventListener('abort', () => reject(new BenchInterruptedError()));
  });
  interrupted.catch(() => undefined);
  const dataDir = mkdtempSync(join(tmpdir(), 'hourglass-bench-'));
  // PostgreSQL's own user must be able to pass.
  chmodSync(dataDir, 0o755);
  const cleanUps: CleanUp[] = [() => rmSync(dataDir, { recursive: true, force: true })];
  const onEnd = (cleanUp: CleanUp): void => void cleanUps.push(cleanUp);
  try {
    const stack = await openStack({ dataDir, interruption: interruption.signal, onEnd });
    return await Promise.race([work(stack), interrupted]);
  } catch (error) {
    throw interruption.signal.aborted ? new BenchInterruptedError() : error;
  } finally {
    for (const cleanUp of cleanUps.reverse())
      await Promise.resolve(cleanUp()).catch((error: Error) =>
        console.error(`cleaning up: ${error.message}`),
      );
  }
}

async function open({ dataDir, interruption, onEnd }: StackPlace): Promise<BenchStack> {
  const progress = createProgress(report, interruption);
  const environment = { ...(await ownEnvironment(dataDir)), ...LEFT_OUT };
  const envFile = join(dataDir, 'no.env');
  const services = await startServices(loadConfig({ environment, envFile, stackAddresses: false }), progress);
  onEnd(() => services.stop(progress.uninterrupted));
  await ensureRolesAndDatabase(services.context);
  const { POSTGRES_PASSWORD, POSTGRES_PIPELINE_PASSWORD } = services.context.secrets;
  const config = loadConfig({
    environment: { ...environment, ...services.addresses, POSTGRES_PASSWORD, POSTGRES_PIPELINE_PASSWORD },
    envFile,
  });
  const kafka = connectKafka(kafkaBrokers(config), 'hourglass-bench');
  onEnd(() => kafka.close());
  const sql = await connectQuietly(connectionOptions(postgresAddress(config)));
  onEnd(() => sql.end());
  // In one process, so that its costs can be told from the contestants'.
  await sql.query("set max_parallel_workers_per_gather = 0; set work_mem = '256MB'");
  const { rows } = await sql.query<{ pid: number }>('select pg_backend_pid() as pid');
  return {
    dataDir,
    config,
    services,
    kafka,
    rest: createFlinkRestClient(flinkRestUrl(config)),
    gateway: createFlinkGatewayClient(flinkGatewayUrl(config)),
    sql,
    sqlPid: rows[0]?.pid ?? 0,
    asSuperuser: async (statement) => {
      const client = await connectQuietly(connectionOptions(superuserAddress(services.context)));
      await client.query(statement).finally(() => client.end());
    },
    onEnd,
  };
}

/** A connection that breaks when everything is stopped is no news. */
export async function connectQuietly(options: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(options);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Far from the usual ones: two stacks that start at once would both find those free. */
const PORTS = ['POSTGRES_PORT', 'KAFKA_PORT', 'FLINK_REST_PORT', 'FLINK_GATEWAY_PORT'] as const;

export async function ownEnvironment(dataDir: string): Promise<Record<string, string>> {
  const chooser = createPortChooser();
  const ports = await Promise.all(
    PORTS.map(async (name) => [name, String(await chooser.internal())] as const),
  );
  const system = systemEnvironment();
  const inherited = ['HOURGLASS_CACHE_DIR', 'XDG_CACHE_HOME'].flatMap((name) => {
    const value = system[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(inherited),
    ...Object.fromEntries(ports),
    HOURGLASS_DATA_DIR: dataDir,
    WEATHER_SOURCE: 'mock',
    JOB_UPGRADE_LEAST_SECONDS: '3',
  };
}

export function report({ step, status, text }: ProgressEvent): void {
  if (status !== 'running') console.error(`  stack: ${step}: ${status}, ${text}`);
}
