/** Runs of batch jobs on a real Temporal, over a Flink in memory: everything that may go wrong, at every step. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { activityInfo } from '@temporalio/activity';
import { CancelledFailure, type Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createBatchJobActivities } from '../../activities/batch-jobs.ts';
import { withFailures } from '../../activities/errors.ts';
import { type BatchJobRun, startBatchJob } from '../../clients/batch-job.ts';
import type { FlinkJobState } from '../../clients/flink-rest.ts';
import { temporalAddress } from '../../config/addresses.ts';
import { projectRoot } from '../../config/load.ts';
import { flinkNameOf } from '../../domain/batch-job.ts';
import { batchJobId } from '../../domain/identities.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { type BatchJobDefinition, batchJobDefinitionSchema } from '../../schemas/pipeline.ts';
import { eventually } from '../support/eventually.ts';
import { createNamespace } from '../support/fake-actors.ts';
import { type FakeFlink, fakeFlink } from '../support/fake-flink.ts';
import { type FlinkStep, GENERAL_FAULTS } from '../support/fake-flink-faults.ts';
import { config } from '../support/shared-stack.ts';

vi.setConfig({ maxConcurrency: 30 });

const AWAY_MS = 1_500;
const RECORDS = 7;
const ROOT_CAUSE = 'a.JobException: outer\nCaused by: org.postgresql.util.PSQLException: the disk is full';
const define = (name: string, backoffFirstMs: number): BatchJobDefinition =>
  batchJobDefinitionSchema.parse({
    ...{ name, files: ['jobs/weather-stream.sql'], parallelism: 1, settings: {} },
    parameters: { at: 'hour' },
    policy: { attempts: 4, backoffFirstMs, backoffMostMs: backoffFirstMs },
  });
const batchJobs = { load: define('load', 20), patient: define('patient', 600_000) } as const;

interface Scenario {
  readonly flink: FakeFlink;
  /** How each Flink job of the scenario ends, once it has been seen to run: FINISHED unless told, RUNNING for not at all. */
  readonly ends: readonly FlinkJobState[];
  start(): Promise<BatchJobRun>;
}

const scenarios = new Map<string, Scenario>();
const directory = mkdtempSync(join(tmpdir(), 'hourglass-fake-batch-'));
let client: Client;
let stopWorkers: () => Promise<void>;

/** The scenario whose activity calls: no call of Flink's own names it. */
function own(): Scenario {
  const workflowId = activityInfo().workflowExecution?.workflowId ?? '';
  const scenario = scenarios.get(workflowId);
  if (scenario === undefined) throw new Error(`no scenario has the run ${workflowId}`);
  return scenario;
}

/** Ends the job as the scenario wants, after this look. */
async function progress(jobId: string) {
  const { flink, ends } = own();
  const found = await flink.rest.job(jobId);
  if (found === undefined) return undefined;
  const isDone = found.state === 'FINISHED';
  const end = ends[flink.submissions.findIndex((one) => one.jobId === jobId)] ?? 'FINISHED';
  const job = flink.jobs.get(jobId);
  if (job?.state === 'RUNNING') {
    job.state = end;
    job.exceptions = end === 'FAILED' ? [{ atMs: Date.now(), trace: ROOT_CAUSE }] : [];
  }
  return {
    state: found.state,
    finishedParts: isDone ? 1 : 0,
    parts: 1,
    recordsWritten: isDone ? RECORDS : 0,
  };
}

const routed = <T extends object>(meant: () => T): T =>
  new Proxy({} as T, { get: (_, member) => Reflect.get(meant(), member) });

beforeAll(async () => {
  client = await createNamespace(config, `fake-batch-${randomBytes(3).toString('hex')}`);
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address: temporalAddress(config) });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: join(projectRoot, 'workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  const activities = createBatchJobActivities({
    rest: routed(() => own().flink.rest),
    gateway: routed(() => own().flink.gateway),
    ...{ progress, pollMs: 10, watchMs: 20, batchJobs },
    parameters: () => ({ jdbc_url: 'jdbc:postgresql://h/d' }),
  });
  const shared = { connection, namespace: client.options.namespace } as const;
  const workers = await Promise.all([
    Worker.create({ ...shared, taskQueue: taskQueues.control, workflowBundle }),
    Worker.create({ ...shared, taskQueue: taskQueues.flink, activities: withFailures(activities) }),
  ]);
  const runs = workers.map((worker) => worker.run());
  stopWorkers = async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(runs);
    await connection.close();
  };
});
afterAll(async () => {
  await stopWorkers?.();
  await client?.connection.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Each loads another hour, so that each is another run. */
function scenario(ends: readonly FlinkJobState[] = [], job: keyof typeof batchJobs = 'load'): Scenario {
  const at = new Date(Date.UTC(2001, 0, 1, scenarios.size)).toISOString().replace('.000Z', 'Z');
  const made: Scenario = {
    ...{ ends, flink: fakeFlink({ directory, awayMs: AWAY_MS }) },
    start: () => startBatchJob(client, { job, parameters: { at } }),
  };
  scenarios.set(batchJobId(job, { at }), made);
  return made;
}

const states = ({ flink }: Scenario): string[] => [...flink.jobs.values()].map(({ state }) => state);
const untilPhase = (run: BatchJobRun, phase: string) =>
  eventually(
    `${run.workflowId} is ${phase}`,
    () => run.describe(),
    ({ typedSearchAttributes }) => typedSearchAttributes.get(searchAttributes.state) === phase,
  );
/** Every submission was the run's own, and never were there two Flink jobs at once. */
function expectOneAtATime({ flink }: Scenario, { workflowId }: BatchJobRun): void {
  expect(flink.mostActive()).toBe(1);
  expect([...new Set(flink.submissions.map(({ name }) => name))]).toEqual([flinkNameOf(workflowId)]);
}

const faultsAt = (steps: readonly FlinkStep[]) =>
  steps.flatMap((step) => GENERAL_FAULTS.map((fault) => [fault, step] as const));

describe.concurrent('a run finishes', () => {
  test('at once when nothing goes wrong', async () => {
    const one = scenario();
    const run = await one.start();
    const result = await run.result();
    expect(one.flink.submissions).toMatchObject([{ jobId: result.jobId }]);
    expect(result).toMatchObject({ attempts: 1, recordsWritten: RECORDS });
    expectOneAtATime(one, run);
  });

  test.for(faultsAt(['open a session', 'execute', 'describe a job', 'list the jobs']))(
    'with "%s" at "%s"',
    async ([fault, step]) => {
      const one = scenario();
      one.flink.faults.arm(step, fault);
      const run = await one.start();
      const { attempts, ...result } = await run.result();
      const last = one.flink.submissions.at(-1)?.jobId;
      expect(result).toEqual({ jobId: last, recordsWritten: RECORDS });
      // What does not answer says nothing about the job; only a no, or a JobManager that knows nothing, costs an attempt.
      const isDecided = fault.startsWith('JobManager lost') || (fault === 'HTTP 500' && step === 'execute');
      expect(attempts).toBeLessThanOrEqual(isDecided ? 2 : 1);
      expect(one.flink.faults.armed()).toEqual([]);
      expectOneAtATime(one, run);
    },
  );

  test.for(faultsAt(['exceptions', 'describe a job']))(
    'after a failed attempt, with "%s" at "%s"',
    async ([fault, step]) => {
      const one = scenario(['FAILED']);
      one.flink.faults.arm(step, fault);
      const run = await one.start();
      const { attempts } = await run.result();
      expect(attempts).toBeGreaterThanOrEqual(2);
      expect(attempts).toBeLessThanOrEqual(3);
      expectOneAtATime(one, run);
    },
  );

  test('after it was cancelled in Flink behind its back', async () => {
    const one = scenario(['CANCELED']);
    const run = await one.start();
    expect(await run.result()).toMatchObject({ attempts: 2 });
    expect(states(one)).toEqual(['CANCELED', 'FINISHED']);
  });

  test('when its run was terminated and begun again: what the first left behind ends first', async () => {
    const one = scenario(['RUNNING']);
    const left = await one.start();
    await untilPhase(left, 'running');
    await left.terminate('ended by hand');
    const run = await one.start();
    expect(await run.result()).toMatchObject({ attempts: 1 });
    expect(states(one)).toEqual(['CANCELED', 'FINISHED']);
    expectOneAtATime(one, run);
  });
});

describe.concurrent('a run fails', () => {
  test('with the root cause, when every attempt that it has failed', async () => {
    const one = scenario(['FAILED', 'FAILED', 'FAILED', 'FAILED', 'FAILED']);
    const run = await one.start();
    await expect(run.result()).rejects.toMatchObject({
      cause: {
        type: 'BATCH_JOB_FAILED',
        message: 'load failed 4 times, the last time: the job is FAILED: PSQLException: the disk is full',
      },
    });
    expect(states(one)).toEqual(['FAILED', 'FAILED', 'FAILED', 'FAILED']);
    expect(new Set(one.flink.submissions.map(({ jobId }) => jobId)).size).toBe(4);
    expectOneAtATime(one, run);
    await untilPhase(run, 'failed');
  });
});

describe.concurrent('a run that is cancelled leaves nothing running', () => {
  const expectCancelled = async (one: Scenario, run: BatchJobRun): Promise<void> => {
    await expect(run.result()).rejects.toMatchObject({ cause: expect.any(CancelledFailure) });
    expect(states(one).filter((state) => !['CANCELED', 'FAILED', 'FINISHED'].includes(state))).toEqual([]);
    await untilPhase(run, 'cancelled');
  };

  test('while it runs', async () => {
    const one = scenario(['RUNNING']);
    const run = await one.start();
    await untilPhase(run, 'running');
    await run.cancel();
    await expectCancelled(one, run);
    expect(states(one)).toEqual(['CANCELED']);
  });

  test.for(faultsAt(['cancel']))('with "%s" at "%s"', async ([fault, step]) => {
    const one = scenario(['RUNNING']);
    one.flink.faults.arm(step, fault);
    const run = await one.start();
    await untilPhase(run, 'running');
    await run.cancel();
    await expectCancelled(one, run);
    expect(one.flink.faults.armed()).toEqual([]);
  });

  test.for(faultsAt(['open a session', 'execute', 'describe a job']))(
    'before it has run, with "%s" at "%s"',
    async ([fault, step]) => {
      const one = scenario(['RUNNING', 'RUNNING']);
      one.flink.faults.arm(step, fault);
      const run = await one.start();
      await run.cancel();
      await expectCancelled(one, run);
    },
  );

  test('while it waits for its next attempt', async () => {
    const one = scenario(['FAILED'], 'patient');
    const run = await one.start();
    await untilPhase(run, 'waiting');
    await run.cancel();
    await expectCancelled(one, run);
    expect(states(one)).toEqual(['FAILED']);
  });
});
