/** A worker deployment in memory: the server, the verdicts and the workers that a deploy sees, with faults to order. */
import type { Client } from '@temporalio/client';
import type { LocalBuilds } from '../../clients/deploy-facts.ts';
import { deploymentName, taskQueues } from '../../domain/task-queues.ts';
import { type DeployDeps, WorkerDeploys } from '../../stack/worker-deploys.ts';
import { fakeDatabase } from './fake-database.ts';

interface FakeVersion {
  status: number;
  lastCurrentMs: number | undefined;
  openRuns: number;
}

/** The server's numbers of a version's status. */
const STATUS = { inactive: 1, current: 2, draining: 4, drained: 5 } as const;

export interface Faults {
  /** Builds whose worker never starts, whose histories do not fit, whose doors are closed, whose runs fail once they are current. */
  readonly noStart?: readonly string[];
  readonly noReplay?: readonly string[];
  readonly closedDoors?: readonly string[];
  readonly failing?: readonly string[];
  /** Builds that poll none but the workflows' queue. */
  readonly partly?: readonly string[];
  /** Instead of the replay gate. */
  readonly verify?: (buildId: string) => Promise<void>;
}

export interface FakeDeployment {
  readonly told: string[];
  readonly currentBuild: () => string | undefined;
  readonly workers: ReadonlyMap<string, 'starting' | 'ready'>;
  /** What was done at the server and to workers, in order. */
  readonly done: string[];
  wish(buildId: string, kind?: 'deploy' | 'rollback'): void;
  setOpenRuns(buildId: string, count: number): void;
  /** Its worker is gone, and is not started again by anybody but the deploy. */
  kill(buildId: string): void;
  /** So much time passes. */
  wait(ms: number): void;
  /** As the supervisor begins: it knows nothing of what another did before. */
  supervisor(): WorkerDeploys;
  /** Passes until the same step was taken twice; each by a supervisor of its own when `killed`. @returns the steps, each once */
  settle(options?: { killed?: boolean }): Promise<readonly string[]>;
}

const WATCH_MS = 60_000;

export function fakeDeployment(builds: readonly string[], faults: Faults = {}): FakeDeployment {
  const versions = new Map<string, FakeVersion>();
  const workers = new Map<string, 'starting' | 'ready'>();
  const verdicts: Record<string, unknown>[] = [];
  const done: string[] = [];
  const told: string[] = [];
  let wished: Record<string, unknown> | undefined;
  let current: { buildId: string; sinceMs: number } | undefined;
  // The deploy compares the clock of this process with those of the server and of the database.
  let aheadMs = 0;
  const now = (): number => Date.now() + aheadMs;
  const timestamp = (ms: number | undefined) =>
    ms === undefined ? null : { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 };

  const database = fakeDatabase({
    'gate-verdicts': () => verdicts,
    'worker-wish': () => (wished === undefined ? [] : [wished]),
    'record-gate-verdict': ([build_id, gate, passed, reason]) => {
      const index = verdicts.findIndex((each) => each['build_id'] === build_id && each['gate'] === gate);
      if (index >= 0) verdicts.splice(index, 1);
      verdicts.push({ build_id, gate, passed, reason, details: {}, judged_at: new Date(now()) });
      return [];
    },
  });
  const makeCurrent = async ({ buildId }: { buildId: string }) => {
    const before = current === undefined ? undefined : versions.get(current.buildId);
    if (before !== undefined) before.status = before.openRuns > 0 ? STATUS.draining : STATUS.drained;
    versions.set(buildId, {
      status: STATUS.current,
      lastCurrentMs: now(),
      openRuns: versions.get(buildId)?.openRuns ?? 0,
    });
    current = { buildId, sinceMs: now() };
    done.push(`current ${buildId}`);
  };
  const isOf = (query: string, buildId: string): boolean => query.includes(`'${deploymentName}:${buildId}'`);
  const client = {
    options: { namespace: 'ours' },
    workflowService: {
      describeWorkerDeployment: async () => ({
        workerDeploymentInfo: {
          routingConfig: {
            currentDeploymentVersion: current === undefined ? null : { buildId: current.buildId },
            currentVersionChangedTime: timestamp(current?.sinceMs),
          },
          versionSummaries: [...versions].map(([buildId, { status, lastCurrentMs }]) => ({
            deploymentVersion: { buildId },
            status,
            lastCurrentTime: timestamp(lastCurrentMs),
          })),
        },
      }),
      describeTaskQueue: async ({ taskQueue: { name } }: { taskQueue: { name: string } }) => ({
        pollers: [...workers.keys()]
          .filter((buildId) => name === taskQueues.control || !faults.partly?.includes(buildId))
          .map((buildId) => ({ deploymentOptions: { buildId }, lastAccessTime: timestamp(now()) })),
      }),
      setWorkerDeploymentCurrentVersion: makeCurrent,
    },
    workflow: {
      count: async (query: string) => {
        if (query.includes('CloseTime'))
          return { count: (faults.failing ?? []).filter((buildId) => isOf(query, buildId)).length };
        return { count: [...versions].find(([buildId]) => isOf(query, buildId))?.[1].openRuns ?? 0 };
      },
      list: async function* () {
        // No run is stuck, and the actor is where it should be.
      },
      start: async (_: string, { workflowId }: { workflowId: string }) => ({
        result: async () => {
          const passed = !(faults.closedDoors ?? []).some((buildId) => workflowId.endsWith(buildId));
          return { passed, queues: { [taskQueues.flink]: passed ? 'answered' : 'the JobManager: refused' } };
        },
      }),
    },
  } as unknown as Client;
  const deps: DeployDeps = {
    ...{ client, database, watchMs: WATCH_MS, drainMs: 3_600_000 },
    now: () => new Date(now()),
    tell: (text) => told.push(text),
    verify: async (buildId) => {
      if (faults.verify !== undefined) return faults.verify(buildId);
      if (faults.noReplay?.includes(buildId)) throw new Error('it does not fit\n    at a stack trace');
      await database.query('record-gate-verdict', [buildId, 'replay', true, '', '{}']);
    },
    host: {
      local: async (): Promise<LocalBuilds> => ({ builds, workers }),
      start: async (buildId) => {
        if (faults.noStart?.includes(buildId)) throw new Error('its process ended 3 times');
        workers.set(buildId, 'ready');
        if (!versions.has(buildId))
          versions.set(buildId, { status: STATUS.inactive, lastCurrentMs: undefined, openRuns: 0 });
        done.push(`start ${buildId}`);
      },
      stop: async (buildId) => {
        workers.delete(buildId);
        done.push(`stop ${buildId}`);
        return `the worker of ${buildId} has ended: nothing needs it`;
      },
    },
  };
  const supervisor = (): WorkerDeploys => new WorkerDeploys(deps);
  return {
    ...{ told, done, workers, supervisor },
    currentBuild: () => current?.buildId,
    wish: (build_id, kind = 'deploy') => {
      aheadMs += 1_000;
      wished = { build_id, kind, accepted_types: [], wished_at: new Date(now()) };
    },
    setOpenRuns: (buildId, count) => {
      const version = versions.get(buildId);
      if (version === undefined) throw new Error(`no worker of ${buildId} has polled yet`);
      version.openRuns = count;
      if (version.status !== STATUS.current) version.status = count > 0 ? STATUS.draining : STATUS.drained;
    },
    kill: (buildId) => void workers.delete(buildId),
    wait: (ms) => {
      aheadMs += ms;
    },
    async settle({ killed = false } = {}) {
      const steps: string[] = [];
      let deploys = supervisor();
      for (let same = 0; same < 3; ) {
        if (killed) deploys = supervisor();
        const { kind } = await deploys.pass();
        // What was begun without waiting has ended by then.
        await new Promise((resolve) => setImmediate(resolve));
        same = steps.at(-1) === kind ? same + 1 : 0;
        if (same === 0) steps.push(kind);
      }
      return steps;
    },
  };
}
