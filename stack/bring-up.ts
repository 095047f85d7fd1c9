/** Makes rows flow on running services: database, topics, namespace, workers, the Flink jobs, the schedules. */

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { createFlinkRestClient, type FlinkRestClient } from '../clients/flink-rest.ts';
import { jobActor } from '../clients/job-actor.ts';
import { connectKafka } from '../clients/kafka.ts';
import type { PostgresOptions } from '../clients/postgres.ts';
import { applySchedules, ingestSchedule, partitionsSchedule, recordsSchedule } from '../clients/schedules.ts';
import { connectTemporal, ensureNamespace, makeCurrent, polledTaskQueues } from '../clients/temporal.ts';
import { SOURCES } from '../config/environment.ts';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { deploymentName, taskQueues } from '../domain/task-queues.ts';
import { pipelines } from '../pipelines/index.ts';
import type { JobState } from '../schemas/workflow-inputs.ts';
import { LOOPBACK, type StackContext } from './context.ts';
import { ensureRolesAndDatabase, prepareDatabase } from './database.ts';
import { SourceMismatchError } from './errors.ts';
import { createPortChooser } from './ports.ts';
import type { Progress } from './progress.ts';
import type { RunningServices } from './services.ts';
import type { SupervisedService } from './supervisor.ts';
import { buildPresentWorker, olderBuildsWithOpenRuns, startWorker } from './workers.ts';

const SHARDS = 1;
const JOB_DEADLINE_MS = 180_000;
const PARK_DEADLINE_MS = 100_000;
const DRAIN_CHECK_MS = 15_000;

/** Thrown when a job does not run in time. It does not mean that its state is lost. */
export class JobNotRunningError extends HourglassError {
  constructor(job: string, state: JobState | undefined) {
    const { phase, reason } = state ?? { phase: 'unknown', reason: 'its actor does not answer' };
    super(
      'JOB_NOT_RUNNING',
      `The Flink job ${job} does not run yet, it is ${phase}${reason === '' ? '' : `: ${reason}`}. See the logs flink-jobmanager.log and flink-taskmanager.log; the next start tries again.`,
    );
  }
}

export interface Flow {
  /** Stops the jobs with a savepoint; where none can be taken the newest checkpoint serves, and that is said. */
  park(progress: Progress): Promise<void>;
}

/** @throws JobNotRunningError, and what the doors throw */
export async function bringUp(services: RunningServices, progress: Progress): Promise<Flow> {
  const { context } = services;
  const { config } = context;
  const { step } = progress;
  const source = config.values.WEATHER_SOURCE;
  await step('Database', async () => {
    if (config.values.POSTGRES_HOST === undefined) await ensureRolesAndDatabase(context);
    return prepareDatabase(ownerAddress(context), config);
  });
  await step('Topics', () => prepareTopics(services, source));
  const client = await step('Temporal namespace', async () => {
    const connected = await connectTemporal(
      addressOf(services, 'TEMPORAL_ADDRESS'),
      config.values.TEMPORAL_NAMESPACE,
    );
    await ensureNamespace(connected);
    return connected;
  });
  const buildId = await step('Build the worker', () => buildPresentWorker(context.dataDir));
  await step(`Worker ${buildId}`, () => startAndMakeCurrent(services, client, buildId));
  const older = await startOlderWorkers(services, client, buildId, progress);
  const flink = createFlinkRestClient(addressOf(services, 'FLINK_REST_URL'));
  const jobs = Object.values(pipelines).map(({ job }) => job.name);
  for (const job of jobs) await step(`Flink job ${job}`, (detail) => startJob(client, flink, job, detail));
  await step('Schedules', async () => {
    const ingests = Object.keys(pipelines).map((pipeline) =>
      ingestSchedule({ pipeline, source, shard: 0, shards: SHARDS }),
    );
    const records = Object.keys(pipelines).map((pipeline) => recordsSchedule({ pipeline }));
    await applySchedules(client, [...ingests, ...records, partitionsSchedule]);
    // The first rows need not wait for the next minute.
    for (const { scheduleId } of ingests) await client.schedule.getHandle(scheduleId).trigger();
  });
  const draining = new AbortController();
  void stopDrainedWorkers(services, client, older, draining.signal);
  return {
    async park(how) {
      draining.abort();
      await Promise.all(jobs.map((job) => how.step(`Save ${job}`, () => parkJob(client, job))));
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

async function prepareTopics(services: RunningServices, source: string): Promise<string> {
  const kafka = connectKafka(addressOf(services, 'KAFKA_BROKERS').split(','));
  try {
    const topics = Object.values(pipelines).flatMap((pipeline) => Object.values(pipeline.topics));
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

async function startAndMakeCurrent(
  services: RunningServices,
  client: Client,
  buildId: string,
): Promise<void> {
  await startWorker(services, buildId, services.context.ports.workerHealth);
  const wanted = Object.values(taskQueues);
  const deadline = Date.now() + 60_000;
  for (;;) {
    const polled = await polledTaskQueues(client, { deploymentName, buildId });
    if (wanted.every((queue) => polled.includes(queue))) break;
    if (Date.now() > deadline)
      throw new Error(
        `the server has not seen the worker poll ${wanted.filter((queue) => !polled.includes(queue)).join(', ')}`,
      );
    await delay(200);
  }
  await makeCurrent(client, { deploymentName, buildId });
}

async function startOlderWorkers(
  services: RunningServices,
  client: Client,
  present: string,
  progress: Progress,
): Promise<Map<string, SupervisedService>> {
  const builds = await olderBuildsWithOpenRuns(client, services.context.dataDir, present);
  const workers = new Map<string, SupervisedService>();
  for (const buildId of builds) {
    try {
      await progress.step(`Worker ${buildId}`, async () => {
        workers.set(buildId, await startWorker(services, buildId, await createPortChooser().internal()));
        return 'an older build with open runs';
      });
    } catch (error) {
      // The present build can do its work without it; only the runs pinned to the older one wait.
      progress.note(
        `Worker ${buildId}`,
        `runs pinned to this older build wait, because its worker does not start: ${reasonOf(error)}`,
      );
    }
  }
  return workers;
}

/** A worker of an older build ends when nothing runs on its build any more. */
async function stopDrainedWorkers(
  services: RunningServices,
  client: Client,
  workers: Map<string, SupervisedService>,
  signal: AbortSignal,
): Promise<void> {
  while (workers.size > 0 && !signal.aborted) {
    await delay(DRAIN_CHECK_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const open = await olderBuildsWithOpenRuns(client, services.context.dataDir, '').catch(() => [
      ...workers.keys(),
    ]);
    for (const [buildId, worker] of workers) {
      if (open.includes(buildId)) continue;
      workers.delete(buildId);
      await services.remove(worker);
    }
  }
}

async function startJob(
  client: Client,
  flink: FlinkRestClient,
  job: string,
  detail: (text: string) => void,
): Promise<string> {
  const actor = jobActor(client, job);
  await actor.versionChanged();
  await actor.start(randomUUID());
  const deadline = Date.now() + JOB_DEADLINE_MS;
  for (;;) {
    const state = await actor.status().catch(() => undefined);
    // After a kill the actor believes for a moment what was true before it: Flink itself is asked too.
    if (state?.phase === 'running' && (await flink.job(state.jobId))?.state === 'RUNNING')
      return state.restorePath === '' ? 'from the beginning of the topics' : 'from its saved state';
    if (state !== undefined) detail(state.reason === '' ? state.phase : `${state.phase}: ${state.reason}`);
    if (Date.now() > deadline) throw new JobNotRunningError(job, state);
    await delay(300);
  }
}

async function parkJob(client: Client, job: string): Promise<string> {
  const actor = jobActor(client, job);
  await actor.park(randomUUID());
  const deadline = Date.now() + PARK_DEADLINE_MS;
  while (Date.now() < deadline) {
    const state = await actor.status().catch(() => undefined);
    if (state?.phase === 'parked')
      return state.reason === '' ? `state kept in ${state.restorePath}` : state.reason;
    await delay(200);
  }
  return 'no savepoint in time: the next start goes on from the newest checkpoint';
}
