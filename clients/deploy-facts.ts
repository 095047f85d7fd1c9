/** Gathers what a deploy is decided from: what Temporal says, what is stored, and what runs here. What follows is decided in `domain/deploy-steps.ts`. */
import type { Client } from '@temporalio/client';
import {
  type DeployFacts,
  isWatching,
  type VersionFacts,
  type WatchedFailures,
} from '../domain/deploy-steps.ts';
import { deploymentName, taskQueues } from '../domain/task-queues.ts';
import { gateVerdicts, type StoredVerdict, type StoredWish, workerWish } from './gate-verdicts.ts';
import type { Queries } from './postgres.ts';
import {
  type DeployedVersion,
  describeWorkerDeployment,
  polledQueues,
  watchedFailures,
} from './worker-deployments.ts';

/** What is here, where workers are started. */
export interface LocalBuilds {
  readonly builds: readonly string[];
  readonly workers: ReadonlyMap<string, 'starting' | 'ready'>;
}

export interface KnownDeploy {
  readonly facts: DeployFacts;
  readonly wish: StoredWish | undefined;
  readonly verdicts: readonly StoredVerdict[];
}

const NOTHING_FAILED: WatchedFailures = { failedRuns: 0, failedRunsBefore: 0, stuck: [] };

/** @throws PostgresError, and what the server answers */
export async function knownDeploy(
  client: Client,
  database: Queries,
  local: LocalBuilds,
  { watchMs, now = new Date() }: { readonly watchMs: number; readonly now?: Date },
): Promise<KnownDeploy> {
  const [deployment, wish, verdicts] = await Promise.all([
    describeWorkerDeployment(client),
    workerWish(database),
    gateVerdicts(database),
  ]);
  const nowMs = now.getTime();
  const known = new Map(deployment.versions.map((version) => [version.buildId, version]));
  const builds = new Set([...known.keys(), ...local.builds, ...(wish === undefined ? [] : [wish.buildId])]);
  const versions = await Promise.all(
    [...builds].map((buildId) =>
      versionFacts(client, { buildId, version: known.get(buildId), local, verdicts, nowMs }),
    ),
  );
  const { currentBuild, currentSinceMs } = deployment;
  const facts = { nowMs, wish, currentBuild, currentSinceMs, versions, watchMs, failures: NOTHING_FAILED };
  if (currentBuild === undefined || currentSinceMs === undefined || !isWatching(facts))
    return { facts, wish, verdicts };
  const watched = { buildId: currentBuild, sinceMs: currentSinceMs, watchMs };
  const failures = await watchedFailures(client, watched);
  return { facts: { ...facts, failures }, wish, verdicts };
}

interface AskedVersion {
  readonly buildId: string;
  readonly version: DeployedVersion | undefined;
  readonly local: LocalBuilds;
  readonly verdicts: readonly StoredVerdict[];
  readonly nowMs: number;
}

async function versionFacts(
  client: Client,
  { buildId, version, local, verdicts, nowMs }: AskedVersion,
): Promise<VersionFacts> {
  const worker = local.workers.get(buildId) ?? 'none';
  const isServing = version?.status === 'current';
  // Nothing is open on a version that is drained, unless somebody pins a run to it, which a worker that still runs would serve.
  const isAsked = version !== undefined && (version.status !== 'drained' || worker !== 'none');
  const [openRuns, unpolled] = await Promise.all([
    isAsked ? countOpenRuns(client, buildId) : 0,
    worker === 'ready' && !isServing ? unpolledQueues(client, buildId, nowMs) : [],
  ]);
  const own = verdicts.filter((verdict) => verdict.buildId === buildId);
  return {
    ...{ buildId, worker, unpolled, openRuns },
    hasFiles: local.builds.includes(buildId),
    status: version?.status ?? 'unknown',
    lastCurrentMs: version?.lastCurrentMs,
    ceasedMs: version?.ceasedMs,
    verdicts: Object.fromEntries(own.map((verdict) => [verdict.gate, verdict])),
  };
}

async function unpolledQueues(client: Client, buildId: string, nowMs: number): Promise<readonly string[]> {
  const polled = await polledQueues(client, buildId, nowMs);
  return Object.values(taskQueues).filter((queue) => !polled.includes(queue));
}

/** Pinned runs need workers of their build. */
async function countOpenRuns(client: Client, buildId: string): Promise<number> {
  const { count } = await client.workflow.count(
    `TemporalWorkerDeploymentVersion = '${deploymentName}:${buildId}' AND ExecutionStatus = 'Running'`,
  );
  return count;
}
