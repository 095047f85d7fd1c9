/** Makes rows flow on running services: database, topics, namespace, workers, the Flink jobs, the schedules. */

import { ScheduleOverlapPolicy } from '@temporalio/client';
import { ingestSchedules } from '../clients/declared-schedules.ts';
import { createFlinkRestClient } from '../clients/flink-rest.ts';
import { connectKafka } from '../clients/kafka.ts';
import type { PostgresOptions } from '../clients/postgres.ts';
import { applySchedules, differing } from '../clients/schedules.ts';
import { connectTemporal, ensureNamespace } from '../clients/temporal.ts';
import { SOURCES } from '../config/environment.ts';
import { reasonOf } from '../domain/errors.ts';
import { pipelinesNamed } from '../pipelines/index.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { LOOPBACK, type StackContext } from './context.ts';
import { ensureRolesAndDatabase, prepareDatabase } from './database.ts';
import { SourceMismatchError } from './errors.ts';
import {
  byHand,
  type FirstHistory,
  firstHistoryOf,
  judgeFirstHistory,
  loadFirstHistory,
  loadingText,
} from './first-history.ts';
import { parkJob, startJob } from './jobs.ts';
import { InterruptedError, type Progress } from './progress.ts';
import type { RunningServices } from './services.ts';
import { startWorkers } from './worker-start.ts';
import { buildPresentWorker } from './workers.ts';

export interface Flow {
  /** Has the hours before the first start of each pipeline loaded, and judged when they are; does nothing at a later one, or where none are wanted. A failure is only told. */
  loadFirstHistory(progress: Progress): Promise<void>;
  /** Stops the jobs with a savepoint; where none can be taken the newest checkpoint serves, and that is said. */
  park(progress: Progress): Promise<void>;
}

/** @throws JobNotRunningError, and what the doors throw */
export async function bringUp(services: RunningServices, progress: Progress): Promise<Flow> {
  const { context } = services;
  const { config } = context;
  const { step } = progress;
  const source = config.values.WEATHER_SOURCE;
  // What is not known is said before anything is changed.
  const pipelines = pipelinesNamed(config.values.PIPELINES);
  await step('Database', async () => {
    if (config.values.POSTGRES_HOST === undefined) await ensureRolesAndDatabase(context);
    return prepareDatabase(ownerAddress(context), config);
  });
  const firstHistories: FirstHistory[] = [];
  for (const { name: pipeline } of pipelines) {
    const hours = config.values.FIRST_START_HISTORY_HOURS;
    const first = await firstHistoryOf(ownerAddress(context), { pipeline, hours, now: new Date() });
    if (first !== undefined) firstHistories.push(first);
  }
  await step('Topics', () => prepareTopics(services, pipelines, source));
  const client = await step('Temporal namespace', async () => {
    const connected = await connectTemporal(
      addressOf(services, 'TEMPORAL_ADDRESS'),
      config.values.TEMPORAL_NAMESPACE,
    );
    await ensureNamespace(connected);
    return connected;
  });
  const buildId = await step('Build the worker', () => buildPresentWorker(context.dataDir));
  const workers = await startWorkers(
    { services, client, buildId, database: ownerAddress(context) },
    progress,
  );
  const flink = createFlinkRestClient(addressOf(services, 'FLINK_REST_URL'));
  const doors = { client, flink, database: ownerAddress(context) };
  const jobs = pipelines.map(({ job }) => job.name);
  for (const job of jobs) await step(`Flink job ${job}`, (detail) => startJob(doors, job, detail));
  await step('Schedules', async () => {
    const shards = config.values.INGEST_SHARDS;
    const scope = { pipelines: pipelines.map(({ name }) => name), source, shards };
    const found = await applySchedules(client, scope);
    // A trigger would run one that somebody has paused, too.
    const paused = new Set(found.flatMap(({ scheduleId, record }) => (record?.isPaused ? [scheduleId] : [])));
    // The first rows need not wait for the next minute. Unless told, a trigger lets two runs of one schedule overlap.
    for (const { scheduleId } of ingestSchedules(scope))
      if (!paused.has(scheduleId))
        await client.schedule.getHandle(scheduleId).trigger(ScheduleOverlapPolicy.SKIP);
    const mended = differing(found).length;
    return mended === 0 ? 'as declared' : `${mended} made, changed or deleted`;
  });
  const parking = new AbortController();
  return {
    async loadFirstHistory(how) {
      for (const first of firstHistories) {
        const { pipeline } = first.request;
        try {
          const loading = await how.step(
            `History of ${pipeline}`,
            () => loadFirstHistory(client, first),
            () => loadingText(first),
          );
          void client
            .withAbortSignal(parking.signal, () =>
              judgeFirstHistory(client, first, loading, { source, shards: config.values.INGEST_SHARDS }),
            )
            .catch((error) => {
              if (!parking.signal.aborted)
                how.note(`History of ${pipeline}`, `the hourly check judges it: ${reasonOf(error)}`);
            });
        } catch (error) {
          if (error instanceof InterruptedError) throw error;
          how.note(`History of ${pipeline}`, `it is not loaded; by hand: \`${byHand(first)}\``);
        }
      }
    },
    async park(how) {
      parking.abort();
      await workers.stop();
      await Promise.all(jobs.map((job) => how.step(`Save ${job}`, () => parkJob(doors, job))));
    },
  };
}

function ownerAddress({ config, ports, secrets }: StackContext): PostgresOptions {
  const { POSTGRES_HOST, POSTGRES_DATABASE, POSTGRES_USER } = config.values;
  return {
    host: POSTGRES_HOST ?? LOOPBACK,
    port: ports.postgres,
    database: POSTGRES_DATABASE,
    user: POSTGRES_USER,
    password: secrets.POSTGRES_PASSWORD,
  };
}

const addressOf = (
  { addresses, context }: RunningServices,
  name: 'KAFKA_BROKERS' | 'TEMPORAL_ADDRESS' | 'FLINK_REST_URL',
): string => addresses[name] ?? String(context.config.values[name]);

async function prepareTopics(
  services: RunningServices,
  pipelines: readonly PipelineDefinition[],
  source: string,
): Promise<string> {
  const kafka = connectKafka(addressOf(services, 'KAFKA_BROKERS').split(','));
  try {
    const topics = pipelines.flatMap((pipeline) => Object.values(pipeline.topics));
    // A producer of somebody's own may call its source what it likes; only the other of ours would mix invented and real hours.
    const others = SOURCES.filter((other) => other !== source);
    for (const { name } of topics) {
      const headers = await kafka.newestHeaders(name);
      const holds = others.find((other) => headers.some((each) => each['source'] === other));
      if (holds !== undefined) throw new SourceMismatchError(`The topic ${name}`, holds, source);
    }
    await kafka.ensureTopics(topics);
    return topics.map(({ name }) => name).join(', ');
  } finally {
    await kafka.close();
  }
}
