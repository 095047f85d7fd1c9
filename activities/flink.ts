/** Activities on Flink jobs. Each is safe to repeat: job ids and trigger ids are derived from what they stand for. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { FlinkStatementError, FlinkUnreachableError, innermostCause } from '../clients/flink-errors.ts';
import type { FlinkGatewayClient } from '../clients/flink-gateway.ts';
import type { FlinkJobState, FlinkRestClient } from '../clients/flink-rest.ts';
import type { Database } from '../clients/postgres.ts';
import { readFlinkSql } from '../clients/sql-files.ts';
import { HourglassError } from '../domain/errors.ts';
import { renderFlinkSql } from '../domain/flink-sql.ts';
import type { JobDefinition } from '../schemas/pipeline.ts';

export interface FlinkDeps {
  readonly database: Database;
  readonly rest: FlinkRestClient;
  readonly gateway: FlinkGatewayClient;
  readonly jobs: Readonly<Record<string, JobDefinition>>;
  /** The values of `${…}` in a job's SQL: addresses, topics. No secret is among them. */
  readonly parameters: (job: string) => Readonly<Record<string, string>>;
  /** Where the cluster keeps retained checkpoints, as a file: URL. */
  readonly checkpointDirectory: string;
}

export interface JobTarget {
  readonly name: string;
  readonly version: string;
  readonly attempt: number;
  readonly jobId: string;
  readonly restorePath: string;
}

/** Thrown when Flink gave up a job, or no longer knows it; the message has the root cause. */
export class FlinkJobLostError extends HourglassError {
  constructor(jobId: string, state: string, reason: string) {
    super('FLINK_JOB_LOST', `Flink job ${jobId} is ${state}: ${reason}`);
  }
}

/** Thrown when a later submission of the job is on record: whoever asks knows less than the record. */
class StaleAttemptError extends HourglassError {
  constructor(job: string, attempt: number) {
    super('STALE_ATTEMPT', `Submission ${attempt} of ${job} is not the newest on record.`);
  }
}

const WATCH_INTERVAL_MS = 2_000;
const ENDED: readonly FlinkJobState[] = ['FAILED', 'CANCELED', 'FINISHED'];

export function createFlinkActivities(deps: FlinkDeps) {
  const { database, rest, gateway, jobs, parameters, checkpointDirectory } = deps;

  /** What a version stands for: the SQL as written, and every setting that Flink is given for it. */
  const versionOf = (name: string): { statements: string[]; settings: Record<string, string> } => {
    const definition = jobs[name];
    if (definition === undefined)
      throw new Error(`there is no job "${name}"; there are: ${Object.keys(jobs).join(', ')}`);
    const { files, settings, parallelism } = definition;
    return {
      statements: files.map(readFlinkSql),
      settings: { ...settings, 'parallelism.default': String(parallelism) },
    };
  };

  const rootCause = async (jobId: string): Promise<string> => {
    const [newest] = await rest.exceptions(jobId);
    return newest === undefined ? 'it gave no reason' : innermostCause(newest);
  };

  /** Returns once the job runs. @throws FlinkJobLostError when it ends instead */
  const untilRunning = async (jobId: string): Promise<void> => {
    for (;;) {
      heartbeat();
      const job = await rest.job(jobId);
      if (job?.state === 'RUNNING' && job.vertices.every(({ status }) => status === 'RUNNING')) return;
      if (job !== undefined && ENDED.includes(job.state))
        throw new FlinkJobLostError(jobId, job.state, await rootCause(jobId));
      await delay(250, undefined, { signal: cancellationSignal() });
    }
  };

  /** Never two jobs for one name: an earlier attempt that runs on, or waits in Flink, ends first. Its checkpoints stay. */
  const cancelOthers = async (name: string, jobId: string): Promise<void> => {
    const active = async () =>
      (await rest.jobs()).filter(
        (job) => job.name === name && job.id !== jobId && !ENDED.includes(job.state),
      );
    for (const { id } of await active()) await rest.cancel(id);
    while ((await active()).length > 0) {
      heartbeat();
      await delay(250, undefined, { signal: cancellationSignal() });
    }
  };

  return {
    /** Decides version and job id of the next submission and records both, before anything is asked of Flink. */
    async recordJobTarget(input: { name: string; attempt: number; restorePath: string }): Promise<JobTarget> {
      const { statements, settings } = versionOf(input.name);
      const version = digest(JSON.stringify([statements, settings])).slice(0, 12);
      const jobId = digest(`${input.name}/${version}/${input.attempt}`).slice(0, 32);
      await database.transaction(async (queries) => {
        await queries.query('record-job-version', [
          input.name,
          version,
          JSON.stringify(statements),
          JSON.stringify(settings),
        ]);
        const recorded = await queries.query('record-job-target', [
          input.name,
          version,
          input.attempt,
          jobId,
          input.restorePath,
        ]);
        if (recorded.length === 0) throw new StaleAttemptError(input.name, input.attempt);
      });
      return { ...input, version, jobId };
    },

    /** What is recorded of a job, for an actor that begins anew: it goes on from there, never from nothing. */
    async readJobRecord({ name }: { name: string }): Promise<JobTarget | undefined> {
      const [row] = await database.query<{
        version: string;
        attempt: number;
        flink_job_id: string;
        restore_path: string | null;
      }>('job-record', [name]);
      if (row === undefined) return undefined;
      return {
        name,
        version: row.version,
        attempt: row.attempt,
        jobId: row.flink_job_id,
        restorePath: row.restore_path ?? '',
      };
    },

    /** Submits the target unless Flink has it already, and returns once it runs. */
    async submitJob({ name, jobId, restorePath }: JobTarget): Promise<void> {
      const { statements, settings } = versionOf(name);
      if ((await rest.job(jobId)) === undefined) {
        await cancelOthers(name, jobId);
        const rendered = statements.map((statement) => renderFlinkSql(statement, parameters(name)));
        const properties = {
          ...settings,
          'pipeline.name': name,
          '$internal.pipeline.job-id': jobId,
          ...(restorePath === ''
            ? {}
            : {
                'execution.state-recovery.path': restorePath,
                'execution.state-recovery.claim-mode': 'NO_CLAIM',
              }),
        };
        try {
          await gateway.execute(rendered, properties);
        } catch (error) {
          // The first try of a retried activity may have been accepted after all: then Flink knows the job, and it is this one.
          if (!(error instanceof FlinkStatementError) || (await rest.job(jobId)) === undefined) throw error;
        }
      }
      await untilRunning(jobId);
    },

    /** Only looks. Returns why the job is lost, or undefined when `untilMs` has passed and all is well. */
    async watchJob({ jobId, untilMs }: { jobId: string; untilMs: number }): Promise<string | undefined> {
      const deadline = Date.now() + untilMs;
      while (Date.now() < deadline) {
        heartbeat();
        try {
          const job = await rest.job(jobId, cancellationSignal());
          if (job === undefined) return 'the Flink cluster does not know the job any more';
          if (ENDED.includes(job.state)) return `the job is ${job.state}: ${await rootCause(jobId)}`;
        } catch (error) {
          // A JobManager that does not answer says nothing about the job.
          if (!(error instanceof FlinkUnreachableError)) throw error;
        }
        await delay(WATCH_INTERVAL_MS, undefined, { signal: cancellationSignal() });
      }
      return undefined;
    },

    /** Stops the job with a savepoint, without drain, and returns the savepoint's path. */
    async stopJobWithSavepoint(input: { name: string; version: string; jobId: string }): Promise<string> {
      const triggerId = digest(`${input.jobId}/stop`).slice(0, 32);
      await database.query('record-savepoint', [
        input.name,
        triggerId,
        input.jobId,
        input.version,
        'suspend',
      ]);
      await rest.stopWithSavepoint(input.jobId, triggerId);
      for (;;) {
        heartbeat();
        const progress = await rest.savepoint(input.jobId, triggerId);
        if (progress.status === 'completed') {
          await database.query('finish-savepoint', [input.name, triggerId, 'completed', progress.path, null]);
          return progress.path;
        }
        if (progress.status === 'failed') {
          const reason = innermostCause(progress.trace);
          await database.query('finish-savepoint', [input.name, triggerId, 'failed', null, reason]);
          throw new FlinkJobLostError(input.jobId, 'without its savepoint', reason);
        }
        await delay(250, undefined, { signal: cancellationSignal() });
      }
    },

    /** The newest retained checkpoint of a job, or '' when it never completed one. */
    async findCheckpoint({ jobId }: { jobId: string }): Promise<string> {
      const directory = join(fileURLToPath(checkpointDirectory), jobId);
      const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      const numbers = names.flatMap((name) => /^chk-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
      for (const number of numbers.sort((a, b) => b - a)) {
        // One without its metadata was never completed.
        const complete = await stat(join(directory, `chk-${number}`, '_metadata')).then(
          () => true,
          () => false,
        );
        if (complete) return `${checkpointDirectory}/${jobId}/chk-${number}`;
      }
      return '';
    },

    async recordJobState({
      name,
      phase,
      restorePath,
    }: {
      name: string;
      phase: string;
      restorePath: string;
    }): Promise<void> {
      await database.query('record-job-state', [name, phase, restorePath]);
    },
  };
}

export type FlinkActivities = ReturnType<typeof createFlinkActivities>;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
