/**
 * Activities of a candidate, a version of a Flink job that is tried before it runs: what it is and needs, its tables, its job in Flink, and
 * its end. Each is safe to repeat. Names and what can be tried are decided in `domain/candidates.ts`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { replayOf } from '../clients/candidate-costs.ts';
import { FlinkStatementError, FlinkUnreachableError, innermostCause } from '../clients/flink-errors.ts';
import { definedVersion, type JobVersion, PARALLELISM, readVersion } from '../clients/job-versions.ts';
import type { KafkaClient } from '../clients/kafka.ts';
import type { Database } from '../clients/postgres.ts';
import { columnsOfTables, dropShadowTables, makeShadowTables } from '../clients/shadow-tables.ts';
import {
  type CandidateNames,
  type CandidateSink,
  candidateNames,
  candidateSinks,
  columnMistakes,
  NotShadowableError,
  streamOf,
} from '../domain/candidates.ts';
import type { CandidateSight } from '../domain/dry-run.ts';
import { HourglassError } from '../domain/errors.ts';
import { renderFlinkSql } from '../domain/flink-sql.ts';
import { hasEnded } from '../domain/job-health.ts';
import type { ReplayEstimate } from '../domain/replay-estimate.ts';
import type { CandidatePurpose } from '../schemas/candidate.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { cancelAndWait, type FlinkDoors, submitOnce } from './flink-submission.ts';
import { allWithPulse } from './pulse.ts';

export interface CandidateDeps extends FlinkDoors {
  readonly database: Database;
  readonly kafka: KafkaClient;
  readonly watchMs: number;
  /** By the names of their jobs. */
  readonly streams: Readonly<Record<string, PipelineDefinition>>;
  /** The role that Flink writes with. */
  readonly writer: string;
  /** The values of `${…}` for a job's SQL that writes into another schema and commits for another group. */
  readonly parameters: (
    job: string,
    own: { readonly schema: string; readonly consumerGroup: string },
  ) => Readonly<Record<string, string>>;
}

export interface CandidateQuestion {
  readonly job: string;
  readonly version: string;
  readonly purpose: CandidatePurpose;
  /** Tells two tries of one version apart. */
  readonly run: string;
}

/** What a candidate is, as its workflow needs to know it. */
export interface Candidate extends CandidateNames {
  readonly job: string;
  readonly version: string;
  readonly purpose: CandidatePurpose;
  readonly tables: readonly string[];
  /** The group of the job itself. */
  readonly jobGroup: string;
  readonly replay: ReplayEstimate;
  /** Whether the SQL of this worker's build is that of the version: only then its batch jobs make the same rows. */
  readonly isOfThisBuild: boolean;
  readonly recomputeJob: string;
  /** Why Flink refuses its SQL before anything runs; empty when it does not. */
  readonly refusal: string;
}

/** Thrown for a version that is not on record. */
class UnknownVersionError extends HourglassError {
  constructor(job: string, version: string) {
    super('UNKNOWN_VERSION', `Version ${version} of ${job} is not on record.`);
  }
}

/** Thrown when the candidate would wait for slots, and the job with it if it restarts meanwhile. */
class NoFreeSlotsError extends HourglassError {
  constructor(needed: number, free: number) {
    super(
      'NO_FREE_SLOTS',
      `A candidate of this version needs ${needed} free slots in Flink, and there are ${free}. Wait for the batch jobs to end, or start another TaskManager.`,
    );
  }
}

/** The cluster restarts a job without end; a writer that fails takes its TaskManager, and the jobs on it, along each time. */
const RESTARTS: Readonly<Record<CandidatePurpose, Readonly<Record<string, string>>>> = {
  // The first failure is the answer.
  dry_run: { 'restart-strategy.type': 'none' },
  // It may read for hours, and somebody else's failure ends the TaskManager too.
  shadow: {
    'restart-strategy.type': 'fixed-delay',
    'restart-strategy.fixed-delay.attempts': '3',
    'restart-strategy.fixed-delay.delay': '10 s',
  },
};
/** Nobody starts from a candidate's checkpoints. */
const FORGOTTEN = {
  'execution.checkpointing.externalized-checkpoint-retention': 'DELETE_ON_CANCELLATION',
} as const;

export function createCandidateActivities(deps: CandidateDeps) {
  const { database, kafka, rest, gateway, streams, watchMs, writer } = deps;

  const versionOf = async (job: string, name: string): Promise<JobVersion> => {
    const version = await readVersion(database, job, name);
    if (version === undefined) throw new UnknownVersionError(job, name);
    return version;
  };
  const rendered = (
    { job, schema, consumerGroup }: Pick<Candidate, 'job' | 'schema' | 'consumerGroup'>,
    statements: readonly string[],
  ): readonly string[] => {
    const values = deps.parameters(job, { schema, consumerGroup });
    return statements.map((statement) => renderFlinkSql(statement, values));
  };

  /** @throws NotShadowableError, FlinkStatementError */
  const requireColumns = async (
    sinks: readonly CandidateSink[],
    creating: readonly string[],
    settings: JobVersion['settings'],
  ): Promise<void> => {
    const tables = await columnsOfTables(
      database,
      sinks.map(({ table }) => table),
    );
    const mistakes: string[] = [];
    for (const sink of sinks) {
      const { rows } = await gateway.execute([...creating, `DESCRIBE \`${sink.name}\``], settings);
      const written = rows.map(([column]) => String(column));
      mistakes.push(...columnMistakes(sink, written, tables.get(sink.table)));
    }
    if (mistakes.length > 0) throw new NotShadowableError(mistakes);
  };
  const requireSlots = async ({ settings }: JobVersion): Promise<void> => {
    const needed = Number(settings[PARALLELISM] ?? 1);
    const { freeSlots } = await rest.overview();
    if (freeSlots < needed) throw new NoFreeSlotsError(needed, freeSlots);
  };

  /** Whatever runs under the candidate's name: a submission whose answer was lost is found by it. */
  const cancelByName = async (name: string): Promise<void> => {
    for (const job of await rest.jobs())
      if (job.name === name && !hasEnded(job.state)) await cancelAndWait(deps, job.id);
  };

  const failedSight = async (jobId: string, state: string): Promise<CandidateSight> => {
    const [newest] = await rest.exceptions(jobId);
    const trace = newest?.trace ?? (await rest.executionFailure(jobId)) ?? '';
    const reason = trace === '' ? `the job is ${state}, and Flink gave no reason` : innermostCause(trace);
    // The innermost cause stands at a trace's end, and is what tells most.
    return { end: 'failed', reason, trace: `${reason}\n${trace}`.slice(0, MOST_CHARACTERS) };
  };
  /** @returns undefined while nothing can be said */
  const look = async (jobId: string): Promise<CandidateSight | undefined> => {
    const job = await rest.job(jobId, cancellationSignal());
    if (job === undefined)
      return { end: 'failed', reason: 'the Flink cluster does not know it any more', trace: '' };
    if (hasEnded(job.state)) return failedSight(jobId, job.state);
    const { latestAtMs } = await rest.checkpoints(jobId, cancellationSignal());
    const isWhole = job.vertices.every(({ status }) => status === 'RUNNING');
    if (latestAtMs === undefined || job.state !== 'RUNNING' || !isWhole) return undefined;
    return { end: 'checkpoint', seconds: Math.max(1, Math.round((latestAtMs - job['start-time']) / 1_000)) };
  };

  return allWithPulse({
    /** Judges a version before anything of it is made. @throws UnknownVersionError, NotShadowableError, NoFreeSlotsError */
    async describeCandidate({ job, version, purpose, run }: CandidateQuestion): Promise<Candidate> {
      const pipeline = streamOf(streams, job);
      const { consumerGroup: group, topics, backfill } = pipeline;
      const content = await versionOf(job, version);
      const sinks = candidateSinks(content.statements);
      const names = candidateNames(purpose, { job, version, group, run });
      await requireSlots(content);
      const creating = rendered({ job, ...names }, content.statements).slice(0, -1);
      const refusal = await requireColumns(sinks, creating, content.settings).then(
        () => '',
        (error) => {
          if (error instanceof FlinkStatementError) return error.message;
          throw error;
        },
      );
      const own = definedVersion(pipeline.job).statements;
      return {
        ...{ job, version, purpose, ...names, refusal, jobGroup: group },
        tables: sinks.map(({ table }) => table),
        replay: await replayOf(kafka, [topics.live.name, topics.repairs.name]),
        isOfThisBuild: JSON.stringify(own) === JSON.stringify(content.statements),
        recomputeJob: backfill.recomputeJob,
      };
    },

    /** Makes its tables, empty. What an earlier try has left under its names ends first: it must not lose its tables while it writes. */
    async prepareCandidate({ flinkName, schema, tables }: Candidate): Promise<void> {
      await cancelByName(flinkName);
      await makeShadowTables(database, { schema, tables, writer });
    },

    /** Submits it unless Flink has it already. @returns what Flink, or the gateway, says no with; undefined when it has the job */
    async submitCandidate(input: {
      candidate: Candidate;
      jobId: string;
      restorePath: string;
    }): Promise<Extract<CandidateSight, { trace: string }> | undefined> {
      const { candidate, jobId, restorePath } = input;
      const { statements, settings } = await versionOf(candidate.job, candidate.version);
      try {
        await submitOnce(deps, {
          ...{ name: candidate.flinkName, jobId, restorePath },
          statements: rendered(candidate, statements),
          settings: { ...settings, ...RESTARTS[candidate.purpose], ...FORGOTTEN },
        });
        return undefined;
      } catch (error) {
        if (!(error instanceof FlinkStatementError)) throw error;
        return { end: 'refused', reason: error.message, trace: error.message };
      }
    },

    /** Only looks, until a checkpoint is completed, the job has failed, or the time is over. */
    async watchCandidate({ jobId, untilMs }: { jobId: string; untilMs: number }): Promise<CandidateSight> {
      const deadline = Date.now() + untilMs;
      for (;;) {
        heartbeat();
        const sight = await look(jobId).catch((error) => {
          if (!(error instanceof FlinkUnreachableError)) throw error;
          return undefined;
        });
        if (sight !== undefined) return sight;
        if (Date.now() >= deadline)
          return { end: 'untold', reason: `it completed no checkpoint within ${untilMs / 1_000} s` };
        await delay(watchMs, undefined, { signal: cancellationSignal() });
      }
    },

    /** Ends it, then drops its tables and forgets what its group has committed. */
    async endCandidate({ flinkName, schema, consumerGroup }: CandidateNames): Promise<void> {
      await cancelByName(flinkName);
      await dropShadowTables(database, schema);
      await kafka.forgetGroup(consumerGroup);
    },
  });
}

export type CandidateActivities = ReturnType<typeof createCandidateActivities>;

/** A trace stands in a history. */
const MOST_CHARACTERS = 4_000;
