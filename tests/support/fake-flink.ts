/** A Flink in memory, jobs by id, with switches for what may go wrong; and the activities of the weather job on it. */
import { pathToFileURL } from 'node:url';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createFlinkActivities, type JobTarget } from '../../activities/flink.ts';
import { FlinkRequestError, FlinkStatementError } from '../../clients/flink-errors.ts';
import type { FlinkGatewayClient, StatementResult } from '../../clients/flink-gateway.ts';
import type {
  FlinkJob,
  FlinkJobState,
  FlinkRestClient,
  SavepointProgress,
} from '../../clients/flink-rest.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { type FakeDatabase, fakeDatabase } from './fake-database.ts';

interface FakeJob {
  name: string;
  state: FlinkJobState;
  exceptions?: readonly string[];
  /** The states of its parts; that of the job unless told. */
  parts?: readonly string[];
}

interface Submission {
  readonly statements: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

interface FakeFlink {
  readonly jobs: Map<string, FakeJob>;
  readonly submissions: Submission[];
  /** Each call that changes something, in order. */
  readonly done: string[];
  /** How each savepoint goes on, by its trigger id; the last one stays. */
  savepoints: SavepointProgress[];
  readonly rest: FlinkRestClient;
  readonly gateway: FlinkGatewayClient;
  /** Replaces what the gateway does with a submission; it accepts the job unless told. */
  onSubmit: (submission: Submission, accept: () => void) => void;
  /** Is called before a job is described; throws what a JobManager that is away would. */
  onDescribe: () => void;
}

function fakeFlink(): FakeFlink {
  const jobs = new Map<string, FakeJob>();
  const done: string[] = [];
  const submissions: Submission[] = [];
  const flink: FakeFlink = {
    ...{ jobs, done, submissions, savepoints: [] },
    onSubmit: (_, accept) => accept(),
    onDescribe: () => undefined,
    rest: {
      overview: async () => ({ taskManagers: 1, slots: 4, freeSlots: 4 }),
      jobs: async () => [...jobs].map(([id, { name, state }]) => ({ id, name, state })),
      async job(id): Promise<FlinkJob | undefined> {
        flink.onDescribe();
        const job = jobs.get(id);
        if (job === undefined) return undefined;
        const { name, state, parts = [state] } = job;
        const vertices = parts.map((status) => ({ name: 'part', status, parallelism: 1 }));
        return { jid: id, name, state, 'start-time': 0, vertices };
      },
      exceptions: async (id) => jobs.get(id)?.exceptions ?? [],
      checkpoints: async () => ({ completed: 0, failed: 0, latestPath: undefined }),
      async stopWithSavepoint(id, triggerId) {
        done.push(`stop ${id} ${triggerId}`);
        if (!jobs.has(id)) throw new FlinkRequestError(`stop job ${id}`, 404, 'it is not known');
      },
      async savepoint() {
        const next = flink.savepoints.length > 1 ? flink.savepoints.shift() : flink.savepoints[0];
        return next ?? { status: 'in_progress' };
      },
      async cancel(id) {
        done.push(`cancel ${id}`);
        const job = jobs.get(id);
        if (job !== undefined) job.state = 'CANCELED';
      },
    },
    gateway: {
      async execute(statements, properties): Promise<StatementResult> {
        const submission = { statements, properties };
        submissions.push(submission);
        const jobId = properties['$internal.pipeline.job-id'] ?? '';
        done.push(`submit ${jobId}`);
        flink.onSubmit(submission, () => {
          if (jobs.has(jobId))
            throw new FlinkStatementError('EXECUTE', 'a.DuplicateJobSubmissionException: twice');
          jobs.set(jobId, { name: properties['pipeline.name'] ?? '', state: 'RUNNING' });
        });
        return { jobId, rows: [] };
      },
    },
  };
  return flink;
}

const { job } = weather;

export const parameters = {
  ...{ topics: 't', kafka_brokers: 'k:1', consumer_group: 'g', jdbc_url: 'jdbc:postgresql://h/d' },
};

export const target: JobTarget = {
  ...{ name: job.name, version: '0123456789ab', attempt: 1, restorePath: '' },
  jobId: '0123456789abcdef0123456789abcdef',
};

/** @param checkpoints a directory; only what looks for checkpoints needs one */
export function flinkActivities({
  database = fakeDatabase({ 'record-job-target': [{ name: job.name }] }),
  checkpoints = '/nowhere',
}: {
  readonly database?: FakeDatabase;
  readonly checkpoints?: string;
} = {}) {
  const flink = fakeFlink();
  const activities = createFlinkActivities({
    ...{ database, rest: flink.rest, gateway: flink.gateway, jobs: { [job.name]: job } },
    parameters: () => parameters,
    checkpointDirectory: pathToFileURL(checkpoints).href,
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  return { activities, flink, database, environment, checkpoints };
}
