/** Brings workers up with the system: what its checkout makes is deployed, or what served before serves on. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { recordWish } from '../clients/gate-verdicts.ts';
import { connectDatabase, type Database, type PostgresOptions } from '../clients/postgres.ts';
import {
  type DeployFacts,
  type DeployStep,
  drainingBuilds,
  lostSentence,
  stepSentences,
} from '../domain/deploy-steps.ts';
import { wishAtStart } from '../domain/deploy-wishes.ts';
import type { Progress } from './progress.ts';
import type { RunningServices } from './services.ts';
import { WorkerDeploys } from './worker-deploys.ts';
import { createWorkerHost } from './worker-host.ts';
import { verifyBuild } from './workers.ts';

export interface WorkersToStart {
  readonly services: RunningServices;
  readonly client: Client;
  readonly database: PostgresOptions;
  /** What this checkout makes. */
  readonly buildId: string;
}

export interface RunningWorkers {
  /** Deploys nothing any more; the workers themselves run on. */
  stop(): Promise<void>;
}

/** Returns when a worker of the current build does its work; deploys go on in the background. @throws ServiceStartError */
export async function startWorkers(
  { services, client, database: options, buildId }: WorkersToStart,
  progress: Progress,
): Promise<RunningWorkers> {
  const { config, logDir } = services.context;
  const database = connectDatabase({ ...options, connections: 2 });
  const deploys = new WorkerDeploys({
    client,
    database,
    host: createWorkerHost(services),
    verify: (build) => verifyBuild(services, build),
    watchMs: config.values.DEPLOY_WATCH_SECONDS * 1_000,
    drainMs: config.values.DEPLOY_DRAIN_SECONDS * 1_000,
    now: () => new Date(),
    tell: (text) => appendFileSync(join(logDir, 'deploys.log'), `${new Date().toISOString()} ${text}\n`),
  });
  const stop = async (): Promise<void> => {
    await deploys.stop();
    await database.close();
  };
  try {
    await progress.step(`Worker ${buildId}`, (detail) =>
      untilServed({ deploys, database, buildId, detail, note: (text) => progress.note('Workers', text) }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  deploys.run();
  return { stop };
}

interface Start {
  readonly deploys: WorkerDeploys;
  readonly database: Database;
  readonly buildId: string;
  readonly detail: (text: string) => void;
  readonly note: (text: string) => void;
}

const PAUSE_MS = 200;

async function untilServed({ deploys, database, buildId, detail, note }: Start): Promise<string | undefined> {
  const decision = wishAtStart((await deploys.know()).facts, buildId);
  if (decision.kind === 'record') await recordWish(database, { buildId, kind: decision.wish });
  if (decision.kind === 'stay')
    note(
      `build ${buildId} of this checkout was taken back (${decision.reason}), so the one before serves on; \`npx hourglass workers deploy\` deploys it again`,
    );
  for (;;) {
    const step = await deploys.pass();
    const { facts } = await deploys.know();
    if (isServed(facts, step)) {
      for (const draining of drainingBuilds(facts, 0)) if (draining.isLost) note(lostSentence(draining));
      return served(facts, step, buildId, note);
    }
    if (deploys.lastStartError !== undefined && !hasWorker(facts)) throw deploys.lastStartError;
    detail(stepSentences[step.kind]);
    await delay(PAUSE_MS);
  }
}

/** Steps after which nothing is changed for a while. */
const SETTLED: readonly DeployStep['kind'][] = ['rest', 'refused', 'lost', 'watch', 'pass-watch'];

function isServed({ currentBuild, versions }: DeployFacts, { kind }: DeployStep): boolean {
  const current = versions.find(({ buildId }) => buildId === currentBuild);
  return SETTLED.includes(kind) && current?.worker === 'ready';
}

const hasWorker = ({ versions }: DeployFacts): boolean => versions.some(({ worker }) => worker !== 'none');

function served(
  { currentBuild }: DeployFacts,
  step: DeployStep,
  present: string,
  note: Start['note'],
): string | undefined {
  if (step.kind === 'refused')
    note(
      `build ${step.buildId} is refused by the ${step.gate} gate, so ${currentBuild} serves on: ${step.reason}. \`npx hourglass workers status\` tells more`,
    );
  return currentBuild === present ? undefined : `build ${currentBuild} serves`;
}
