/** The worker process: connects every door, serves the task queues of its build, and stops gracefully. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { DefaultLogger, type LogLevel, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { withFailures } from '../activities/errors.ts';
import { connectKafka } from '../clients/kafka.ts';
import { connectDatabase } from '../clients/postgres.ts';
import { kafkaBrokers, postgresAddress, temporalAddress } from '../config/addresses.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { deploymentName, taskQueues } from '../domain/task-queues.ts';
import { tablesOf } from '../pipelines/index.ts';
import { createActivities, type Doors } from './activities.ts';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const { buildId } = JSON.parse(readFileSync(join(home, 'build.json'), 'utf8')) as { buildId: string };

const config = loadConfig();
const logger = pino({ level: config.values.LOG_LEVEL, base: { build: buildId } });

Runtime.install({
  logger: new DefaultLogger(config.values.LOG_LEVEL.toUpperCase() as LogLevel, ({ level, message, meta }) =>
    logger[level === 'TRACE' ? 'trace' : (level.toLowerCase() as 'debug' | 'info' | 'warn' | 'error')](
      meta ?? {},
      message,
    ),
  ),
  // The SDK would drop its handler after the first signal; ours stays until everything is closed.
  shutdownSignals: [],
});

async function run(): Promise<void> {
  const database = connectDatabase(postgresAddress(config), tablesOf);
  const kafka = connectKafka(kafkaBrokers(config));
  const connection = await NativeConnection.connect({ address: temporalAddress(config) });
  const workers = await createWorkers(connection, config, { database, kafka });
  const health = serveHealth(workers, config.values.WORKER_HEALTH_PORT);
  stopOnSignal(workers);
  logger.info({ taskQueues: Object.values(taskQueues) }, 'worker polls');
  try {
    await runAll(workers);
  } finally {
    health?.close();
    await kafka.close();
    await database.close();
    await connection.close();
    logger.info('worker stopped');
  }
}

/** When one fails the others finish what they have before the first failure is told. */
async function runAll(workers: readonly Worker[]): Promise<void> {
  const shutDown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const results = await Promise.allSettled(workers.map((worker) => worker.run().finally(shutDown)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function createWorkers(
  connection: NativeConnection,
  { values }: Config,
  doors: Doors,
): Promise<readonly Worker[]> {
  const client = new Client({ connection, namespace: values.TEMPORAL_NAMESPACE });
  const { control, sourceApi, sourceHistory, flink } = createActivities(config, doors, client, logger);
  const shared = {
    connection,
    namespace: values.TEMPORAL_NAMESPACE,
    shutdownGraceTime: `${values.WORKER_GRACE_SECONDS} seconds`,
    shutdownForceTime: `${values.WORKER_GRACE_SECONDS + 5} seconds`,
    // Otherwise it waits for four fifths of the heartbeat's timeout: a worker that is slow for a moment would be taken for dead.
    maxHeartbeatThrottleInterval: '4 seconds',
    workerDeploymentOptions: {
      version: { deploymentName, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    },
  } as const;
  return Promise.all([
    Worker.create({
      ...shared,
      taskQueue: taskQueues.control,
      workflowBundle: { codePath: join(home, 'workflows.js') },
      activities: withFailures(control),
    }),
    Worker.create({
      ...shared,
      taskQueue: taskQueues.sourceApi,
      activities: withFailures(sourceApi),
      // A backstop only, which counts starts and not calls: the budget in the database is what holds the limits.
      maxTaskQueueActivitiesPerSecond: 20,
    }),
    Worker.create({
      ...shared,
      taskQueue: taskQueues.sourceHistory,
      activities: withFailures(sourceHistory),
      // Each holds the records of some locations.
      maxConcurrentActivityTaskExecutions: 40,
    }),
    Worker.create({ ...shared, taskQueue: taskQueues.flink, activities: withFailures(flink) }),
  ]);
}

function serveHealth(workers: readonly Worker[], port: number | undefined): Server | undefined {
  if (port === undefined) return undefined;
  return createServer((_, response) => {
    const states = workers.map((worker) => worker.getState());
    response.writeHead(states.every((state) => state === 'RUNNING') ? 200 : 503, {
      'content-type': 'application/json',
    });
    response.end(JSON.stringify({ buildId, states }));
  }).listen(port, '127.0.0.1');
}

/** The first signal lets activities finish within the grace time; a second one ends the process at once. */
function stopOnSignal(workers: readonly Worker[]): void {
  let asked = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(1);
    asked = true;
    logger.info({ signal }, 'worker stops polling and finishes what it has');
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

run().catch((error) => {
  logger.fatal(error, 'worker ended');
  process.exit(1);
});
