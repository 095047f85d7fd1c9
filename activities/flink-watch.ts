/** The activity that watches a Flink job for its actor. It only looks: what a sight means is judged in `domain/`, what follows is the actor's. */
import { setTimeout as delay } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { FlinkRequestError, FlinkUnreachableError, innermostCause } from '../clients/flink-errors.ts';
import { recordsThrough } from '../clients/flink-records.ts';
import type { FlinkException } from '../clients/flink-rest.ts';
import {
  hasEnded,
  isNews,
  type JobSample,
  type Judgement,
  judge,
  type ReadProgress,
  stalledSince,
} from '../domain/job-health.ts';
import {
  baseLook,
  judgeUpgrade,
  missingProof,
  type UpgradeLook,
  undisturbedMs,
} from '../domain/upgrade-proof.ts';
import type { JobPhase, JobPolicy } from '../schemas/job.ts';
import { type FlinkDoors, rootCause } from './flink-submission.ts';
import { withPulse } from './pulse.ts';

export interface FlinkWatchDeps extends FlinkDoors {
  /** How long to wait between two looks at a job that is watched. */
  readonly watchMs: number;
  /** How far a job has read, summed over what it reads; undefined when that cannot be told now. */
  readonly readProgress: (job: string) => Promise<Omit<ReadProgress, 'atMs'> | undefined>;
  /** The tables that every record a job accepts changes, as they are called in its SQL. */
  readonly tables: (job: string) => readonly string[];
}

export interface WatchQuestion {
  readonly name: string;
  readonly jobId: string;
  readonly phase: JobPhase;
  readonly policy: JobPolicy;
  readonly untilMs: number;
  /** The version is new: it is stable only when it is confirmed. */
  readonly isUnconfirmed?: boolean;
}

interface Look {
  readonly sample: JobSample;
  /** Undefined of a version that has nothing to prove. */
  readonly records?: Omit<UpgradeLook, 'progress'> | undefined;
}

/** How far a job has read changes with its checkpoints: asking more often tells nothing, unless it has to prove itself. */
const PROGRESS_EVERY_MS = 10_000;
const UNKNOWN: Judgement = { verdict: 'lost', reason: 'the Flink cluster does not know the job any more' };

export function createFlinkWatch({ rest, watchMs, readProgress, tables }: FlinkWatchDeps) {
  /** Of a job that has ended without an exception its result is asked. */
  const failureOf = async (jobId: string, state: string, newest: FlinkException | undefined) => {
    if (newest !== undefined) return innermostCause(newest.trace);
    return hasEnded(state) ? rootCause(rest, jobId) : '';
  };

  const lookAt = async (jobId: string, isUnconfirmed: boolean): Promise<Look | undefined> => {
    const signal = cancellationSignal();
    const job = await rest.job(jobId, signal);
    if (job === undefined) return undefined;
    const checkpoints = await rest.checkpoints(jobId, signal);
    const exceptions = await rest.exceptions(jobId, signal);
    const sample = {
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
    if (!isUnconfirmed) return { sample };
    const through = await recordsThrough(job, rest, signal);
    const records = { checkpoints: checkpoints.completed, undisturbedMs: undisturbedMs(sample), ...through };
    return { sample, records };
  };

  /** Undefined as the look when Flink does not know the job. @throws FlinkUnreachableError */
  const look = async ({ jobId, isUnconfirmed = false }: WatchQuestion): Promise<Look | undefined> =>
    lookAt(jobId, isUnconfirmed).catch((error) => {
      // Between two questions a JobManager may forget a job: the next look tells.
      if (error instanceof FlinkRequestError && error.status === 404) return undefined;
      throw error;
    });

  return {
    /**
     * Only looks. Returns what is news to an actor that believes the job to be in `phase`, or, when `untilMs` has passed without
     * any, what a version that has to be confirmed still lacks, and of any other nothing. A JobManager that does not answer says
     * nothing about the job.
     */
    async watchJob(question: WatchQuestion): Promise<Judgement | undefined> {
      const { name, phase, policy, untilMs } = question;
      const judgeLook = judgeLooks(question, tables(name), () => readProgress(name));
      const deadline = Date.now() + untilMs;
      let answeredAt = Date.now();
      let last: Judgement | undefined;
      while (Date.now() < deadline) {
        heartbeat();
        try {
          last = await withPulse(async () => judgeLook(await look(question)));
          answeredAt = Date.now();
          if (last !== undefined && isNews(last, phase)) return last;
        } catch (error) {
          if (!isUnanswered(error)) throw error;
          const silentMs = Date.now() - answeredAt;
          last = { verdict: 'unstable', reason: error.message, isSilence: true };
          if (silentMs > policy.unreachableMs && isNews(last, phase)) return last;
        }
        await delay(watchMs, undefined, { signal: cancellationSignal() });
      }
      return question.isUnconfirmed === true ? last : undefined;
    },
  };
}

/** A JobManager that answers with an error of its own tells as little of the job as one that does not answer. */
const isUnanswered = (error: unknown): error is Error =>
  error instanceof FlinkUnreachableError || (error instanceof FlinkRequestError && error.retryable);

/** Judges one look after the other, each with how far the job has read. */
function judgeLooks(
  { policy, isUnconfirmed = false }: WatchQuestion,
  tables: readonly string[],
  ask: () => Promise<Omit<ReadProgress, 'atMs'> | undefined>,
): (look: Look | undefined) => Promise<Judgement | undefined> {
  const progress = progressTracker(ask, isUnconfirmed ? 0 : PROGRESS_EVERY_MS);
  let base: UpgradeLook | undefined;
  let nowMs = 0;
  return async (look) => {
    const { stalled, now } = await progress(nowMs);
    nowMs = look?.sample.nowMs ?? 0;
    if (look === undefined) return UNKNOWN;
    const judgement = judge(look.sample, stalled, policy);
    if (look.records === undefined) return judgement;
    const seen: UpgradeLook = { ...look.records, progress: now };
    base = baseLook(base, seen);
    const missing = missingProof(base, seen, policy, tables);
    return judgeUpgrade(judgement, missing, look.sample.failure);
  };
}

/** Asks how far the job has read now and then; gives the progress since which it has stalled, if it has. */
function progressTracker(
  ask: () => Promise<Omit<ReadProgress, 'atMs'> | undefined>,
  everyMs: number,
): (nowMs: number) => Promise<{
  readonly stalled: ReadProgress | undefined;
  readonly now: Omit<ReadProgress, 'atMs'> | undefined;
}> {
  let since: ReadProgress | undefined;
  let now: Omit<ReadProgress, 'atMs'> | undefined;
  let isStalled = false;
  let askedAt = 0;
  return async (nowMs) => {
    if (nowMs !== 0 && Date.now() - askedAt >= everyMs) {
      askedAt = Date.now();
      now = await ask();
      if (now !== undefined) ({ progress: since, isStalled } = stalledSince(since, { ...now, atMs: nowMs }));
    }
    return { stalled: isStalled ? since : undefined, now };
  };
}
