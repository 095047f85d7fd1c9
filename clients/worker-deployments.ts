/** The door to the worker deployment as Temporal knows it: its versions, who polls, what is open, and which is current. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { StuckRun, VersionStatus, WatchedFailures } from '../domain/deploy-steps.ts';
import { SMOKE_TEST } from '../domain/identities.ts';
import { deploymentName, taskQueues } from '../domain/task-queues.ts';
import { jobMessages } from '../schemas/job.ts';

const GRPC = { notFound: 5 } as const;

/** A poll lasts a minute at most: whoever polled longer ago than this does so no more. */
const POLLS_WITHIN_MS = 70_000;
/** So many open runs are asked for their workflow task; a fault that only some runs have shows in any of them. */
const MOST_DESCRIBED = 100;
/** A task that has failed, or timed out, so many times does not recover by itself. A worker that was killed makes for one. */
const STUCK_ATTEMPT = 4;
/** An activity is tried so many times in 45 seconds: what it asks may be away for less, whichever build is current. */
const WEDGED_ATTEMPT = 8;

export interface DeployedVersion {
  readonly buildId: string;
  readonly status: VersionStatus;
  readonly lastCurrentMs: number | undefined;
  readonly ceasedMs: number | undefined;
  readonly createdMs: number | undefined;
}

export interface WorkerDeployment {
  readonly currentBuild: string | undefined;
  readonly currentSinceMs: number | undefined;
  readonly versions: readonly DeployedVersion[];
}

/** The server's names of a version's status, at their numbers. */
const STATUSES: readonly VersionStatus[] = [
  'unknown',
  'inactive',
  'current',
  // One that new runs ramp up to; nothing of ours does that, and it serves.
  'current',
  'draining',
  'drained',
  // Made, and never polled for.
  'inactive',
];

/** Without any version when no worker has ever polled. */
export async function describeWorkerDeployment(client: Client): Promise<WorkerDeployment> {
  try {
    const { workerDeploymentInfo } = await client.workflowService.describeWorkerDeployment({
      namespace: client.options.namespace,
      deploymentName,
    });
    const { routingConfig, versionSummaries } = workerDeploymentInfo ?? {};
    return {
      currentBuild: routingConfig?.currentDeploymentVersion?.buildId ?? undefined,
      currentSinceMs: millisecondsOf(routingConfig?.currentVersionChangedTime),
      versions: (versionSummaries ?? []).flatMap((version) => {
        const buildId = version.deploymentVersion?.buildId;
        if (!buildId) return [];
        const lastCurrentMs =
          millisecondsOf(version.lastCurrentTime) ?? millisecondsOf(version.currentSinceTime);
        const ceasedMs = millisecondsOf(version.lastDeactivationTime);
        const createdMs = millisecondsOf(version.createTime);
        const status = statusOf(version.status, lastCurrentMs);
        return [{ buildId, status, lastCurrentMs, ceasedMs, createdMs }];
      }),
    };
  } catch (error) {
    if ((error as { code?: number }).code === GRPC.notFound)
      return { currentBuild: undefined, currentSinceMs: undefined, versions: [] };
    throw error;
  }
}

/** Just after its demotion the server may not say yet that a version drains; one that was never current does not. */
function statusOf(status: number | null | undefined, lastCurrentMs: number | undefined): VersionStatus {
  const said = STATUSES[status ?? 0] ?? 'unknown';
  return said === 'unknown' && lastCurrentMs !== undefined ? 'draining' : said;
}

type Timestamp =
  | { seconds?: { toString(): string } | number | null; nanos?: number | null }
  | null
  | undefined;

function millisecondsOf(time: Timestamp): number | undefined {
  const seconds = Number(time?.seconds?.toString() ?? 0);
  return seconds === 0 ? undefined : seconds * 1_000 + Math.floor((time?.nanos ?? 0) / 1e6);
}

/** The task queues on which the server has seen a worker of the build ask for work of late. */
export async function polledQueues(
  client: Client,
  buildId: string,
  nowMs: number,
): Promise<readonly string[]> {
  const queues = Object.values(taskQueues);
  const polled = await Promise.all(queues.map((queue) => isPolled(client, queue, buildId, nowMs)));
  return queues.filter((_, index) => polled[index]);
}

/** Types of task queues, as the server numbers them. */
export const QUEUE_TYPES = { workflow: 1, activity: 2 } as const;

async function isPolled(client: Client, name: string, buildId: string, nowMs: number): Promise<boolean> {
  const taskQueueType = name === taskQueues.control ? QUEUE_TYPES.workflow : QUEUE_TYPES.activity;
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    taskQueueType,
    reportPollers: true,
  });
  return (pollers ?? []).some(
    ({ deploymentOptions, lastAccessTime }) =>
      deploymentOptions?.buildId === buildId &&
      (millisecondsOf(lastAccessTime) ?? 0) > nowMs - POLLS_WITHIN_MS,
  );
}

const versionOf = (buildId: string): string =>
  `TemporalWorkerDeploymentVersion = '${deploymentName}:${buildId}'`;

/** How many runs are open on a build, by workflow type. */
export async function openRunsByType(
  client: Client,
  buildId: string,
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  const query = `${versionOf(buildId)} AND ExecutionStatus = 'Running'`;
  for await (const { type } of client.workflow.list({ query })) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

export interface OpenRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  readonly startedAt: Date;
}

/** At most so many of the runs that are open on a build, the oldest last. */
export async function openRunsOf(client: Client, buildId: string, most: number): Promise<readonly OpenRun[]> {
  const runs: OpenRun[] = [];
  const query = `${versionOf(buildId)} AND ExecutionStatus = 'Running'`;
  for await (const { workflowId, runId, type, startTime } of client.workflow.list({ query })) {
    if (runs.length === most) break;
    runs.push({ workflowId, runId, type, startedAt: startTime });
  }
  return runs;
}

/**
 * What failed on a build since it is current, until its watch is over, beside what failed in as long a time before: a shorter one
 * would know nothing of what fails now and then. Smoke tests tell for themselves.
 */
export async function watchedFailures(
  client: Client,
  { buildId, sinceMs, watchMs }: { buildId: string; sinceMs: number; watchMs: number },
): Promise<WatchedFailures> {
  const failed = async (query: string): Promise<number> =>
    (
      await client.workflow.count(
        `(ExecutionStatus = 'Failed' OR ExecutionStatus = 'TimedOut') AND WorkflowType != '${SMOKE_TEST}' AND ${query}`,
      )
    ).count;
  const closed = (fromMs: number, toMs: number): string =>
    `CloseTime >= '${isoOf(fromMs)}' AND CloseTime < '${isoOf(toMs)}'`;
  const [failedRuns, failedRunsBefore, stuck] = await Promise.all([
    failed(`${versionOf(buildId)} AND ${closed(sinceMs, sinceMs + watchMs)}`),
    failed(closed(sinceMs - watchMs, sinceMs)),
    // A run whose first task never succeeds has no version yet. What hung before hangs whichever build is current.
    stuckRuns(
      client,
      `(${versionOf(buildId)} OR TemporalWorkerDeploymentVersion IS NULL) AND StartTime >= '${isoOf(sinceMs)}'`,
    ),
  ]);
  return { failedRuns, failedRunsBefore, stuck };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** The runs of a build that hang, whenever they began. */
export const stuckRunsOf = (client: Client, buildId: string): Promise<readonly StuckRun[]> =>
  stuckRuns(client, versionOf(buildId));

async function stuckRuns(client: Client, query: string): Promise<readonly StuckRun[]> {
  const stuck: StuckRun[] = [];
  let asked = 0;
  for await (const { workflowId, runId } of client.workflow.list({
    query: `${query} AND ExecutionStatus = 'Running'`,
  })) {
    if (asked === MOST_DESCRIBED) break;
    asked += 1;
    const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
    const taskAttempt = raw.pendingWorkflowTask?.attempt ?? 0;
    const activity = raw.pendingActivities?.find(isWedged);
    if (taskAttempt >= STUCK_ATTEMPT) stuck.push({ workflowId, attempt: taskAttempt });
    else if (activity != null)
      stuck.push({ workflowId, attempt: activity.attempt ?? 0, activity: activity.activityType?.name ?? '' });
  }
  return stuck;
}

type Description = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>;
type PendingActivity = NonNullable<Description['raw']['pendingActivities']>[number];

/** One that is tried so long as the run is open: nothing else ever says that it fails. */
function isWedged({ attempt, maximumAttempts, expirationTime, lastFailure }: PendingActivity): boolean {
  const isEndless = !maximumAttempts && millisecondsOf(expirationTime) === undefined;
  return isEndless && lastFailure != null && (attempt ?? 0) >= WEDGED_ATTEMPT;
}

/** New runs start on this build from now on. Setting what is current changes nothing. */
export async function makeCurrent(client: Client, buildId: string): Promise<void> {
  await client.workflowService.setWorkerDeploymentCurrentVersion({
    namespace: client.options.namespace,
    deploymentName,
    buildId,
    ignoreMissingTaskQueues: true,
    identity: 'hourglass',
  });
}

/**
 * Tells the actors that are not on the current build to look for it: the flag that tells them is refreshed only by a workflow task.
 * @returns how many there are
 */
export async function signalActors(client: Client, currentBuild: string): Promise<number> {
  const query = `WorkflowType = '${ACTOR}' AND ExecutionStatus = 'Running' AND TemporalWorkerDeploymentVersion != '${deploymentName}:${currentBuild}'`;
  let signalled = 0;
  for await (const { workflowId } of client.workflow.list({ query })) {
    await client.workflow
      .getHandle(workflowId)
      .signal(jobMessages.versionChanged)
      .catch((error) => {
        // It has ended meanwhile.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
    signalled += 1;
  }
  return signalled;
}

/** Long-lived, and woken by nothing but its own timers and commands. */
const ACTOR = 'flinkJob';

/** Ends every run that is open on a build, which nothing can serve any more. @returns how many were ended */
export async function terminateRuns(client: Client, buildId: string, reason: string): Promise<number> {
  let ended = 0;
  for (const { workflowId, runId } of await openRunsOf(client, buildId, Number.POSITIVE_INFINITY)) {
    await client.workflow
      .getHandle(workflowId, runId)
      .terminate(reason)
      .catch((error) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
    ended += 1;
  }
  return ended;
}
