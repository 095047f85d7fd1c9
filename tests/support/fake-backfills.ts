/**
 * Real backfills on the real Temporal and PostgreSQL of the shared stack, in a namespace and a schema of their own; the source, Kafka and
 * Flink are in memory, with switches.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { cancellationSignal, heartbeat, sleep } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import pg from 'pg';
import type { FilePosition, FileStretch } from '../../activities/backfill-file.ts';
import { createBackfillLoadActivities } from '../../activities/backfill-loads.ts';
import { createBackfillActivities } from '../../activities/backfills.ts';
import type { BatchJobCall, BatchSight } from '../../activities/batch-jobs.ts';
import { withFailures } from '../../activities/errors.ts';
import { recordFilePosition, storePlan } from '../../clients/backfill-ledger.ts';
import { planFor } from '../../clients/backfill-planning.ts';
import { chunkOf, recordChunk } from '../../clients/chunk-ledger.ts';
import type { KafkaClient } from '../../clients/kafka.ts';
import { migrate } from '../../clients/migrations.ts';
import { connectDatabase, type Database } from '../../clients/postgres.ts';
import { postgresAddress, temporalAddress } from '../../config/addresses.ts';
import { type Config, projectRoot } from '../../config/load.ts';
import { NO_RANGES, type OffsetRanges, rangesFrom, widen } from '../../domain/backfill-offsets.ts';
import type { BackfillFacts } from '../../domain/backfill-plan.ts';
import { DAY_MS, HOUR_MS } from '../../domain/backfill-windows.ts';
import { HourglassError } from '../../domain/errors.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { contracts } from '../../pipelines/index.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { type BackfillRequestInput, backfillRequestSchema } from '../../schemas/backfill.ts';
import { eventually } from './eventually.ts';
import { createNamespace } from './fake-actors.ts';
import { weatherTables } from './weather-tables.ts';

export const SOURCE_SLOTS = 4;
export const CITIES = [101, 102, 103, 104, 105];
/** A chunk is one city on two days. */
export const facts: BackfillFacts = {
  streamOwnsMs: 36 * HOUR_MS,
  horizonMs: { history: null, kafka: 7 * DAY_MS, file: null },
  ...{ hoursPerSpan: 48, callsPerSpan: 1, callsPerMinute: 1 },
};

class RefusedError extends HourglassError {
  constructor() {
    super('SOURCE_REFUSES', 'The source refuses the key.');
  }
}

/** What the source, Kafka and Flink do; each is asked at the moment it is needed. */
export interface Switches {
  /** Resolves when the chunk may be published. */
  hold(key: string): Promise<void>;
  /** Locations of a chunk that cannot be had. */
  failuresOf(key: string): readonly number[];
  isRefused(key: string): boolean;
  /** Why a Flink job fails for good; undefined for one that finishes. */
  flinkFails(job: string): string | undefined;
  /** Whether a Flink job goes on and on. */
  isEndless(job: string): boolean;
  /** Records that the load job passes over. */
  unread: number;
  /** What a Flink job does to the tables, when it is submitted. */
  onFlinkJob(job: string, parameters: Readonly<Record<string, string>>): Promise<void>;
  /** The first offset of what was published at that time or later. */
  offsetAt(time: Date): number;
  /** How many stretches a file has. */
  stretches: number;
}

export interface FakeBackfills {
  readonly client: Client;
  readonly sql: pg.Pool;
  readonly database: Database;
  /** What happened, in its order: `fetch <key>`, `published <key>`, `<job> <parameter>`. */
  readonly log: string[];
  /** The most chunks that were fetched at once. */
  readonly mostAtOnce: () => number;
  readonly switches: Switches;
  /** So many records at the end of every topic. @returns where that is then */
  publish(records: number): number;
  /** Plans it and stores the plan. @returns its id */
  plan(request: BackfillRequestInput): Promise<string>;
  close(): Promise<void>;
}

/** What the activities of a worker that only asks the ledger and Kafka are made with. */
export interface ControlDoors {
  readonly database: Database;
  readonly kafka: Pick<KafkaClient, 'watermarks' | 'committedOffsets' | 'offsetsAt' | 'read'>;
  readonly isOpenWorkflow: (workflowId: string) => Promise<boolean>;
}
type ActivityFunctions = Record<string, (...args: never[]) => Promise<unknown>>;

/** @param more activities beside those of backfills */
export async function startFakeBackfills(
  config: Config,
  more: (doors: ControlDoors) => ActivityFunctions = () => ({}),
): Promise<FakeBackfills> {
  const id = `fake_backfills_${randomBytes(3).toString('hex')}`;
  const address = postgresAddress(config);
  const sql = new pg.Pool({ ...address, options: `-c timezone=UTC -c search_path=${id}`, max: 4 });
  await sql.query(`create schema ${id}`);
  await migrate({ ...address, schema: id }, config.values.POSTGRES_PIPELINE_USER);
  for (const city of CITIES)
    await sql.query(
      `insert into locations (city_id, name, country, lat, lon, timezone, active_from)
       values ($1, 'a city', 'NO', 0, 0, 'UTC', '2020-01-01')`,
      [city],
    );
  const client = await createNamespace(config, id.replaceAll('_', '-'));
  const database = connectDatabase({ ...address, schema: id, connections: 8 }, weatherTables);
  const world = createWorld(database, sql);
  const running = await startWorkers(config, client, world, more);
  return {
    ...{ client, sql, database },
    ...{ log: world.log, switches: world.switches, mostAtOnce: () => world.most },
    publish(records) {
      publish(world, records);
      return world.end;
    },
    async plan(given) {
      const request = backfillRequestSchema.parse(given);
      const { id } = await storePlan(database, await planFor(database, request, facts, new Date()));
      return id;
    },
    async close() {
      await running.stop();
      await database.close();
      await sql.query(`drop schema ${id} cascade`);
      await sql.end();
      await client.connection.close();
    },
  };
}

type World = ReturnType<typeof createWorld>;

function createWorld(database: Database, sql: pg.Pool) {
  const switches: Switches = {
    hold: async () => undefined,
    failuresOf: () => [],
    isRefused: () => false,
    flinkFails: () => undefined,
    isEndless: () => false,
    onFlinkJob: async () => undefined,
    offsetAt: () => 0,
    ...{ unread: 0, stretches: 1 },
  };
  return { database, sql, switches, log: [] as string[], atOnce: 0, most: 0, end: 0 };
}

/** So many records at the end of the history topic. */
function publish(world: World, records: number): OffsetRanges {
  const places = Array.from({ length: records }, (_, index) => ({ partition: 0, offset: world.end + index }));
  world.end += records;
  return widen(NO_RANGES, places);
}

function sourceActivities(world: World) {
  const { database, switches, log } = world;
  return {
    async fetchChunk({ backfillId, key }: { backfillId: string; key: string }) {
      const known = await chunkOf(database, backfillId, key);
      const { records, offsets, failures } = known;
      if (offsets !== null && records !== null && known.status !== 'fetching' && known.status !== 'pending')
        return { records, failures: failures.length, offsets };
      await recordChunk(database, { backfillId, key, event: 'begun' });
      log.push(`fetch ${key}`);
      world.atOnce += 1;
      world.most = Math.max(world.most, world.atOnce);
      try {
        const pulse = setInterval(heartbeat, 100);
        const signal = cancellationSignal();
        const aborted = new Promise<never>((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
        await Promise.race([switches.hold(key), aborted]).finally(() => clearInterval(pulse));
        if (switches.isRefused(key)) throw new RefusedError();
      } finally {
        world.atOnce -= 1;
      }
      const missing = switches.failuresOf(key).map((entityId) => ({ entityId, reason: 'no such city' }));
      const published = { records: 2, offsets: publish(world, 2), failures: missing };
      await recordChunk(database, { backfillId, key, event: 'published', ...published });
      log.push(`published ${key}`);
      return { ...published, failures: missing.length };
    },
    async publishFile(input: { backfillId: string; from: FilePosition }): Promise<FileStretch> {
      const { backfillId, from } = input;
      const at = { ...from, line: from.line + 10, published: from.published + 10 };
      await recordFilePosition(database, backfillId, at);
      log.push(`lines ${from.line} to ${at.line}`);
      return {
        at,
        isEnd: at.line >= switches.stretches * 10,
        stream: publish(world, 1),
        batch: publish(world, 9),
      };
    },
  };
}

function flinkActivities(world: World) {
  const failing = new Map<string, string>();
  const names = new Map<string, string>();
  return {
    describeBatchJob: async (_: BatchJobCall) => ({ attempts: 1, backoffFirstMs: 0, backoffMostMs: 0 }),
    async submitBatchJob({ job, parameters, jobId }: BatchJobCall & { jobId: string }): Promise<void> {
      const { offsets, from, load } = parameters;
      world.log.push(`${job} ${offsets ?? from}`);
      names.set(jobId, job);
      const reason = world.switches.flinkFails(job);
      if (reason !== undefined) failing.set(jobId, reason);
      else await world.switches.onFlinkJob(job, parameters);
      for (const { partition, first, end } of rangesFrom(offsets ?? '0:0-0')) {
        const records = Math.max(0, end - first - world.switches.unread);
        if (records > 0)
          await world.sql.query(
            'insert into batch_reads values ($1, $2, $3, $4, $5) on conflict do nothing',
            [...[load, partition, records], ...[first, end - 1]],
          );
      }
    },
    async watchBatchJob({ jobId }: { jobId: string }): Promise<BatchSight> {
      while (world.switches.isEndless(names.get(jobId) ?? '')) {
        heartbeat();
        await sleep(100);
      }
      const reason = failing.get(jobId);
      return reason === undefined
        ? { state: 'FINISHED', finishedParts: 1, parts: 1 }
        : { state: 'FAILED', finishedParts: 0, parts: 1, reason };
    },
    cancelBatchJob: async (_: { jobId: string }): Promise<void> => undefined,
  };
}

async function startWorkers(
  config: Config,
  client: Client,
  world: World,
  more: (doors: ControlDoors) => ActivityFunctions,
) {
  const { database } = world;
  const { namespace } = client.options;
  const connection = await NativeConnection.connect({ address: temporalAddress(config) });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: join(projectRoot, 'workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  const kafka = {
    watermarks: async () => [{ partition: 0, low: 0, high: world.end }],
    committedOffsets: async () => new Map([[0, world.end]]),
    offsetsAt: async (_: string, time: Date) => new Map([[0, world.switches.offsetAt(time)]]),
    // All that the stream has read is stored.
    read: async () => undefined,
  };
  const pipelines = { weather };
  const isOpenWorkflow = async (workflowId: string): Promise<boolean> =>
    (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  const control = {
    ...createBackfillActivities({
      ...{ database, kafka, pipelines, facts: { weather: facts }, pollMs: 50 },
      now: () => new Date(),
      isOpenWorkflow,
    }),
    ...createBackfillLoadActivities({ database, kafka, pipelines, contracts }),
    ...more({ database, kafka, isOpenWorkflow }),
  };
  const shared = { connection, namespace, maxHeartbeatThrottleInterval: '100 ms' } as const;
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: taskQueues.control,
      workflowBundle,
      activities: withFailures(control),
    }),
    Worker.create({
      ...shared,
      taskQueue: taskQueues.sourceHistory,
      // So few that others wait for their turn.
      maxConcurrentActivityTaskExecutions: SOURCE_SLOTS,
      activities: withFailures(sourceActivities(world)),
    }),
    Worker.create({
      ...shared,
      taskQueue: taskQueues.flink,
      activities: withFailures(flinkActivities(world)),
    }),
  ]);
  const runs = workers.map((worker) => worker.run());
  return {
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await connection.close();
    },
  };
}

/** Waits until something of the log holds. */
export const untilLogged = (world: FakeBackfills, what: string, holds: (log: readonly string[]) => boolean) =>
  eventually(what, async () => world.log, holds, { withinMs: 30_000, everyMs: 50 });
