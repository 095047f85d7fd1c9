/** What Flink's JobManager says of a job, in words where it says nothing: the rest is shown all the same. */
import { FlinkUnreachableError } from '../../clients/flink-errors.ts';
import type { CheckpointsSummary, FlinkRestClient } from '../../clients/flink-rest.ts';
import { reasonOf } from '../../domain/errors.ts';

/** A person waits for the answer: a JobManager that takes longer is told of as one that does not answer. */
const DEADLINE_MS = 5_000;

type JobDoor = Pick<FlinkRestClient, 'job' | 'checkpoints'>;

export interface FlinkHealth {
  /** Flink's name of the job's state, or in words why there is none. */
  readonly state: string;
  /** By the JobManager's clock; null before the first one. */
  readonly checkpointAgeMs: number | null;
  readonly completedCheckpoints: number;
  readonly failedCheckpoints: number;
}

const without = (state: string): FlinkHealth => ({
  state,
  checkpointAgeMs: null,
  completedCheckpoints: 0,
  failedCheckpoints: 0,
});

/** @param jobId null or empty for a job that was never submitted */
export async function stateInFlink(flink: JobDoor, jobId: string | null): Promise<string> {
  if (jobId === null || jobId === '') return 'not submitted';
  return flink.job(jobId, AbortSignal.timeout(DEADLINE_MS)).then((job) => job?.state ?? 'unknown', silence);
}

/** @param jobId empty for a job that was never submitted */
export async function healthInFlink(flink: JobDoor, jobId: string): Promise<FlinkHealth> {
  if (jobId === '') return without('not submitted');
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const job = await flink.job(jobId, signal);
    if (job === undefined) return without('unknown');
    return { state: job.state, ...checkpointsAt(job.now, await flink.checkpoints(jobId, signal)) };
  } catch (error) {
    return without(silence(error));
  }
}

const checkpointsAt = (
  nowMs: number,
  { completed, failed, latestAtMs }: CheckpointsSummary,
): Omit<FlinkHealth, 'state'> => ({
  checkpointAgeMs: latestAtMs === undefined ? null : Math.max(0, nowMs - latestAtMs),
  completedCheckpoints: completed,
  failedCheckpoints: failed,
});

function silence(error: unknown): string {
  const isSilent = error instanceof FlinkUnreachableError || (error as Error).name === 'TimeoutError';
  return isSilent ? 'does not answer' : reasonOf(error);
}
