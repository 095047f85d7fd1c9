/**
 * Judges how a Flink job is from what was seen of it. It only judges; what follows is decided in `domain/job-machine.ts`.
 *
 * stable = it runs, has completed a checkpoint since it began to run, and reads what comes (or nothing is waiting).
 */
import type { JobPhase, JobPolicy } from '../schemas/job.ts';
import type { JobEvent } from './job-machine.ts';

/** One look at a job. All times are Flink's own, so that two clocks are never compared. */
export interface JobSample {
  readonly nowMs: number;
  /** As Flink names it. */
  readonly state: string;
  /** Whether each of its parts runs, too. */
  readonly isWhole: boolean;
  readonly startedAtMs: number;
  /** When it last began to run; 0 when it never has. */
  readonly runningSinceMs: number;
  /** When its newest checkpoint was completed; 0 when none was. */
  readonly checkpointAtMs: number;
  /** When each of its recent failures happened. */
  readonly failuresAtMs: readonly number[];
  /** What the newest failure said, in one sentence; empty when there was none. */
  readonly failure: string;
  /** What the newest failed checkpoint said. */
  readonly checkpointFailure: string;
}

/** How far the job has read, and where its topics end, summed over their partitions. */
export interface ReadProgress {
  readonly atMs: number;
  readonly read: number;
  readonly end: number;
}

export const VERDICTS = ['settling', 'stable', 'unstable', 'lost'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
  /** Only the JobManager was silent: nothing was seen of the job itself. */
  readonly isSilence?: true;
}

const ENDED: readonly string[] = ['FAILED', 'CANCELED', 'FINISHED'];
export const hasEnded = (state: string): boolean => ENDED.includes(state);

type HealthPolicy = Pick<
  JobPolicy,
  'startupMs' | 'restartLoopFailures' | 'restartLoopMs' | 'checkpointStuckMs' | 'offsetsStuckMs'
>;

/**
 * @param stalled the progress since which nothing was read although records came, as {@link stalledSince} found it
 * @returns undefined when nothing can be said yet, so that what was believed before stays
 */
export function judge(
  sample: JobSample,
  stalled: ReadProgress | undefined,
  policy: HealthPolicy,
): Judgement | undefined {
  const { nowMs, state, failure } = sample;
  if (hasEnded(state)) return { verdict: 'lost', reason: because(`the job is ${state}`, failure) };
  // The pauses between restarts grow: a failure counts until a checkpoint was completed after it, or a loop would seem over.
  const withinMs = Math.max(policy.restartLoopMs, nowMs - wellAtMs(sample));
  const failures = sample.failuresAtMs.filter((atMs) => nowMs - atMs <= withinMs).length;
  if (failures >= policy.restartLoopFailures)
    return {
      verdict: 'unstable',
      reason: because(`it failed ${failures} times within ${seconds(withinMs)}`, failure),
    };
  return state === 'RUNNING' && sample.isWhole
    ? judgeRunning(sample, stalled, policy)
    : judgeStopped(sample, policy);
}

/** The last proof that it did well. */
const wellAtMs = ({ startedAtMs, checkpointAtMs }: JobSample): number =>
  Math.max(startedAtMs, checkpointAtMs);

function judgeStopped(sample: JobSample, { startupMs }: HealthPolicy): Judgement {
  const { nowMs, failuresAtMs, state, failure } = sample;
  const wellMs = wellAtMs(sample);
  // Since the first failure after that: each failed try to start again is one more, and none of them is a new beginning.
  const failedAtMs = failuresAtMs.filter((atMs) => atMs > wellMs);
  const stoppedMs = nowMs - (failedAtMs.length === 0 ? wellMs : Math.min(...failedAtMs));
  if (stoppedMs <= startupMs) return { verdict: 'settling', reason: '' };
  const says = state === 'RUNNING' ? 'not all of its parts run' : `Flink says ${state}`;
  return {
    verdict: 'unstable',
    reason: because(`it has not run for ${seconds(stoppedMs)}, ${says}`, failure),
  };
}

function judgeRunning(
  { nowMs, runningSinceMs, checkpointAtMs, checkpointFailure }: JobSample,
  stalled: ReadProgress | undefined,
  policy: HealthPolicy,
): Judgement | undefined {
  const withoutCheckpointMs = nowMs - Math.max(runningSinceMs, checkpointAtMs);
  if (withoutCheckpointMs > policy.checkpointStuckMs)
    return {
      verdict: 'unstable',
      reason: because(`no checkpoint was completed for ${seconds(withoutCheckpointMs)}`, checkpointFailure),
    };
  if (stalled !== undefined && nowMs - stalled.atMs > policy.offsetsStuckMs)
    return {
      verdict: 'unstable',
      reason: `it has read nothing for ${seconds(nowMs - stalled.atMs)}, although records came`,
    };
  return checkpointAtMs >= runningSinceMs ? { verdict: 'stable', reason: '' } : undefined;
}

/**
 * Since when the job has read nothing although records came. They must have come since the look before: what looks
 * unread at the end of a quiet topic may be a transaction's marker, which no reader's offset ever passes. A job that
 * went back to an older snapshot reads again what it had read, so any movement counts.
 */
export function stalledSince(
  before: ReadProgress | undefined,
  now: ReadProgress,
): { readonly progress: ReadProgress; readonly isStalled: boolean } {
  const isStalled =
    before !== undefined && now.read === before.read && now.read < now.end && now.end > before.end;
  return { progress: isStalled ? before : now, isStalled };
}

/** A verdict is named as the phase in which it is no news; a lost job has none, so that is always news. */
export const isNews = ({ verdict }: Judgement, phase: JobPhase): boolean => verdict !== phase;

const EVENT_OF: Readonly<Record<Verdict, JobEvent>> = {
  settling: 'settling',
  stable: 'becameStable',
  unstable: 'becameUnstable',
  lost: 'lost',
};

export const eventOf = (verdict: Verdict): JobEvent => EVENT_OF[verdict];

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
const because = (what: string, why: string): string => (why === '' ? what : `${what}: ${why}`);
