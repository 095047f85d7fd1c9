/** The door to Flink's JobManager: what jobs there are, how they are, and stopping them with a savepoint. */
import { z } from 'zod';
import { errorText, FlinkRequestError, FlinkUnreachableError } from './flink-errors.ts';
import { requestJson } from './http-json.ts';

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
  vertices: z.array(z.object({ name: z.string(), status: z.string(), parallelism: z.number() })),
});
const jobsSchema = z.object({
  jobs: z.array(z.object({ jid: z.string(), name: z.string(), state: z.enum(FLINK_JOB_STATES) })),
});
const operationSchema = z.object({
  status: z.object({ id: z.enum(['IN_PROGRESS', 'COMPLETED']) }),
  operation: z
    .object({
      location: z.string().optional(),
      'failure-cause': z.object({ 'stack-trace': z.string() }).optional(),
    })
    .nullish(),
});
const exceptionsSchema = z.object({
  exceptionHistory: z.object({
    entries: z.array(z.object({ stacktrace: z.string(), timestamp: z.number() })),
  }),
});
const checkpointsSchema = z.object({
  counts: z.object({ completed: z.number(), failed: z.number() }),
  latest: z.object({ completed: z.object({ external_path: z.string().optional() }).nullish() }).nullish(),
});

export type FlinkJob = z.infer<typeof jobSchema>;

export type SavepointProgress =
  | { readonly status: 'in_progress' }
  | { readonly status: 'completed'; readonly path: string }
  | { readonly status: 'failed'; readonly trace: string };

export interface FlinkRestClient {
  overview(): Promise<{ taskManagers: number; slots: number; freeSlots: number }>;
  jobs(): Promise<readonly { id: string; name: string; state: FlinkJobState }[]>;
  /** @returns undefined when the JobManager answers that it knows no such job */
  job(jobId: string, signal?: AbortSignal): Promise<FlinkJob | undefined>;
  /** The newest exceptions first, each a Java stack trace. */
  exceptions(jobId: string): Promise<readonly string[]>;
  checkpoints(jobId: string): Promise<{ completed: number; failed: number; latestPath: string | undefined }>;
  /** Triggers a stop with savepoint, without drain; a repeated trigger id is the same operation. */
  stopWithSavepoint(jobId: string, triggerId: string): Promise<void>;
  savepoint(jobId: string, triggerId: string): Promise<SavepointProgress>;
  cancel(jobId: string): Promise<void>;
}

/**
 * Every method throws FlinkUnreachableError when nothing answers and FlinkRequestError when the answer is an error.
 * @param url for example http://127.0.0.1:8081
 */
export function createFlinkRestClient(url: string): FlinkRestClient {
  const ask = async (
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    what: string,
    body?: unknown,
    signal?: AbortSignal,
  ) => {
    const answer = await requestJson(
      method,
      `${url}${path}`,
      body,
      (reason, cause) => new FlinkUnreachableError('Flink JobManager', url, reason, cause),
      signal,
    );
    if (answer.status === 404) return undefined;
    if (answer.status >= 400) throw new FlinkRequestError(what, answer.status, errorText(answer.body));
    return answer.body;
  };
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
    async exceptions(jobId) {
      const what = `tell the exceptions of job ${jobId}`;
      const { exceptionHistory } = exceptionsSchema.parse(
        known(await ask('GET', `/jobs/${jobId}/exceptions`, what), what),
      );
      return exceptionHistory.entries.map(({ stacktrace }) => stacktrace);
    },
    async checkpoints(jobId) {
      const what = `tell the checkpoints of job ${jobId}`;
      const { counts, latest } = checkpointsSchema.parse(
        known(await ask('GET', `/jobs/${jobId}/checkpoints`, what), what),
      );
      return { ...counts, latestPath: latest?.completed?.external_path };
    },
    async stopWithSavepoint(jobId, triggerId) {
      const what = `stop job ${jobId} with a savepoint`;
      known(await ask('POST', `/jobs/${jobId}/stop`, what, { drain: false, triggerId }), what);
    },
    async savepoint(jobId, triggerId) {
      const what = `tell of savepoint ${triggerId} of job ${jobId}`;
      const { status, operation } = operationSchema.parse(
        known(await ask('GET', `/jobs/${jobId}/savepoints/${triggerId}`, what), what),
      );
      if (status.id === 'IN_PROGRESS') return { status: 'in_progress' };
      if (operation?.location !== undefined) return { status: 'completed', path: operation.location };
      return {
        status: 'failed',
        trace: operation?.['failure-cause']?.['stack-trace'] ?? 'Flink gave no reason',
      };
    },
    async cancel(jobId) {
      await ask('PATCH', `/jobs/${jobId}?mode=cancel`, `cancel job ${jobId}`);
    },
  };
}
