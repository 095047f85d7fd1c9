/** Keeps one service process alive: starts it, asks it whether it is ready, starts it again with backoff when it dies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { serviceEnvironment } from '../config/system.ts';
import { reasonOf } from '../domain/errors.ts';
import { ServiceStartError } from './errors.ts';
import { identify, type ProcessIdentity, signalGroup } from './process-identity.ts';

export interface ServiceSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly logFile: string;
  /** What asks for an orderly end. PostgreSQL's "fast" is SIGINT. */
  readonly stopSignal?: NodeJS.Signals;
  readonly stopTimeoutMs?: number;
  readonly readyTimeoutMs?: number;
  /** Is called before each start of the process: clears away what a killed one left. */
  readonly prepare?: () => void;
  /** Where it tells its metrics, on the loopback address. */
  readonly metricsPort?: number;
  /** Asks the service itself; throws while it is not ready. */
  readonly ready: () => Promise<void>;
}

export type ServicePhase = 'starting' | 'ready' | 'restarting' | 'stopping' | 'stopped';

export interface ServiceStatus {
  readonly name: string;
  readonly phase: ServicePhase;
  readonly process: ProcessIdentity | undefined;
  readonly restarts: number;
}

const BACKOFF_MS = { first: 1_000, most: 30_000, forgottenAfter: 60_000 } as const;
const ATTEMPTS_BEFORE_FIRST_READY = 3;

export class SupervisedService {
  readonly spec: ServiceSpec;
  private readonly onChange: (status: ServiceStatus) => void;
  private child: ChildProcess | undefined;
  private identity: ProcessIdentity | undefined;
  private phase: ServicePhase = 'stopped';
  private restarts = 0;
  private readonly stopping = new AbortController();
  private lifetime: Promise<void> = Promise.resolve();

  constructor(spec: ServiceSpec, onChange: (status: ServiceStatus) => void) {
    this.spec = spec;
    this.onChange = onChange;
  }

  status(): ServiceStatus {
    return { name: this.spec.name, phase: this.phase, process: this.identity, restarts: this.restarts };
  }

  /**
   * Resolves when the service has answered once; from then on it is kept alive until `stop`.
   * @throws ServiceStartError when it died three times, or did not answer in time, before it was ever ready
   */
  start(): Promise<void> {
    keepPreviousLog(this.spec.logFile);
    return new Promise((resolve, reject) => {
      this.lifetime = this.live(resolve, reject);
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    const pid = this.runningPid();
    if (pid !== undefined) {
      this.enter('stopping');
      signalGroup(pid, this.spec.stopSignal ?? 'SIGTERM');
      const killer = setTimeout(() => signalGroup(pid, 'SIGKILL'), this.spec.stopTimeoutMs ?? 15_000);
      await this.lifetime;
      clearTimeout(killer);
    } else {
      await this.lifetime;
    }
    this.enter('stopped');
  }

  /** Ends the process at once, without its orderly end: for a user who cannot wait. */
  kill(): void {
    this.stopping.abort();
    const pid = this.runningPid();
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  }

  /** The id of a process that has ended may be another's by now. */
  private runningPid(): number | undefined {
    const { child } = this;
    return child?.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  private async live(onReady: () => void, onFailed: (error: Error) => void): Promise<void> {
    let wasReady = false;
    let backoffMs: number = BACKOFF_MS.first;
    let deaths = 0;
    const deadline = Date.now() + (this.spec.readyTimeoutMs ?? 120_000);
    while (!this.stopping.signal.aborted) {
      const startedAt = Date.now();
      const exited = this.spawnOnce();
      this.enter(wasReady ? 'restarting' : 'starting');
      const outcome = await Promise.race([
        exited,
        this.becomeReady(wasReady ? Number.POSITIVE_INFINITY : deadline),
      ]);
      if (outcome === 'ready') {
        this.enter('ready');
        wasReady = true;
        onReady();
      }
      if (outcome === 'late') {
        onFailed(this.failure('it did not answer in time'));
        this.kill();
      }
      const how = await exited;
      if (this.stopping.signal.aborted) break;
      deaths += 1;
      if (!wasReady && deaths >= ATTEMPTS_BEFORE_FIRST_READY) {
        onFailed(this.failure(`its process ended ${deaths} times (${how})`));
        return;
      }
      if (Date.now() - startedAt > BACKOFF_MS.forgottenAfter) backoffMs = BACKOFF_MS.first;
      this.restarts += 1;
      this.enter('restarting');
      await delay(backoffMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MS.most);
    }
    onFailed(this.failure('it was stopped before it was ready'));
  }

  /** Never throws: what keeps a process from being started counts as a death of it, and is tried again as such. */
  private spawnOnce(): Promise<string> {
    try {
      return this.spawnProcess();
    } catch (error) {
      this.child = undefined;
      return Promise.resolve(reasonOf(error));
    }
  }

  private spawnProcess(): Promise<string> {
    this.spec.prepare?.();
    const child = this.spawnWithLog();
    this.child = child;
    this.identity = undefined;
    if (child.pid !== undefined) {
      void identify(child.pid).then((identity) => {
        this.identity = identity;
        this.onChange(this.status());
      });
    }
    return new Promise((resolve) => {
      child.once('error', (error) => resolve(reasonOf(error)));
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
  }

  private spawnWithLog(): ChildProcess {
    const log = openSync(this.spec.logFile, 'a');
    try {
      return spawn(this.spec.command, this.spec.args, {
        cwd: this.spec.cwd,
        env: { ...serviceEnvironment(), ...this.spec.env },
        stdio: ['ignore', log, log],
        detached: true,
        ...(this.spec.uid === undefined ? {} : { uid: this.spec.uid, gid: this.spec.gid }),
      });
    } finally {
      closeSync(log);
    }
  }

  private async becomeReady(deadline: number): Promise<'ready' | 'late' | 'gone'> {
    const child = this.child;
    for (;;) {
      if (this.stopping.signal.aborted || this.child !== child || child?.exitCode !== null) return 'gone';
      try {
        await this.spec.ready();
        return 'ready';
      } catch {
        // Not ready is the normal answer of a starting service; why it never became ready stands in its log.
        if (Date.now() > deadline) return 'late';
        await delay(250);
      }
    }
  }

  private enter(phase: ServicePhase): void {
    this.phase = phase;
    this.onChange(this.status());
  }

  private failure(reason: string): ServiceStartError {
    return new ServiceStartError(this.spec.name, reason, this.spec.logFile, lastLines(this.spec.logFile, 5));
  }
}

function keepPreviousLog(logFile: string): void {
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
}

function lastLines(logFile: string, count: number): string {
  if (!existsSync(logFile)) return '';
  return tailOf(logFile)
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => `  ${line.slice(0, 300)}`)
    .join('\n');
}

const TAIL_BYTES = 64 * 1024;

/** A log may be larger than any text Node can hold. */
function tailOf(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, tail, 0, tail.length, size - tail.length);
    return tail.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}
