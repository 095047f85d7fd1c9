/** Activities of a Flink job's actor: its versions, its submissions, and watching it. Each is safe to repeat. */
import { setTimeout as delay } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { FlinkRequestError, FlinkUnreachableError, innermostCause } from '../clients/flink-errors.ts';
import type { FlinkException } from '../clients/flink-rest.ts';
import { readRecordOfJob } from '../clients/job-record.ts';
import type { Database } from '../clients/postgres.ts';
import { readFlinkSql } from '../clients/sql-files.ts';
import { HourglassError } from '../domain/errors.ts';
import { renderFlinkSql } from '../domain/flink-sql.ts';
import {
  hasEnded,
  isNews,
  type JobSample,
  type Judgement,
  judge,
  type ReadProgress,
  stalledSince,
} from '../domain/job-health.ts';
import type { JobEventRecord, JobPhase, JobPolicy, JobRecord } from '../schemas/job.ts';
import type { JobDefinition } from '../schemas/pipeline.ts';
import { cancelAndWait, contentHash, type FlinkDoors, rootCause, submitOnce } from './flink-submission.ts';
import { withPulse } from './pulse.ts';

export interface FlinkDeps extends FlinkDoors {
  /** How long to wait between two looks at a job that is watched. */
  readonly watchMs: number;
  readonly database: Database;
  readonly jobs: Readonly<Record<string, JobDefinition>>;
  /** The values of `${…}` in a job's SQL: addresses, topics. No secret is among them. */
  readonly parameters: (job: string) => Readonly<Record<string, string>>;
  /** How far a job has read, summed over what it reads; undefined when that cannot be told now. */
  readonly readProgress: (job: string) => Promise<Omit<ReadProgress, 'atMs'> | undefined>;
}

export interface JobTarget {
  readonly name: string;
  readonly version: string;
  readonly attempt: number;
  readonly jobId: string;
  readonly restorePath: string;
}

/** Thrown when a later submission of the job is on record: whoever asks knows less than the record. */
class StaleAttemptError extends HourglassError {
  constructor(job: string, attempt: number) {
    super('STALE_ATTEMPT', `Submission ${attempt} of ${job} is not the newest on record.`);
  }
}

/** Thrown for a job that no pipeline of this build defines. */
class UnknownJobError extends HourglassError {
  constructor(job: string, known: readonly string[]) {
    super('UNKNOWN_JOB', `There is no Flink job "${job}"; there are: ${known.join(', ')}.`);
  }
}

/** Thrown for a version that is not on record. */
class UnknownVersionError extends HourglassError {
  constructor(job: string, version: string) {
    super('UNKNOWN_VERSION', `Version ${version} of ${job} is not on record; deploy the job again.`);
  }
}

/** How far a job has read changes with its checkpoints: asking more often tells nothing. */
const PROGRESS_EVERY_MS = 10_000;

export function createFlinkActivities(deps: FlinkDeps) {
  const { database, rest, jobs, parameters, readProgress, watchMs } = deps;

  const definitionOf = (name: string): JobDefinition => {
    const definition = jobs[name];
    if (definition === undefined) throw new UnknownJobError(name, Object.keys(jobs));
    return definition;
  };

  /** Of a job that has ended without an exception its result is asked. */
  const failureOf = async (jobId: string, state: string, newest: FlinkException | undefined) => {
    if (newest !== undefined) return innermostCause(newest.trace);
    return hasEnded(state) ? rootCause(rest, jobId) : '';
  };

  const look = async (jobId: string): Promise<JobSample | undefined> => {
    const signal = cancellationSignal();
    const job = await rest.job(jobId, signal);
    if (job === undefined) return undefined;
    const checkpoints = await rest.checkpoints(jobId, signal);
    const exceptions = await rest.exceptions(jobId, signal);
    return {
      nowMs: job.now,
      state: job.state,
      isWhole: job.vertices.every(({ status }) => status === 'RUNNING' || status === 'FINISHED'),
      startedAtMs: job['start-time'],
      runningSinceMs: job.timestamps['RUNNING'] ?? 0,
      checkpointAtMs: checkpoints.latestAtMs ?? 0,
      failuresAtMs: exceptions.map(({ atMs }) => atMs),
      failure: await failureOf(jobId, job.state, exceptions[0]),
      checkpointFailure: checkpoints.latestFailure ?? '',
    };
  };

  /** @returns undefined when there is nothing to say @throws FlinkUnreachableError */
  const judgeOnce = async (
    jobId: string,
    stalled: ReadProgress | undefined,
    policy: JobPolicy,
  ): Promise<{ nowMs: number; judgement: Judgement | undefined }> => {
    const sample = await look(jobId).catch((error) => {
      // Between two questions a JobManager may forget a job: the next look tells.
      if (error instanceof FlinkRequestError && error.status === 404) return undefined;
      throw error;
    });
    if (sample === undefined)
      return {
        nowMs: 0,
        judgement: { verdict: 'lost', reason: 'the Flink cluster does not know the job any more' },
      };
    return { nowMs: sample.nowMs, judgement: judge(sample, stalled, policy) };
  };

  return {
    /** The version that the definition stands for now, put on record, and how it is to be guarded. */
    async describeVersion({ name }: { name: string }): Promise<{ version: string; policy: JobPolicy }> {
      const { files, settings, parallelism, policy } = definitionOf(name);
      const statements = files.map(readFlinkSql);
      const all = { ...settings, 'parallelism.default': String(parallelism) };
      const version = contentHash([statements, all]);
      await database.query('record-job-version', [
        name,
        version,
        JSON.stringify(statements),
        JSON.stringify(all),
      ]);
      return { version, policy };
    },

    /**
     * What is recorded of a job, for an actor that begins anew: it goes on from there, never from nothing. How the job is
     * guarded is in no record, but in its definition.
     */
    async readJobRecord({
      name,
    }: {
      name: string;
    }): Promise<(JobRecord & { policy: JobPolicy }) | undefined> {
      const { policy } = definitionOf(name);
      const record = await readRecordOfJob(database, name);
      return record === undefined ? undefined : { ...record, policy };
    },

    /** The next submission goes on record before anything is asked of Flink. */
    async recordJobTarget({ name, version, attempt, jobId, restorePath }: JobTarget): Promise<void> {
      const recorded = await database.query('record-job-target', [
        name,
        version,
        attempt,
        jobId,
        restorePath,
      ]);
      if (recorded.length === 0) throw new StaleAttemptError(name, attempt);
    },

    /** Submits the target unless Flink has it already; whether it runs is for the watch to tell. */
    async submitJob({ name, version, jobId, restorePath }: JobTarget): Promise<void> {
      const [recorded] = await database.query<{ statements: string[]; settings: Record<string, string> }>(
        'job-version',
        [name, version],
      );
      if (recorded === undefined) throw new UnknownVersionError(name, version);
      const statements = recorded.statements.map((statement) => renderFlinkSql(statement, parameters(name)));
      await submitOnce(deps, { name, jobId, statements, settings: recorded.settings, restorePath });
    },

    /** Ends the job in Flink without a savepoint; its checkpoints stay. */
    async cancelJob({ jobId }: { jobId: string }): Promise<void> {
      await cancelAndWait(deps, jobId);
    },

    /**
     * Only looks. Returns what is news to an actor that believes the job to be in `phase`, or undefined when `untilMs` has
     * passed without any. A JobManager that does not answer says nothing about the job.
     */
    async watchJob(input: {
      name: string;
      jobId: string;
      phase: JobPhase;
      policy: JobPolicy;
      untilMs: number;
    }): Promise<Judgement | undefined> {
      const { name, jobId, phase, policy, untilMs } = input;
      const deadline = Date.now() + untilMs;
      const progress = progressTracker(() => readProgress(name));
      let answeredAt = Date.now();
      let nowMs = 0;
      while (Date.now() < deadline) {
        heartbeat();
        try {
          const seen = await withPulse(async () => judgeOnce(jobId, await progress(nowMs), policy));
          ({ nowMs } = seen);
          answeredAt = Date.now();
          if (seen.judgement !== undefined && isNews(seen.judgement, phase)) return seen.judgement;
        } catch (error) {
          if (!isUnanswered(error)) throw error;
          const silentMs = Date.now() - answeredAt;
          const judgement: Judgement = { verdict: 'unstable', reason: error.message };
          if (silentMs > policy.unreachableMs && isNews(judgement, phase)) return judgement;
        }
        await delay(watchMs, undefined, { signal: cancellationSignal() });
      }
      return undefined;
    },

    /** The actor's knowledge and what happened to the job since it was last recorded. */
    async recordJob({
      state,
      events,
    }: {
      state: JobRecord & { name: string };
      events: readonly JobEventRecord[];
    }) {
      await database.transaction(async (queries) => {
        await queries.query('record-job', [
          state.name,
          state.desired,
          state.isParked,
          state.phase,
          state.desiredVersion,
          state.version,
          state.attempt,
          state.jobId,
          state.restorePath,
          state.reason,
          state.sequence,
        ]);
        for (const event of events)
          await queries.query('record-job-event', [
            state.name,
            event.sequence,
            new Date(event.atMs),
            event.event,
            event.phase,
            event.version,
            event.attempt,
            event.jobId,
            event.reason,
          ]);
      });
    },
  };
}

export type FlinkActivities = ReturnType<typeof createFlinkActivities>;

/** A JobManager that answers with an error of its own tells as little of the job as one that does not answer. */
const isUnanswered = (error: unknown): error is Error =>
  error instanceof FlinkUnreachableError || (error instanceof FlinkRequestError && error.retryable);

/** Asks how far the job has read now and then; gives the progress since which it has stalled, if it has. */
function progressTracker(
  ask: () => Promise<Omit<ReadProgress, 'atMs'> | undefined>,
): (nowMs: number) => Promise<ReadProgress | undefined> {
  let since: ReadProgress | undefined;
  let isStalled = false;
  let askedAt = 0;
  return async (nowMs) => {
    if (nowMs === 0 || Date.now() - askedAt < PROGRESS_EVERY_MS) return isStalled ? since : undefined;
    askedAt = Date.now();
    const now = await ask();
    if (now !== undefined) ({ progress: since, isStalled } = stalledSince(since, { ...now, atMs: nowMs }));
    return isStalled ? since : undefined;
  };
}
