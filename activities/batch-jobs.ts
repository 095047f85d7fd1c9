/** Activities of a run of a batch job: judging its parameters, submitting its Flink job, and watching it. Each is safe to repeat. */
import { setTimeout as delay } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { FlinkUnreachableError } from '../clients/flink-errors.ts';
import type { AskJobProgress } from '../clients/flink-progress.ts';
import { readFlinkSql } from '../clients/sql-files.ts';
import { type BatchProgress, eventOf, isNews, UNKNOWN } from '../domain/batch-job.ts';
import { batchSqlValues } from '../domain/batch-job-parameters.ts';
import { HourglassError } from '../domain/errors.ts';
import { renderFlinkSql } from '../domain/flink-sql.ts';
import type { BatchPolicy } from '../schemas/batch-job.ts';
import type { BatchJobDefinition } from '../schemas/pipeline.ts';
import { cancelAndWait, type FlinkDoors, rootCause, submitOnce } from './flink-submission.ts';

export interface BatchJobDeps extends FlinkDoors {
  /** How long to wait between two looks at a job that is watched. */
  readonly watchMs: number;
  readonly progress: AskJobProgress;
  readonly batchJobs: Readonly<Record<string, BatchJobDefinition>>;
  /** The values of `${…}` in a job's SQL that are not the caller's: addresses. No secret is among them. */
  readonly parameters: (job: string) => Readonly<Record<string, string>>;
}

/** What is to run, and what for. */
export interface BatchJobCall {
  readonly job: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A look at the job, and why it ended if it did and did not finish. */
export type BatchSight = BatchProgress & { readonly reason?: string };

/** Thrown for a batch job that no pipeline of this build defines. */
class UnknownBatchJobError extends HourglassError {
  constructor(job: string, known: readonly string[]) {
    super('UNKNOWN_BATCH_JOB', `There is no batch job "${job}"; there are: ${known.join(', ')}.`);
  }
}

/** What every batch job is run with. */
const BATCH_SETTINGS = {
  'execution.runtime-mode': 'batch',
  // The cluster restarts a job without end. A writer that fails takes its TaskManager, and the streams on it, along: how often
  // that may happen is the run's to say, so a batch job fails at once and the run submits it again.
  'restart-strategy.type': 'none',
} as const;

export function createBatchJobActivities(deps: BatchJobDeps) {
  const { rest, progress, batchJobs, watchMs } = deps;

  const definitionOf = (job: string): BatchJobDefinition => {
    const definition = Object.hasOwn(batchJobs, job) ? batchJobs[job] : undefined;
    if (definition === undefined) throw new UnknownBatchJobError(job, Object.keys(batchJobs));
    return definition;
  };

  const look = async (jobId: string): Promise<BatchSight> => {
    const seen = await progress(jobId, cancellationSignal());
    if (seen === undefined)
      return { state: UNKNOWN, finishedParts: 0, reason: 'the Flink cluster does not know the job' };
    return eventOf(seen) === 'lost'
      ? { ...seen, reason: `the job is ${seen.state}: ${await rootCause(rest, jobId)}` }
      : seen;
  };

  return {
    /** Refuses what cannot run before anything is submitted. @returns how hard the job is to be tried */
    async describeBatchJob({ job, parameters }: BatchJobCall): Promise<BatchPolicy> {
      const definition = definitionOf(job);
      batchSqlValues(definition, parameters);
      return definition.policy;
    },

    /** Submits the job unless Flink has it already; how it goes on is for the watch to tell. */
    async submitBatchJob(call: BatchJobCall & { name: string; jobId: string }): Promise<void> {
      const { job, name, jobId } = call;
      const definition = definitionOf(job);
      const { files, settings, parallelism } = definition;
      const values = { ...batchSqlValues(definition, call.parameters), ...deps.parameters(job) };
      const statements = files.map((file) => renderFlinkSql(readFlinkSql(file), values));
      const all = { ...settings, ...BATCH_SETTINGS, 'parallelism.default': String(parallelism) };
      await submitOnce(deps, { name, jobId, statements, settings: all, restorePath: '' });
    },

    /**
     * Only looks. Returns what is news to a run that has seen `seen`, or the newest sight when `untilMs` has passed. A JobManager
     * that does not answer says nothing about the job: it is asked again, and what was seen before stays.
     */
    async watchBatchJob(input: {
      jobId: string;
      seen: BatchProgress | undefined;
      untilMs: number;
    }): Promise<BatchSight | undefined> {
      const { jobId, seen, untilMs } = input;
      const deadline = Date.now() + untilMs;
      let last: BatchSight | undefined = seen;
      for (;;) {
        heartbeat(last);
        const sight = await look(jobId).catch((error) => {
          if (!(error instanceof FlinkUnreachableError)) throw error;
          return undefined;
        });
        last = sight ?? last;
        heartbeat(last);
        if (sight !== undefined && isNews(seen, sight)) return sight;
        if (Date.now() >= deadline) return last;
        await delay(watchMs, undefined, { signal: cancellationSignal() });
      }
    },

    /** Ends the job in Flink and returns when it has ended. What it wrote stays. */
    async cancelBatchJob({ jobId }: { jobId: string }): Promise<void> {
      await cancelAndWait(deps, jobId);
    },
  };
}

export type BatchJobActivities = ReturnType<typeof createBatchJobActivities>;
