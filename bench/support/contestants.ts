/** One measured run: fresh tables, a contestant, the clock and the CPU times from its start to the last stored row, and the check. */

import { untilStored } from './completion.ts';
import { type ConsumerProcess, startConsumer } from './consumer-process.ts';
import { type CpuSeconds, cpuBetween, readCpuSeconds } from './cpu.ts';
import { type JobQuestion, type RunningJob, startFlinkJob } from './flink-job.ts';
import type { BenchStack } from './stack.ts';
import { checkAgainstTruth, createTables, type Truth } from './tables.ts';
import type { BenchTopics } from './topics.ts';

export interface Measurement {
  readonly schema: string;
  /** From the submission, or the start of the process, until it reads. Not part of the wall time. */
  readonly startUpSeconds: number;
  /** From when it reads until both tables hold everything. */
  readonly wallSeconds: number;
  readonly recordsPerSecond: number;
  /** From the submission, or the start of the process: what starting costs is in it. */
  readonly cpu: CpuSeconds;
}

export interface Run {
  readonly topics: BenchTopics;
  readonly truth: Truth;
  /** The run's own, which is made new. */
  readonly schema: string;
}

/** How a run of Flink differs from that of the pipeline as it is. */
export interface FlinkVariant extends Pick<JobQuestion, 'settings' | 'tableOptions' | 'driver'> {
  /** On the tables that have just been made. */
  readonly beforeStart?: () => Promise<void>;
  /** When everything is stored and measured. */
  readonly beforeCancel?: (job: RunningJob) => Promise<void>;
}

/** @throws WrongResultError, StalledRunError */
export async function measureFlink(
  stack: BenchStack,
  run: Run,
  { beforeStart, beforeCancel, ...question }: FlinkVariant = {},
): Promise<Measurement> {
  await createTables(stack, run.schema);
  await beforeStart?.();
  return measure(stack, run, async () => {
    const { topics, schema } = run;
    const job = await startFlinkJob(stack, { topics, schema, ...question });
    return {
      runningAt: job.runningAt,
      processes: {},
      expectHealthy: job.expectHealthy,
      finish: async () => beforeCancel?.(job),
      end: job.cancel,
    };
  });
}

/** @throws WrongResultError, StalledRunError */
export async function measureConsumer(stack: BenchStack, run: Run): Promise<Measurement> {
  await createTables(stack, run.schema);
  return measure(stack, run, async () => {
    const consumer: ConsumerProcess = await startConsumer(stack, run);
    return {
      runningAt: consumer.runningAt,
      processes: { consumer: consumer.pid },
      expectHealthy: consumer.expectHealthy,
      finish: async () => undefined,
      end: () => consumer.end('SIGTERM'),
    };
  });
}

interface Contestant {
  readonly runningAt: number;
  /** Process ids besides those of the stack. */
  readonly processes: Readonly<Record<string, number>>;
  expectHealthy(): Promise<void> | void;
  /** When everything is stored and measured. */
  finish(): Promise<void>;
  end(): Promise<void>;
}

async function measure(
  stack: BenchStack,
  { schema, truth }: Run,
  start: () => Promise<Contestant>,
): Promise<Measurement> {
  // What the run before has left to write is no part of this one.
  await stack.asSuperuser('checkpoint');
  const before = await readCpuSeconds(stack);
  const submittedAt = Date.now();
  const contestant = await start();
  let result: Measurement;
  try {
    const { runningAt, processes, expectHealthy } = contestant;
    const storedAt = await untilStored(stack, schema, truth, runningAt, expectHealthy);
    const cpu = cpuBetween(before, await readCpuSeconds(stack, processes));
    await contestant.finish();
    const wallSeconds = (storedAt - runningAt) / 1_000;
    result = {
      schema,
      startUpSeconds: (runningAt - submittedAt) / 1_000,
      wallSeconds,
      recordsPerSecond: truth.observations / wallSeconds,
      cpu,
    };
  } finally {
    await contestant.end();
  }
  await checkAgainstTruth(stack, schema, truth);
  return result;
}
