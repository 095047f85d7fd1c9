/** The JobManager of the Flink in memory: jobs that start, checkpoint and end by themselves over time, and their savepoints. */
import { FlinkStatementError } from '../../clients/flink-errors.ts';
import type { FlinkException, FlinkJobState, SavepointProgress } from '../../clients/flink-rest.ts';
import { type FakeSnapshots, fakeSnapshots } from './fake-snapshots.ts';

export interface FakeJob {
  readonly id: string;
  readonly name: string;
  readonly startedAt: number;
  readonly restorePath: string;
  /** What its lineage was when it began to run. */
  readonly lineage: number;
  state: FlinkJobState;
  runningSince: number;
  completed: number;
  completedAt: number;
  /** The states of its parts; that of the job unless told. */
  parts?: readonly string[];
  exceptions: readonly FlinkException[];
  /** What reached the writer of each table; Flink tells nothing of it unless told. */
  written?: Readonly<Record<string, number>>;
  /** Why it failed as a whole; only the execution result tells. */
  failure?: string;
  checkpointFailure?: string;
}

interface Operation {
  /** As a real JobManager does, this one takes the question for a job it does not know, and fails the operation. */
  readonly job: FakeJob | undefined;
  readonly triggerId: string;
  readonly kind: 'savepoint' | 'stop';
  readyAt: number;
  readonly fails: boolean;
  progress: SavepointProgress;
}

export interface FakeTimes {
  /** How long a job takes to run, a checkpoint to come, a savepoint to complete, and a job to be cancelled. */
  startMs: number;
  checkpointMs: number;
  savepointMs: number;
  cancelMs: number;
}

/** As the cluster is configured to. */
const RETAINED_CHECKPOINTS = 3;
const ENDED: readonly FlinkJobState[] = ['FINISHED', 'CANCELED', 'FAILED'];
export const hasEnded = ({ state }: Pick<FakeJob, 'state'>): boolean => ENDED.includes(state);

export interface Start {
  readonly id: string;
  readonly name: string;
  readonly restorePath: string;
  /** The state is there, and Flink refuses to go on from it. */
  readonly isRefused: boolean;
}

/** @param isHeld whether savepoints stay pending, whatever their time */
export function fakeJobManager(directory: string, times: FakeTimes, isHeld = () => false) {
  const snapshots: FakeSnapshots = fakeSnapshots(directory);
  const jobs = new Map<string, FakeJob>();
  const operations = new Map<string, Operation>();
  const cancelled = new Map<string, number>();
  let savepoints = 0;

  const checkpointPath = (job: FakeJob, number: number): string =>
    `${snapshots.checkpoints}/${job.id}/chk-${number}`;

  const completeCheckpoints = (job: FakeJob, now: number): void => {
    if (job.state !== 'RUNNING') return;
    const due = Math.floor((now - job.runningSince) / times.checkpointMs);
    for (
      let number = Math.max(job.completed + 1, due - RETAINED_CHECKPOINTS + 1);
      number <= due;
      number += 1
    ) {
      job.completedAt = job.runningSince + number * times.checkpointMs;
      const lineage = job.lineage + number * times.checkpointMs;
      snapshots.write({ path: checkpointPath(job, number), jobId: job.id, kind: 'checkpoint', lineage });
    }
    for (let number = job.completed; number > 0 && number > job.completed - RETAINED_CHECKPOINTS; number -= 1)
      if (number <= due - RETAINED_CHECKPOINTS) snapshots.remove(checkpointPath(job, number));
    job.completed = Math.max(job.completed, due);
  };

  const end = (job: FakeJob, state: FlinkJobState): void => {
    job.state = state;
    // As a real one does: what is retained on cancellation is not retained when a job has finished.
    if (state === 'FINISHED') snapshots.remove(`${snapshots.checkpoints}/${job.id}`);
    for (const operation of operations.values())
      if (operation.job === job && operation.progress.status === 'in_progress')
        fail(operation, 'Checkpoint Coordinator is suspending.');
  };
  const fail = (operation: Operation, why: string): void => {
    operation.progress = {
      status: 'failed',
      trace: `java.util.concurrent.CompletionException: outer\nCaused by: a.b.CheckpointException: ${why}`,
    };
  };

  const complete = (operation: Operation): void => {
    const { job, kind, fails, readyAt } = operation;
    if (job === undefined) return;
    completeCheckpoints(job, readyAt);
    if (fails || job.state !== 'RUNNING') {
      fail(operation, fails ? 'the disk is full' : 'Not all required tasks are currently running.');
      return;
    }
    savepoints += 1;
    const path = `${snapshots.savepoints}/savepoint-${job.id.slice(0, 6)}-${savepoints}`;
    snapshots.write({ path, jobId: job.id, kind, lineage: job.lineage + readyAt - job.runningSince });
    operation.progress = { status: 'completed', path };
    if (kind === 'stop') end(job, 'FINISHED');
  };

  /** Lets happen what time has brought. */
  const advance = (): void => {
    const now = Date.now();
    for (const job of jobs.values())
      if (job.state === 'CREATED' && now >= job.startedAt + times.startMs) {
        job.state = 'RUNNING';
        job.runningSince = job.startedAt + times.startMs;
      }
    for (const operation of operations.values()) {
      if (operation.progress.status !== 'in_progress') continue;
      if (isHeld()) operation.readyAt = Math.max(operation.readyAt, now + times.savepointMs);
      else if (now >= operation.readyAt) complete(operation);
    }
    for (const job of jobs.values()) {
      const endsAt = cancelled.get(job.id);
      if (endsAt !== undefined && now >= endsAt && !hasEnded(job)) end(job, 'CANCELED');
      completeCheckpoints(job, now);
    }
  };

  return {
    jobs,
    snapshots,
    advance,
    end,

    /** @throws FlinkStatementError for a job id that is known, also when that job has ended */
    start({ id, name, restorePath, isRefused }: Start): FakeJob {
      if (jobs.has(id))
        throw new FlinkStatementError(
          'EXECUTE STATEMENT SET',
          'a.b.DuplicateJobSubmissionException: Job has already been submitted.',
        );
      const from = snapshots.read(restorePath);
      const job: FakeJob = {
        ...{ id, name, restorePath, startedAt: Date.now(), runningSince: 0, completed: 0, completedAt: 0 },
        lineage: from?.lineage ?? 0,
        state: 'CREATED',
        exceptions: [],
      };
      if (restorePath !== '' && (from === undefined || isRefused)) {
        job.state = 'FAILED';
        job.failure = `a.b.JobInitializationException: Could not start the JobMaster.\nCaused by: java.io.IOException: cannot restore from ${restorePath}`;
      }
      jobs.set(id, job);
      return job;
    },

    cancel(id: string): void {
      const job = jobs.get(id);
      if (job === undefined || hasEnded(job)) return;
      job.state = 'CANCELLING';
      cancelled.set(id, Date.now() + times.cancelMs);
    },

    /** A trigger id that is known is the operation it stands for. */
    trigger(
      { id, triggerId, kind }: { id: string; triggerId: string; kind: Operation['kind'] },
      how: { fails: boolean; neverEnds: boolean },
    ): void {
      if (operations.has(triggerId)) return;
      const job = jobs.get(id);
      const readyAt = how.neverEnds ? Number.POSITIVE_INFINITY : Date.now() + times.savepointMs;
      const operation: Operation = {
        ...{ job, triggerId, kind, readyAt, fails: how.fails },
        progress: { status: 'in_progress' },
      };
      operations.set(triggerId, operation);
      if (job === undefined || hasEnded(job)) fail(operation, `Could not find Flink job (${id})`);
    },

    savepoint: (triggerId: string): SavepointProgress =>
      operations.get(triggerId)?.progress ?? { status: 'unknown' },

    /** All jobs and operations are unknown to the one that comes; what is on disk stays. */
    lose(): void {
      for (const memory of [jobs, operations, cancelled]) memory.clear();
    },
  };
}
