/** Starts the hand-written consumer as a process of its own and ends it, also when the bench itself ends. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { kafkaBrokers, postgresAddress } from '../../config/addresses.ts';
import { projectRoot } from '../../config/load.ts';
import { serviceEnvironment } from '../../config/system.ts';
import type { ConsumerOptions } from '../handwritten/options.ts';
import { ContestantFailedError } from './errors.ts';
import type { BenchStack } from './stack.ts';
import type { BenchTopics } from './topics.ts';

export interface ConsumerProcess {
  readonly pid: number;
  /** When it was told its partitions and began to read, in Unix milliseconds. */
  readonly runningAt: number;
  /** @throws ContestantFailedError when it has ended */
  expectHealthy(): void;
  /** Holds it where it is, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** SIGTERM lets it finish what it has begun, SIGKILL does not. Resolves when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface ConsumerQuestion {
  readonly topics: BenchTopics;
  readonly schema: string;
  readonly bytesPerPartition?: number;
}

/** About six thousand records of each partition at once: fewer cost more round trips and commits, more only memory. */
const BYTES_PER_PARTITION = 4 * 2 ** 20;

/** Returns when it reads. @throws ContestantFailedError */
export async function startConsumer(
  stack: BenchStack,
  { topics, schema, bytesPerPartition = BYTES_PER_PARTITION }: ConsumerQuestion,
): Promise<ConsumerProcess> {
  const { config } = stack;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(projectRoot, 'bench/handwritten-consumer.ts')],
    {
      cwd: projectRoot,
      env: serviceEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
      // Ctrl-C reaches the bench alone, which ends it.
      detached: true,
    },
  );
  let lastWords = '';
  child.stderr.on('data', (chunk: Buffer) => {
    lastWords = `${lastWords}${chunk}`.slice(-500);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  stack.onEnd(() => end('SIGKILL'));
  const options: ConsumerOptions = {
    brokers: [...kafkaBrokers(config)],
    topics: [topics.live.name, topics.repairs.name],
    group: schema,
    bytesPerPartition,
    postgres: { ...postgresAddress(config), schema },
  };
  child.stdin.end(JSON.stringify(options));
  const expectHealthy = (): void => {
    if (child.exitCode === null && child.signalCode === null) return;
    throw new ContestantFailedError(
      'The hand-written consumer',
      `its process ended (${child.signalCode ?? `exit code ${child.exitCode}`}) and said last: ${lastWords.trim()}`,
    );
  };
  await Promise.race([firstLine(child.stdout), ended.then(expectHealthy)]);
  return {
    pid: child.pid ?? 0,
    runningAt: Date.now(),
    expectHealthy,
    signal: (signal) => void child.kill(signal),
    end,
  };
}

/** It says one line, once it has joined its group. */
const firstLine = (output: Readable): Promise<void> =>
  new Promise((resolve) => createInterface({ input: output }).once('line', () => resolve()));
