/** Activities of a Flink job's actor: its versions, its submissions and its record. Each is safe to repeat; watching is in `flink-watch.ts`. */
import { readRecordOfJob } from '../clients/job-record.ts';
import {
  definedVersion,
  differOnlyInParallelism,
  type JobVersion,
  nameOfVersion,
  readVersion,
  recordVersion,
  withParallelism,
} from '../clients/job-versions.ts';
import type { Database } from '../clients/postgres.ts';
import { HourglassError } from '../domain/errors.ts';
import { renderFlinkSql } from '../domain/flink-sql.ts';
import type { JobEventRecord, JobPolicy, JobRecord, Upgrades } from '../schemas/job.ts';
import type { JobDefinition } from '../schemas/pipeline.ts';
import { cancelAndWait, submitOnce } from './flink-submission.ts';
import { createFlinkWatch, type FlinkWatchDeps } from './flink-watch.ts';

export interface FlinkDeps extends FlinkWatchDeps {
  readonly database: Database;
  readonly jobs: Readonly<Record<string, JobDefinition>>;
  /** The values of `${…}` in a job's SQL: addresses, topics. No secret is among them. */
  readonly parameters: (job: string) => Readonly<Record<string, string>>;
}

export interface JobTarget {
  readonly name: string;
  readonly version: string;
  readonly attempt: number;
  readonly jobId: string;
  readonly restorePath: string;
}

type RejectedVersion = Pick<NonNullable<Upgrades['rejected']>, 'version' | 'instead'>;

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
    super(
      'UNKNOWN_VERSION',
      `Version ${version} of ${job} is not on record; without a version the definition's present one is deployed.`,
    );
  }
}

export function createFlinkActivities(deps: FlinkDeps) {
  const { database, jobs, parameters } = deps;

  const definitionOf = (name: string): JobDefinition => {
    const definition = jobs[name];
    if (definition === undefined) throw new UnknownJobError(name, Object.keys(jobs));
    return definition;
  };

  /** A rescale that was gone back from says nothing of the statements. */
  const isOf = async (name: string, version: JobVersion, rejected: RejectedVersion | undefined) => {
    if (rejected === undefined) return false;
    if (rejected.version === nameOfVersion(version)) return true;
    const left = await readVersion(database, name, rejected.version);
    if (left === undefined || !differOnlyInParallelism(version, left)) return false;
    const instead = await readVersion(database, name, rejected.instead);
    return instead === undefined || !differOnlyInParallelism(instead, left);
  };

  return {
    ...createFlinkWatch(deps),

    /**
     * The version that is to run, put on record, and how it is to be guarded: one that is on record already, or the one that
     * the definition stands for now.
     * @param parallelism instead of the version's own; 0 for none
     * @param rejected what was rolled back last: `isRejected` tells whether this is the same, be it with another parallelism
     * @throws UnknownVersionError
     */
    async describeVersion({
      name,
      version: named,
      parallelism = 0,
      rejected,
    }: {
      name: string;
      version?: string | undefined;
      parallelism?: number;
      rejected?: RejectedVersion | undefined;
    }): Promise<{ version: string; policy: JobPolicy; isRejected?: boolean }> {
      const definition = definitionOf(name);
      const { policy } = definition;
      const own = named === undefined ? definedVersion(definition) : await readVersion(database, name, named);
      if (own === undefined) throw new UnknownVersionError(name, named ?? '');
      const described = parallelism === 0 ? own : withParallelism(own, parallelism);
      const version = await recordVersion(database, name, described);
      return { version, policy, isRejected: await isOf(name, described, rejected) };
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
      const recorded = await readVersion(database, name, version);
      if (recorded === undefined) throw new UnknownVersionError(name, version);
      const { settings } = recorded;
      const statements = recorded.statements.map((statement) => renderFlinkSql(statement, parameters(name)));
      await submitOnce(deps, { name, jobId, statements, settings, restorePath });
    },

    /** Ends the job in Flink without a savepoint; its checkpoints stay. */
    async cancelJob({ jobId }: { jobId: string }): Promise<void> {
      await cancelAndWait(deps, jobId);
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
          JSON.stringify(state.upgrades),
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
