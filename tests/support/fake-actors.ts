/**
 * The real actors of Flink jobs on the real Temporal and PostgreSQL of the shared stack, over a Flink in memory for each job:
 * in a namespace and a schema of their own, so that nothing else is touched.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import pg from 'pg';
import { withFailures } from '../../activities/errors.ts';
import { createFlinkActivities } from '../../activities/flink.ts';
import { createSavepointActivities } from '../../activities/savepoints.ts';
import { type JobActor, jobActor } from '../../clients/job-actor.ts';
import { migrate } from '../../clients/migrations.ts';
import { connectDatabase } from '../../clients/postgres.ts';
import { connectTemporal, ensureNamespace } from '../../clients/temporal.ts';
import { postgresAddress, temporalAddress } from '../../config/addresses.ts';
import { type Config, projectRoot } from '../../config/load.ts';
import { jobActorId } from '../../domain/identities.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import type { Alert } from '../../schemas/alert.ts';
import type { JobCommandInput, JobCommandName, JobPolicy, JobState } from '../../schemas/job.ts';
import { type JobDefinition, jobDefinitionSchema } from '../../schemas/pipeline.ts';
import { eventually } from './eventually.ts';
import { type FakeFlink, fakeFlink } from './fake-flink.ts';
import { parameters } from './fake-flink-activities.ts';
import type { FakeTimes } from './fake-job-manager.ts';
import { fakeSnapshots } from './fake-snapshots.ts';
import { weatherTables } from './weather-tables.ts';

/** What the actor has put on record. */
export interface JobRow {
  readonly desired: string;
  readonly state: string;
  readonly version: string;
  readonly attempt: number;
  readonly flink_job_id: string;
  readonly restore_path: string | null;
  readonly reason: string | null;
  readonly sequence: number;
}
export interface EventRow {
  readonly sequence: number;
  readonly event: string;
  readonly state: string;
  readonly attempt: number;
  readonly reason: string | null;
}
export interface SavepointRow {
  readonly trigger_id: string;
  readonly kind: string;
  readonly status: string;
  readonly path: string | null;
  readonly error: string | null;
  readonly disposed_at: Date | null;
}

/** A job of one scenario: its Flink, its definition, its actor, and what is on record of it. */
export interface FakeActor {
  readonly name: string;
  readonly flink: FakeFlink;
  /** May be changed: then the next deploy finds another version. */
  readonly definition: JobDefinition;
  readonly actor: JobActor;
  readonly notices: Alert[];
  /** So many notices are refused before one is taken. */
  refuseNotices: number;
  command<Name extends JobCommandName>(name: Name, input?: JobCommandInput<Name>): Promise<JobState>;
  row(): Promise<JobRow | undefined>;
  events(): Promise<readonly EventRow[]>;
  savepoints(): Promise<readonly SavepointRow[]>;
  /** Waits until the record says so. */
  until(what: string, holds: (row: JobRow) => boolean, withinMs?: number): Promise<JobRow>;
  terminate(): Promise<void>;
}

export interface FakeActors {
  readonly client: Client;
  readonly workflowBundle: { readonly code: string };
  create(name: string, options?: { policy?: Partial<JobPolicy>; times?: Partial<FakeTimes> }): FakeActor;
  close(): Promise<void>;
}

/** Small enough that each wait of the actor's passes within a test; a fault's outage is longer than what is called silence. */
const POLICY: Partial<JobPolicy> = {
  ...{ recoveryBudget: 6, backoffFirstMs: 20, backoffMostMs: 100, unreachableMs: 200 },
  ...{ savepointTimeoutMs: 1_500, savepointEveryMs: 0, savepointsKept: 1 },
  upgradeLeastMs: 50,
};
const AWAY_MS = 600;

/** @param config where Temporal and PostgreSQL are */
export async function startFakeActors(config: Config): Promise<FakeActors> {
  const id = `fake_actors_${randomBytes(3).toString('hex')}`;
  const directory = mkdtempSync(join(tmpdir(), 'hourglass-fake-flink-'));
  const address = postgresAddress(config);
  const sql = new pg.Pool({ ...address, options: `-c timezone=UTC -c search_path=${id}`, max: 8 });
  await sql.query(`create schema ${id}`);
  await migrate({ ...address, schema: id }, config.values.POSTGRES_PIPELINE_USER);
  const client = await createNamespace(config, id.replaceAll('_', '-'));
  const database = connectDatabase({ ...address, schema: id, connections: 8 }, weatherTables);
  const actors = new Map<string, FakeActor>();
  const running = await startWorkers(client, actors, { config, database, directory });
  return {
    client,
    workflowBundle: running.workflowBundle,
    create(name, options) {
      const actor = createActor(name, { client, sql, directory, ...options });
      actors.set(jobActorId(name), actor);
      return actor;
    },
    async close() {
      await running.stop();
      await database.close();
      await sql.query(`drop schema ${id} cascade`);
      await sql.end();
      await client.connection.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A namespace that no worker serves, until one is started for it. */
export async function createNamespace(config: Config, namespace: string): Promise<Client> {
  const client = await connectTemporal(temporalAddress(config), namespace);
  await ensureNamespace(client);
  return client;
}

async function startWorkers(
  client: Client,
  actors: ReadonlyMap<string, FakeActor>,
  {
    config,
    database,
    directory,
  }: { config: Config; database: ReturnType<typeof connectDatabase>; directory: string },
) {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    // Cancelled watches and refused workflow tasks are what is tried here: the core would warn of each.
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
  });
  const { namespace } = client.options;
  const connection = await NativeConnection.connect({ address: temporalAddress(config) });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: join(projectRoot, 'workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  /** The job whose activity calls: no call of Flink's own names it. */
  const own = (): FakeActor => {
    const workflowId = activityInfo().workflowExecution?.workflowId;
    const actor = actors.get(workflowId ?? '');
    if (actor === undefined) throw new Error(`no scenario has the actor ${workflowId}`);
    return actor;
  };
  const rest = routed(() => own().flink.rest);
  const activities = withFailures({
    ...createFlinkActivities({
      ...{ database, rest, gateway: routed(() => own().flink.gateway), pollMs: 10, watchMs: 20 },
      jobs: new Proxy({}, { get: (_, name) => actors.get(jobActorId(String(name)))?.definition }),
      parameters: () => parameters,
      readProgress: async () => ({ read: 1, end: 1 }),
      tables: () => [],
    }),
    ...createSavepointActivities({
      ...{ database, rest, pollMs: 10 },
      checkpointDirectory: fakeSnapshots(directory).checkpoints,
    }),
  });
  const notify = async (alert: Alert): Promise<void> => {
    const actor = own();
    if (actor.refuseNotices > 0) {
      actor.refuseNotices -= 1;
      throw new Error('the webhook is away');
    }
    actor.notices.push(alert);
  };
  const shared = { connection, namespace, maxConcurrentActivityTaskExecutions: 500 } as const;
  const workers = await Promise.all([
    Worker.create({ ...shared, taskQueue: taskQueues.control, workflowBundle, activities: { notify } }),
    Worker.create({ ...shared, taskQueue: taskQueues.flink, activities }),
  ]);
  const runs = workers.map((worker) => worker.run());
  return {
    workflowBundle,
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await connection.close();
    },
  };
}

/** An object whose every member is that of the one that is meant at the moment of the call. */
const routed = <T extends object>(meant: () => T): T =>
  new Proxy({} as T, { get: (_, member) => Reflect.get(meant(), member) });

interface ActorOptions {
  readonly client: Client;
  readonly sql: pg.Pool;
  readonly directory: string;
  readonly policy?: Partial<JobPolicy>;
  readonly times?: Partial<FakeTimes>;
}

function createActor(name: string, { client, sql, directory, policy, times }: ActorOptions): FakeActor {
  const actor = jobActor(client, name);
  const rows = async <Row extends object>(text: string): Promise<readonly Row[]> =>
    (await sql.query<Row>(text, [name])).rows;
  const row = async () => (await rows<JobRow>('select * from flink_jobs where name = $1'))[0];
  return {
    ...{ name, actor, notices: [], refuseNotices: 0, row },
    flink: fakeFlink({ directory, awayMs: AWAY_MS, ...(times === undefined ? {} : { times }) }),
    definition: jobDefinitionSchema.parse({
      ...{ name, files: ['jobs/weather-stream.sql'], parallelism: 1, settings: {} },
      policy: { ...POLICY, ...policy },
    }),
    command: (command, input) =>
      actor.command(command, { commandId: randomUUID(), ...input } as JobCommandInput<typeof command>),
    events: () => rows<EventRow>('select * from flink_job_events where job_name = $1 order by sequence'),
    savepoints: () =>
      rows<SavepointRow>('select * from savepoints where job_name = $1 order by created_at, trigger_id'),
    async until(what, holds, withinMs = 90_000) {
      const found = await eventually(`${name}: ${what}`, row, (seen) => seen !== undefined && holds(seen), {
        withinMs,
        everyMs: 250,
      });
      return found as JobRow;
    },
    terminate: async () =>
      void (await client.workflow.getHandle(jobActorId(name)).terminate('ended by hand')),
  };
}
