/** The real actor of an isolated pipeline's job, on the real Flink of the shared stack: its worker, its namespace and its record are its own. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { withFailures } from '../../activities/errors.ts';
import { createFlinkActivities } from '../../activities/flink.ts';
import { createSavepointActivities } from '../../activities/savepoints.ts';
import { jobActor } from '../../clients/job-actor.ts';
import { type JobVersion, PARALLELISM, recordVersion } from '../../clients/job-versions.ts';
import { readProgress } from '../../clients/read-progress.ts';
import { flinkCheckpointDirectory, temporalAddress } from '../../config/addresses.ts';
import { projectRoot } from '../../config/load.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { Alert } from '../../schemas/alert.ts';
import type { JobCommandInput, JobCommandName, JobPolicy, JobState } from '../../schemas/job.ts';
import { jobDefinitionSchema } from '../../schemas/pipeline.ts';
import { eventually } from './eventually.ts';
import { createNamespace } from './fake-actors.ts';
import type { IsolatedPipeline } from './isolated-pipeline.ts';
import { config } from './shared-stack.ts';

/** Its versions need not run for a minute before they are confirmed. */
const LEAST_MS = 1_000;

export type IsolatedActor = Awaited<ReturnType<typeof startIsolatedActor>>;

/** @param policy what differs from the pipeline's own, so that each wait passes within a test */
export async function startIsolatedActor(pipeline: IsolatedPipeline, policy: Partial<JobPolicy>) {
  const { id, database, rest, gateway, kafka, topics } = pipeline;
  const name = id.replaceAll('_', '-');
  const { 'pipeline.name': _, ...settings } = pipeline.settings as Record<string, string>;
  const definition = jobDefinitionSchema.parse({
    ...{ ...weather.job, name, settings, parallelism: 1 },
    policy: { upgradeLeastMs: LEAST_MS, ...policy },
  });
  // Versions that fail are what is tried here: the SDK would tell of each.
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
  });
  const client = await createNamespace(config, name);
  const notices: Alert[] = [];
  const flink = withFailures({
    ...createFlinkActivities({
      ...{ database, rest, gateway, pollMs: 100, watchMs: 500, jobs: { [name]: definition } },
      // What is put on record here has its addresses in it already.
      parameters: () => ({}),
      tables: () => [weather.tables.facts, weather.tables.windows],
      readProgress: () => readProgress(kafka, id, [topics.live.name, topics.repairs.name]),
    }),
    ...createSavepointActivities({
      ...{ database, rest, pollMs: 100 },
      checkpointDirectory: flinkCheckpointDirectory(config),
    }),
  });
  const notify = async (alert: Alert): Promise<void> => void notices.push(alert);
  const connection = await NativeConnection.connect({ address: temporalAddress(config) });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: join(projectRoot, 'workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  const shared = { connection, namespace: name } as const;
  const workers = await Promise.all([
    Worker.create({ ...shared, taskQueue: taskQueues.control, workflowBundle, activities: { notify } }),
    Worker.create({ ...shared, taskQueue: taskQueues.flink, activities: flink }),
  ]);
  const runs = workers.map((worker) => worker.run());
  const actor = jobActor(client, name);
  const state = async (): Promise<JobState> => {
    const found = await actor.status();
    if (found === undefined) throw new Error(`${name} has no actor`);
    return found;
  };

  return {
    name,
    notices,
    state,
    /** How the job is guarded from its next deploy on. */
    guard: (change: Partial<JobPolicy>): void => void Object.assign(definition.policy, change),
    /** Puts a version on record. @param change of the SQL as it is submitted. @returns its name */
    version: (change: (sql: string) => string = (sql) => sql, parallelism = 1): Promise<string> => {
      const statements = pipeline.statements.map(change);
      const version: JobVersion = {
        statements,
        settings: { ...settings, [PARALLELISM]: String(parallelism) },
      };
      return recordVersion(database, name, version);
    },
    command: <Name extends JobCommandName>(command: Name, input?: JobCommandInput<Name>): Promise<JobState> =>
      actor.command(command, { commandId: randomUUID(), ...input } as JobCommandInput<Name>),
    /** Holds when it is also on record, and whoever is to be told of it was told. */
    until: (what: string, holds: (found: JobState) => boolean, withinMs = 120_000): Promise<JobState> =>
      eventually(`${name}: ${what}`, state, (found) => holds(found) && found.unrecorded.length === 0, {
        withinMs,
      }),
    events: () =>
      pipeline.rows<{ event: string; version: string; reason: string | null }>(
        'select event, version, reason from flink_job_events order by sequence',
      ),
    async close(): Promise<void> {
      await actor.command('stop', { commandId: randomUUID() });
      await eventually(
        `${name} is stopped`,
        () => actor.hasEnded(),
        (hasEnded) => hasEnded,
      );
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await connection.close();
      await client.connection.close();
    },
  };
}
