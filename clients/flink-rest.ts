/** The door to Flink's JobManager: what jobs there are, how they are, and stopping them with a savepoint. */
import { z } from 'zod';
import { FlinkRequestError } from './flink-errors.ts';
import { askJobManager } from './job-manager.ts';

export const FLINK_JOB_STATES = [
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'FAILING',
  'FAILED',
  'CANCELLING',
  'CANCELED',
  'FINISHED',
  'RESTARTING',
  'SUSPENDED',
  'RECONCILING',
] as const;
export type FlinkJobState = (typeof FLINK_JOB_STATES)[number];

const overviewSchema = z.object({
  taskmanagers: z.number(),
  'slots-total': z.number(),
  'slots-available': z.number(),
});
const jobSchema = z.object({
  jid: z.string(),
  name: z.string(),
  state: z.enum(FLINK_JOB_STATES),
  'start-time': z.number(),
  /** By state, when the job last entered it; 0 when it never has. */
  timestamps: z.record(z.string(), z.number()),
  /** The JobManager's clock. */
  now: z.number(),
  vertices: z.array(
    z.object({
      id: z.string().optional(),
      name: z.string(),
      status: z.string(),
      parallelism: z.number(),
      /** Counted since the part last started; what is chained into one part is not counted between. */
      metrics: z.object({ 'read-records': z.number(), 'write-records': z.number() }).optional(),
    }),
  ),
  plan: z
    .object({
      nodes: z
        .array(z.object({ id: z.string(), inputs: z.array(z.object({ id: z.string() })).default([]) }))
        .default([]),
    })
    .optional(),
});
const jobsSchema = z.object({
  jobs: z.array(z.object({ jid: z.string(), name: z.string(), state: z.enum(FLINK_JOB_STATES) })),
});
const failureCauseSchema = z.object({ 'stack-trace': z.string() });
const operationSchema = z.object({
  status: z.object({ id: z.enum(['IN_PROGRESS', 'COMPLETED']) }),
  operation: z
    .object({ location: z.string().optional(), 'failure-cause': failureCauseSchema.optional() })
    .nullish(),
});
const executionResultSchema = z.object({
  'job-execution-result': z.object({ 'failure-cause': failureCauseSchema.nullish() }).nullish(),
});
const exceptionsSchema = z.object({
  exceptionHistory: z.object({
    entries: z.array(z.object({ stacktrace: z.string(), timestamp: z.number() })),
  }),
});
const checkpointsSchema = z.object({
  counts: z.object({ completed: z.number(), failed: z.number() }),
  latest: z
    .object({
      completed: z
        .object({ external_path: z.string().optional(), latest_ack_timestamp: z.number() })
        .nullish(),
      failed: z.object({ failure_message: z.string().nullish() }).nullish(),
    })
    .nullish(),
});

const metricNamesSchema = z.array(z.object({ id: z.string() }));
const metricSumsSchema = z.array(z.object({ id: z.string(), sum: z.number() }));

export type FlinkJob = z.infer<typeof jobSchema>;

export type SavepointProgress =
  | { readonly status: 'in_progress' }
  | { readonly status: 'completed'; readonly path: string }
  | { readonly status: 'failed'; readonly trace: string }
  /** The JobManager knows of no such savepoint: it was never triggered, or it restarted since. */
  | { readonly status: 'unknown' };

export interface FlinkException {
  readonly atMs: number;
  /** A Java stack trace. */
  readonly trace: string;
}

export interface CheckpointsSummary {
  readonly completed: number;
  readonly failed: number;
  readonly latestPath: string | undefined;
  /** When the newest one was completed, by the JobManager's clock. */
  readonly latestAtMs: number | undefined;
  readonly latestFailure: string | undefined;
}

export interface FlinkRestClient {
  overview(): Promise<{ taskManagers: number; slots: number; freeSlots: number }>;
  jobs(): Promise<readonly { id: string; name: string; state: FlinkJobState }[]>;
  /** @returns undefined when the JobManager answers that it knows no such job */
  job(jobId: string, signal?: AbortSignal): Promise<FlinkJob | undefined>;
  /** The newest first; Flink remembers some. */
  exceptions(jobId: string, signal?: AbortSignal): Promise<readonly FlinkException[]>;
  /** Why the job failed as a whole, a Java stack trace: after a failed restore only this tells. */
  executionFailure(jobId: string): Promise<string | undefined>;
  checkpoints(jobId: string, signal?: AbortSignal): Promise<CheckpointsSummary>;
  /** Metrics of a part of a job, summed over its subtasks. What Flink does not know, or has not collected yet, is not in the answer. */
  metricSums(
    jobId: string,
    vertexId: string,
    metrics: readonly string[],
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, number>>>;
  /** Triggers a savepoint of a job that runs on; a repeated trigger id is the same operation. */
  triggerSavepoint(jobId: string, triggerId: string): Promise<void>;
  /** Triggers a stop with savepoint, without drain; a repeated trigger id is the same operation. */
  stopWithSavepoint(jobId: string, triggerId: string): Promise<void>;
  savepoint(jobId: string, triggerId: string): Promise<SavepointProgress>;
  /** Asks for a snapshot to be deleted. Flink gives that an id of its own: whether it is done is seen where the files were. */
  disposeSavepoint(path: string): Promise<void>;
  /** A job that has ended, or that Flink does not know, is cancelled already. */
  cancel(jobId: string): Promise<void>;
}

const HTTP_CONFLICT = 409;

/**
 * Every method throws FlinkUnreachableError when nothing answers and FlinkRequestError when the answer is an error.
 * @param url for example http://127.0.0.1:8081
 */
export function createFlinkRestClient(url: string): FlinkRestClient {
  const ask = askJobManager(url);
  const known = (body: unknown, what: string): unknown => {
    if (body === undefined) throw new FlinkRequestError(what, 404, 'it is not known');
    return body;
  };
  return {
    async overview() {
      const overview = overviewSchema.parse(
        known(await ask('GET', '/overview', 'describe itself'), 'describe itself'),
      );
      return {
        taskManagers: overview.taskmanagers,
        slots: overview['slots-total'],
        freeSlots: overview['slots-available'],
      };
    },
    async jobs() {
      const { jobs } = jobsSchema.parse(
        known(await ask('GET', '/jobs/overview', 'list its jobs'), 'list its jobs'),
      );
      return jobs.map(({ jid, name, state }) => ({ id: jid, name, state }));
    },
    async job(jobId, signal) {
      const body = await ask('GET', `/jobs/${jobId}`, `describe job ${jobId}`, undefined, signal);
      return body === undefined ? undefined : jobSchema.parse(body);
    },
    async exceptions(jobId, signal) {
      const what = `tell the exceptions of job ${jobId}`;
      const { exceptionHistory } = exceptionsSchema.parse(
        known(await ask('GET', `/jobs/${jobId}/exceptions`, what, undefined, signal), what),
      );
      return exceptionHistory.entries.map(({ stacktrace, timestamp }) => ({
        atMs: timestamp,
        trace: stacktrace,
      }));
    },
    async executionFailure(jobId) {
      const what = `tell the result of job ${jobId}`;
      const result = executionResultSchema.parse(
        known(await ask('GET', `/jobs/${jobId}/execution-result`, what), what),
      );
      return result['job-execution-result']?.['failure-cause']?.['stack-trace'];
    },
    async checkpoints(jobId, signal) {
      const what = `tell the checkpoints of job ${jobId}`;
      const { counts, latest } = checkpointsSchema.parse(
        known(await ask('GET', `/jobs/${jobId}/checkpoints`, what, undefined, signal), what),
      );
      return {
        ...counts,
        latestPath: latest?.completed?.external_path,
        latestAtMs: latest?.completed?.latest_ack_timestamp,
        latestFailure: latest?.failed?.failure_message ?? undefined,
      };
    },
    async metricSums(jobId, vertexId, metrics, signal) {
      const what = `tell the metrics of job ${jobId}`;
      const path = `/jobs/${jobId}/vertices/${vertexId}/subtasks/metrics`;
      const asked = async (query: string) =>
        (await ask('GET', `${path}${query}`, what, undefined, signal)) ?? [];
      const known = new Set(metricNamesSchema.parse(await asked('')).map(({ id }) => id));
      // Asked for one that it does not know, Flink tells nothing of the others either.
      const told = metrics.filter((metric) => known.has(metric)).map(encodeURIComponent);
      if (told.length === 0) return {};
      const sums = metricSumsSchema.parse(await asked(`?get=${told.join(',')}&agg=sum`));
      return Object.fromEntries(sums.map(({ id, sum }) => [id, sum]));
    },
    async triggerSavepoint(jobId, triggerId) {
      const what = `take a savepoint of job ${jobId}`;
      known(await ask('POST', `/jobs/${jobId}/savepoints`, what, { 'cancel-job': false, triggerId }), what);
    },
    async stopWithSavepoint(jobId, triggerId) {
      const what = `stop job ${jobId} with a savepoint`;
      known(await ask('POST', `/jobs/${jobId}/stop`, what, { drain: false, triggerId }), what);
    },
    async savepoint(jobId, triggerId) {
      const what = `tell of savepoint ${triggerId} of job ${jobId}`;
      const body = await ask('GET', `/jobs/${jobId}/savepoints/${triggerId}`, what);
      if (body === undefined) return { status: 'unknown' };
      const { status, operation } = operationSchema.parse(body);
      if (status.id === 'IN_PROGRESS') return { status: 'in_progress' };
      if (operation?.location !== undefined) return { status: 'completed', path: operation.location };
      return {
        status: 'failed',
        trace: operation?.['failure-cause']?.['stack-trace'] ?? 'Flink gave no reason',
      };
    },
    async disposeSavepoint(path) {
      const what = `dispose of the savepoint ${path}`;
      known(await ask('POST', '/savepoint-disposal', what, { 'savepoint-path': path }), what);
    },
    async cancel(jobId) {
      try {
        await ask('PATCH', `/jobs/${jobId}?mode=cancel`, `cancel job ${jobId}`);
      } catch (error) {
        // It ended by itself since somebody looked.
        if (!(error instanceof FlinkRequestError) || error.status !== HTTP_CONFLICT) throw error;
      }
    },
  };
}
