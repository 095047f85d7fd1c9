/** A Flink in memory behind the two doors of the control plane, with switches for what may go wrong, and a record of all. */
import { FlinkRequestError } from '../../clients/flink-errors.ts';
import type { FlinkGatewayClient } from '../../clients/flink-gateway.ts';
import type { FlinkJobState, FlinkRestClient } from '../../clients/flink-rest.ts';
import { type FaultSwitches, type FlinkStep, faultSwitches } from './fake-flink-faults.ts';
import { type FakeJob, type FakeTimes, fakeJobManager, hasEnded } from './fake-job-manager.ts';
import type { FakeSnapshot, FakeSnapshots } from './fake-snapshots.ts';

export interface FakeSubmission {
  readonly jobId: string;
  readonly name: string;
  readonly restorePath: string;
  readonly statements: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  /** What it was restored from; nothing for a start from nothing, or from what is not there. */
  readonly from: FakeSnapshot | undefined;
  /** What it had to be restored from at least, for nothing to be lost. */
  readonly newest: FakeSnapshot | undefined;
}

export interface FakeFlink {
  readonly rest: FlinkRestClient;
  readonly gateway: FlinkGatewayClient;
  readonly faults: FaultSwitches;
  readonly times: FakeTimes;
  readonly jobs: ReadonlyMap<string, FakeJob>;
  readonly snapshots: FakeSnapshots;
  /** Those that were accepted. */
  readonly submissions: readonly FakeSubmission[];
  /** Each call that changes something, in order, whether or not it was answered. */
  readonly done: readonly string[];
  /** Trigger ids that were triggered again while their savepoint was under way. */
  readonly triggeredTwice: readonly string[];
  /** The most jobs of one name that were active at one moment. */
  mostActive(): number;
  /** Puts a job there that nobody submitted. */
  put(job: { id: string; name: string; state?: FlinkJobState }): FakeJob;
  /** A job fails, or leaves its state for another, with what it said. */
  fail(jobId: string, trace: string, state?: FlinkJobState): void;
  /** Somebody else cancels the job, or stops it. */
  end(jobId: string, state: 'CANCELED' | 'FINISHED'): void;
  /** The JobManager is replaced by one that knows no job. */
  loseJobManager(): void;
}

export interface FakeFlinkOptions {
  /** An empty directory, for checkpoints and savepoints. */
  readonly directory: string;
  readonly times?: Partial<FakeTimes>;
  /** How long a service that is away for a while stays away. */
  readonly awayMs?: number;
}

const TIMES: FakeTimes = { startMs: 5, checkpointMs: 20, savepointMs: 20, cancelMs: 5 };

const ASKED = {
  unknown: 'ask for an unknown savepoint',
  in_progress: 'ask for a pending savepoint',
  completed: 'ask for an ended savepoint',
  failed: 'ask for an ended savepoint',
} as const;

export function fakeFlink({ directory, times: given, awayMs = 100 }: FakeFlinkOptions): FakeFlink {
  const times = { ...TIMES, ...given };
  // Who is slow to ask must find a savepoint pending where that is what is tried.
  const isHeld = (): boolean => faults.armed().some((each) => each.endsWith(ASKED.in_progress));
  const manager = fakeJobManager(directory, times, isHeld);
  const { jobs, snapshots } = manager;
  const loseJobManager = (): void => {
    manager.advance();
    manager.lose();
  };
  const faults = faultSwitches(loseJobManager, awayMs);
  const submissions: FakeSubmission[] = [];
  const done: string[] = [];
  const triggeredTwice: string[] = [];
  let mostActive = 0;

  const call = async <T>(step: FlinkStep, effect: () => T): Promise<T> => {
    manager.advance();
    return faults.call(step, effect);
  };
  const known = (id: string, what: string): FakeJob => {
    const job = jobs.get(id);
    if (job === undefined) throw new FlinkRequestError(what, 404, 'it is not known');
    return job;
  };
  const countActive = (name: string): void => {
    const active = [...jobs.values()].filter((job) => job.name === name && !hasEnded(job)).length;
    mostActive = Math.max(mostActive, active);
  };
  const trigger = (
    id: string,
    triggerId: string,
    kind: 'savepoint' | 'stop',
    step: 'trigger a savepoint' | 'stop with a savepoint',
  ) =>
    call(step, () => {
      done.push(`${kind} ${id} ${triggerId}`);
      if (manager.savepoint(triggerId).status === 'in_progress') triggeredTwice.push(triggerId);
      manager.trigger(
        { id, triggerId, kind },
        {
          fails: faults.takes(step, 'savepoint fails'),
          neverEnds: faults.takes(step, 'savepoint never ends'),
        },
      );
    });
  const submit = (statements: readonly string[], properties: Readonly<Record<string, string>>): string => {
    const id = properties['$internal.pipeline.job-id'] ?? '';
    const name = properties['pipeline.name'] ?? '';
    const restorePath = properties['execution.state-recovery.path'] ?? '';
    done.push(`submit ${id}`);
    const newest = newestState(name);
    const isRefused = restorePath !== '' && faults.takes('execute', 'restore refused');
    manager.start({ id, name, restorePath, isRefused });
    const from = snapshots.read(restorePath);
    submissions.push({ jobId: id, name, restorePath, statements, properties, from, newest });
    countActive(name);
    return id;
  };
  /** Goes back from job to job until one has left something; what was only taken beside the checkpoints need not be it. */
  const newestState = (name: string): FakeSnapshot | undefined => {
    for (const { jobId, restorePath } of submissions.filter((one) => one.name === name).reverse()) {
      const left = snapshots.of(jobId);
      const found = left.find(({ kind }) => kind !== 'savepoint') ?? left[0] ?? snapshots.read(restorePath);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  const rest: FlinkRestClient = {
    overview: async () => ({ taskManagers: 1, slots: 4, freeSlots: 4 }),
    jobs: () =>
      call('list the jobs', () => [...jobs.values()].map(({ id, name, state }) => ({ id, name, state }))),
    job: (id) =>
      call('describe a job', () => {
        const job = jobs.get(id);
        if (job === undefined) return undefined;
        const { name, state, parts = [state], startedAt, runningSince, written = {} } = job;
        return {
          ...{ jid: id, name, state, now: Date.now(), 'start-time': startedAt },
          timestamps: { RUNNING: runningSince },
          vertices: parts.map((status, part) => ({
            ...{ id: String(part), status, parallelism: 1 },
            name: ['part', ...Object.keys(written).map((table) => `Sink: ${table}[${part}]`)].join(' -> '),
          })),
        };
      }),
    checkpoints: (id) =>
      call('checkpoints', () => {
        const { completed, completedAt, checkpointFailure } = known(id, 'tell the checkpoints');
        const path = `${snapshots.checkpoints}/${id}/chk-${completed}`;
        return {
          ...{ completed, failed: checkpointFailure === undefined ? 0 : 1, latestFailure: checkpointFailure },
          ...{ latestPath: completed > 0 ? path : undefined, latestAtMs: completedAt || undefined },
        };
      }),
    exceptions: (id) => call('exceptions', () => known(id, 'tell the exceptions').exceptions),
    async metricSums(id, part) {
      const written = Object.entries(known(id, 'tell the metrics').written ?? {});
      return Object.fromEntries(
        written.map(([table, count]) => [`Sink__${table}[${part}].numRecordsIn`, count]),
      );
    },
    executionFailure: (id) => call('execution result', () => known(id, 'tell the result').failure),
    triggerSavepoint: (id, triggerId) => trigger(id, triggerId, 'savepoint', 'trigger a savepoint'),
    stopWithSavepoint: (id, triggerId) => trigger(id, triggerId, 'stop', 'stop with a savepoint'),
    async savepoint(_, triggerId) {
      manager.advance();
      return faults.call(ASKED[manager.savepoint(triggerId).status], () => manager.savepoint(triggerId));
    },
    disposeSavepoint: (path) =>
      call('dispose', () => {
        done.push(`dispose ${path}`);
        snapshots.remove(path);
      }),
    cancel: (id) =>
      call('cancel', () => {
        done.push(`cancel ${id}`);
        manager.cancel(id);
      }),
  };

  return {
    ...{ rest, faults, times, jobs, snapshots, submissions, done, triggeredTwice, loseJobManager },
    gateway: {
      async execute(statements, properties) {
        await call('open a session', () => undefined);
        return { jobId: await call('execute', () => submit(statements, properties)), rows: [] };
      },
    },
    mostActive: () => mostActive,
    put({ id, name, state = 'RUNNING' }) {
      const job = manager.start({ id, name, restorePath: '', isRefused: false });
      job.state = state;
      job.runningSince = state === 'RUNNING' ? job.startedAt : 0;
      countActive(name);
      return job;
    },
    fail(jobId, trace, state = 'FAILED') {
      manager.advance();
      const job = known(jobId, 'fail');
      job.exceptions = [{ atMs: Date.now(), trace }, ...job.exceptions];
      manager.end(job, state);
    },
    end(jobId, state) {
      manager.advance();
      manager.end(known(jobId, 'end'), state);
    },
    loseJobManager,
  };
}
