/** The worker process: connects every door, serves the task queues of its build, and stops gracefully. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { DefaultLogger, type LogLevel, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { withFailures } from '../activities/errors.ts';
import { connectKafka, type KafkaClient } from '../clients/kafka.ts';
import { connectDatabase } from '../clients/postgres.ts';
import { kafkaBrokers, postgresAddress, temporalAddress } from '../config/addresses.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { reasonOf } from '../domain/errors.ts';
import { deploymentName, taskQueues } from '../domain/task-queues.ts';
import { pipelinesNamed, tablesOf } from '../pipelines/index.ts';
import { createActivities, type Doors } from './activities.ts';
import { isReady, serveHealth } from './health-server.ts';
import { createLifecycle } from './lifecycle.ts';
import { createMetrics } from './metrics.ts';
import { limitsOf, type Role, rolesNamed } from './queue-limits.ts';
import { freeLoopbackAddress } from './sdk-metrics.ts';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const { buildId } = JSON.parse(readFileSync(join(home, 'build.json'), 'utf8')) as { buildId: string };

const config = configuration();
const logger = pino({ level: config.values.LOG_LEVEL, base: { build: buildId } });

const roles = rolesNamed(config.values.WORKER_ROLES);
const sdkAddress = config.values.WORKER_HEALTH_PORT === undefined ? undefined : await freeLoopbackAddress();

Runtime.install({
  logger: new DefaultLogger(config.values.LOG_LEVEL.toUpperCase() as LogLevel, ({ level, message, meta }) =>
    logger[level === 'TRACE' ? 'trace' : (level.toLowerCase() as 'debug' | 'info' | 'warn' | 'error')](
      meta ?? {},
      message,
    ),
  ),
  ...(sdkAddress === undefined
    ? {}
    : { telemetryOptions: { metrics: { prometheus: { bindAddress: sdkAddress } } } }),
  // The SDK would drop its handler after the first signal; ours stays until everything is closed.
  shutdownSignals: [],
});

const lifecycle = createLifecycle({
  exitMs: config.values.WORKER_GRACE_SECONDS * 1_000,
  exit: (code) => process.exit(code),
  now: () => performance.now(),
  logger,
});

/** What is wrong with the settings is for whoever wrote them: in a sentence, not where in the code. */
function configuration(): Config {
  try {
    return loadConfig();
  } catch (error) {
    process.stderr.write(`hourglass: ${reasonOf(error)}\n`);
    process.exit(1);
  }
}

type Workers = Partial<Record<Role, Worker>>;

async function run(): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, lifecycle.onSignal);
  let workers: Workers = {};
  const byQueue = (): Record<string, Worker> =>
    Object.fromEntries(roles.flatMap((role) => (workers[role] ? [[taskQueues[role], workers[role]]] : [])));
  const database = connectDatabase(postgresAddress(config), tablesOf);
  const kafka = connectKafka(kafkaBrokers(config));
  const telling = await tell(byQueue, kafka);
  const connection = await NativeConnection.connect({ address: temporalAddress(config) });
  workers = await createWorkers(connection, { database, kafka });
  logger.info({ taskQueues: Object.keys(byQueue()) }, 'worker polls');
  try {
    await lifecycle.serve(Object.values(workers));
  } finally {
    // What a producer has taken is sent before it is closed.
    await kafka.close();
    await database.close();
    await connection.close();
    await telling?.close();
    logger.info('worker stopped');
  }
}

/** Answers questions about the worker as long as the process lives; nobody when no port is set. */
async function tell(workers: () => Record<string, Worker>, kafka: KafkaClient) {
  const { WORKER_HEALTH_PORT: port, WORKER_HEALTH_HOST: host, WEATHER_SOURCE: sourceName } = config.values;
  if (port === undefined) return undefined;
  // A connection of its own: a scrape neither waits for the activities nor makes them wait.
  const database = connectDatabase({ ...postgresAddress(config), connections: 1 }, tablesOf);
  const pipelines = Object.fromEntries(
    pipelinesNamed(config.values.PIPELINES).map((pipeline) => [pipeline.name, pipeline]),
  );
  const standing = { phase: lifecycle.phase, workers };
  const metrics = createMetrics({
    ...{ buildId, sdkAddress, logger },
    roles: roles.map((role) => taskQueues[role]),
    isReady: () => isReady(standing),
    business: roles.includes('control') ? { database, kafka, pipelines, sourceName } : undefined,
  });
  const server = await serveHealth({ host, port, buildId, ...standing, metrics });
  return {
    async close() {
      await server.close();
      await database.close();
    },
  };
}

async function createWorkers(connection: NativeConnection, doors: Doors): Promise<Workers> {
  const { values } = config;
  const client = new Client({ connection, namespace: values.TEMPORAL_NAMESPACE });
  const activities = createActivities(config, doors, client, logger);
  const made = await Promise.all(
    roles.map(async (role) => {
      const worker = await Worker.create({
        connection,
        namespace: values.TEMPORAL_NAMESPACE,
        taskQueue: taskQueues[role],
        activities: withFailures(activities[role]),
        ...(role === 'control' ? { workflowBundle: { codePath: join(home, 'workflows.js') } } : {}),
        // Otherwise it waits for four fifths of the heartbeat's timeout: a worker that is slow for a moment would be taken for dead.
        maxHeartbeatThrottleInterval: '4 seconds',
        workerDeploymentOptions: {
          version: { deploymentName, buildId },
          useWorkerVersioning: true,
          defaultVersioningBehavior: 'PINNED',
        },
        ...limitsOf(role, config),
      });
      return [role, worker] as const;
    }),
  );
  return Object.fromEntries(made);
}

run().catch((error) => {
  logger.fatal(error, 'worker ended');
  process.exit(1);
});
