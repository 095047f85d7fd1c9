/**
 * Carries deploys of workers out: each pass looks how things are, has the next step decided (`domain/deploy-steps.ts`), takes it, and
 * starts and stops workers as they are needed. It keeps nothing that the next pass, or another process, would have to know.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { type KnownDeploy, knownDeploy } from '../clients/deploy-facts.ts';
import { recordVerdict } from '../clients/gate-verdicts.ts';
import type { Queries } from '../clients/postgres.ts';
import { smokeTest } from '../clients/smoke-gate.ts';
import { makeCurrent, signalActors } from '../clients/worker-deployments.ts';
import {
  type DeployFacts,
  type DeployStep,
  drainingBuilds,
  type Gate,
  lostSentence,
  type Need,
  neededWorkers,
  nextStep,
} from '../domain/deploy-steps.ts';
import { reasonOf } from '../domain/errors.ts';
import { InterruptedError } from './progress.ts';
import type { WorkerHost } from './worker-host.ts';

export interface DeployDeps {
  readonly client: Client;
  readonly database: Queries;
  readonly host: WorkerHost;
  /** Replays histories by the build and stores the verdict. */
  readonly verify: (buildId: string) => Promise<void>;
  readonly watchMs: number;
  /** After so long what is still open on older builds is told. */
  readonly drainMs: number;
  /** Told of each thing that is done, and of what goes wrong; the same thing is told once. */
  readonly tell: (text: string) => void;
  readonly now: () => Date;
}

const PAUSE_MS = { underWay: 500, atRest: 3_000, afterFailure: 5_000 } as const;
/** How often the actors are told to look for the current build, and how long that is done so often. */
const SIGNAL_EVERY_MS = { first: 3_000, later: 60_000, laterAfter: 120_000 } as const;
/** A worker that does not start, after some tries of the supervisor's, is tried again so much later. */
const RETRY_MS = 15_000;
/** A worker that is ready polls at once; the server has seen it within seconds. */
const POLLS_WITHIN_MS = 120_000;

type Of<Kind extends DeployStep['kind']> = Extract<DeployStep, { readonly kind: Kind }>;

export class WorkerDeploys {
  private readonly deps: DeployDeps;
  private readonly stopping = new AbortController();
  private readonly busy = new Map<string, Promise<void>>();
  private readonly retryAtMs = new Map<string, number>();
  private signalledAtMs = 0;
  private awaited: { readonly buildId: string; readonly sinceMs: number } | undefined;
  private readonly told = new Map<string, string>();
  private lifetime: Promise<void> = Promise.resolve();
  /** Why the last worker did not start that was to. */
  lastStartError: unknown;

  constructor(deps: DeployDeps) {
    this.deps = deps;
  }

  async know(): Promise<KnownDeploy> {
    const { client, database, host, watchMs, now } = this.deps;
    return knownDeploy(client, database, await host.local(), { watchMs, now: now() });
  }

  /** Goes on until `stop`, whatever fails meanwhile. */
  run(): void {
    this.lifetime = this.live();
  }

  /** No worker is started or stopped any more when this has resolved, but for those that are being so. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.lifetime;
  }

  /** One look, one step. @returns the step that was taken @throws InterruptedError after `stop`, and what the doors throw */
  async pass(): Promise<DeployStep> {
    if (this.stopping.signal.aborted) throw new InterruptedError();
    const { facts } = await this.know();
    const step = nextStep(facts);
    this.keepWorkers(facts, neededWorkers(facts));
    await this.take(step);
    await this.moveActors(facts);
    this.tellOfRemains(facts);
    return step;
  }

  private async live(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      let pauseMs: number = PAUSE_MS.afterFailure;
      try {
        const { kind } = await this.pass();
        pauseMs = kind === 'rest' || kind === 'refused' ? PAUSE_MS.atRest : PAUSE_MS.underWay;
      } catch (error) {
        if (!signal.aborted) this.tell(`a pass failed and is repeated: ${reasonOf(error)}`);
      }
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private tell(text: string, about = 'the deploy'): void {
    if (this.told.get(about) === text) return;
    this.told.set(about, text);
    this.deps.tell(text);
  }

  private tellOfRemains(facts: DeployFacts): void {
    for (const draining of drainingBuilds(facts, this.deps.drainMs)) {
      const { buildId, openRuns, isLost, isOverdue, isTakenBack } = draining;
      if (isLost) this.tell(lostSentence(draining), buildId);
      else if (isTakenBack)
        this.tell(
          `runs are still open on build ${buildId}, which was taken back: \`npx hourglass workers status\` names those that hang`,
          `what is open on ${buildId}`,
        );
      else if (isOverdue)
        this.tell(
          `${openRuns} runs are still open on build ${buildId}: \`npx hourglass workers drain\` lists them`,
          buildId,
        );
    }
  }

  private async take(step: DeployStep): Promise<void> {
    const { client, database, verify } = this.deps;
    switch (step.kind) {
      case 'verify':
        this.tell(`replay gate of ${step.buildId}`);
        return this.unlessStopped(verify(step.buildId)).catch((error) =>
          this.fail(step.buildId, 'replay', error),
        );
      case 'smoke': {
        this.tell(`smoke gate of ${step.buildId}`);
        const { buildId } = step;
        const verdict = await this.unlessStopped(smokeTest(client, buildId));
        return recordVerdict(database, { buildId, gate: 'smoke', ...verdict });
      }
      case 'make-current':
      case 'roll-back':
        await makeCurrent(client, step.buildId);
        return this.tell(
          step.kind === 'make-current' ? `${step.buildId} is current` : `rolled back to ${step.buildId}`,
        );
      case 'pass-watch':
        await recordVerdict(database, { buildId: step.buildId, gate: 'watch', passed: true });
        return this.tell(`${step.buildId} has proved itself`);
      case 'fail-watch': {
        const { buildId, reason } = step;
        await recordVerdict(database, { buildId, gate: 'watch', passed: false, reason });
        return this.tell(`${buildId} is taken back: ${reason}`);
      }
      // Workers are started and stopped as they are needed, at this step and at any other.
      case 'await-pollers':
        return this.awaitPollers(step);
      case 'start':
      case 'watch':
      case 'rest':
        return;
      case 'refused':
        return this.tell(`${step.buildId} is refused by the ${step.gate} gate: ${step.reason}`);
      case 'lost':
        return this.tell(`the directory of build ${step.buildId} is gone`);
    }
  }

  /** A queue that the build does not know, or whose poller never comes, is a failed start. Another process waits anew. */
  private async awaitPollers({ buildId, unpolled }: Of<'await-pollers'>): Promise<void> {
    const nowMs = this.deps.now().getTime();
    if (this.awaited?.buildId !== buildId || unpolled.length === 0)
      this.awaited = { buildId, sinceMs: nowMs };
    if (nowMs - this.awaited.sinceMs < POLLS_WITHIN_MS) return;
    const error = new Error(`no worker of it polls ${unpolled.join(', ')}`);
    this.awaited = undefined;
    await this.fail(buildId, 'start', error);
  }

  /** @throws InterruptedError as soon as `stop` is called, whatever becomes of the work */
  private async unlessStopped<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.stopping;
    const stopped = new AbortController();
    const interrupted = new Promise<never>((_, reject) => {
      const interrupt = (): void => reject(new InterruptedError());
      if (signal.aborted) interrupt();
      signal.addEventListener('abort', interrupt, { once: true, signal: stopped.signal });
    });
    return Promise.race([work, interrupted]).finally(() => stopped.abort());
  }

  /** Starts what is needed and stops what is not, without waiting for either. */
  private keepWorkers(
    { versions, nowMs, wish, currentBuild }: DeployFacts,
    needs: ReadonlyMap<string, Need>,
  ): void {
    for (const { buildId, hasFiles, worker } of versions) {
      if (this.busy.has(buildId) || this.stopping.signal.aborted) continue;
      const need = needs.get(buildId);
      if (need === undefined && worker !== 'none') this.begin(buildId, () => this.stopWorker(buildId));
      if (need === undefined || worker !== 'none' || !hasFiles) continue;
      if (nowMs < (this.retryAtMs.get(buildId) ?? 0)) continue;
      // What has served before does so again once it can be started.
      const isOnTrial = buildId === wish?.buildId && buildId !== currentBuild;
      this.begin(buildId, () => this.startWorker(buildId, isOnTrial));
    }
  }

  private begin(buildId: string, work: () => Promise<void>): void {
    const done = work()
      .catch((error) => this.tell(`the worker of ${buildId}: ${reasonOf(error)}`))
      .finally(() => this.busy.delete(buildId));
    this.busy.set(buildId, done);
  }

  private async stopWorker(buildId: string): Promise<void> {
    const said = await this.deps.host.stop(buildId);
    if (said !== undefined) this.tell(said);
  }

  private async startWorker(buildId: string, isOnTrial: boolean): Promise<void> {
    try {
      await this.deps.host.start(buildId);
      this.tell(`the worker of ${buildId} runs`);
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      this.lastStartError = error;
      this.retryAtMs.set(buildId, this.deps.now().getTime() + RETRY_MS);
      if (isOnTrial) await this.fail(buildId, 'start', error);
      else throw error;
    }
  }

  /** What a gate could not be carried out with is its verdict: a deploy does not wait for what nobody mends. */
  private async fail(buildId: string, gate: Gate, error: unknown): Promise<void> {
    // What ends with the system says nothing of the build.
    if (this.stopping.signal.aborted) throw new InterruptedError();
    const reason = sentenceOf(reasonOf(error));
    await recordVerdict(this.deps.database, { buildId, gate, passed: false, reason });
  }

  private async moveActors({ currentBuild, currentSinceMs, nowMs }: DeployFacts): Promise<void> {
    if (currentBuild === undefined) return;
    const isFresh = nowMs - (currentSinceMs ?? 0) < SIGNAL_EVERY_MS.laterAfter;
    const everyMs = isFresh ? SIGNAL_EVERY_MS.first : SIGNAL_EVERY_MS.later;
    if (nowMs - this.signalledAtMs < everyMs) return;
    this.signalledAtMs = nowMs;
    await signalActors(this.deps.client, currentBuild);
  }
}

/** Of a message with the last lines of a log: what happened, and the last thing that was said. */
function sentenceOf(message: string): string {
  const lines = message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '));
  return [...new Set([lines[0], lines.at(-1)])].join(' ').slice(0, MOST_CHARACTERS);
}

const MOST_CHARACTERS = 600;
