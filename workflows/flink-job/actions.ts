/** What a Flink job's actor can do, an action of `domain/job-machine.ts` each. */
import { ActivityCancellationType, condition, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { FlinkActivities } from '../../activities/flink.ts';
import type { SavepointActivities, SavepointOutcome } from '../../activities/savepoints.ts';
import { flinkId } from '../../domain/identities.ts';
import { eventOf, isNews, type Judgement } from '../../domain/job-health.ts';
import {
  backoffMs,
  failuresAfter,
  failuresThatCount,
  isBudgetSpent,
  type JobAction,
  targetOf,
} from '../../domain/job-machine.ts';
import {
  confirmedUpgrades,
  isGivenUp,
  isUnconfirmed,
  pausedUpgrade,
  rolledBack,
  snapshotsInUse,
  startOfUpgrade,
  submittedUpgrade,
  upgradeAfterFailure,
  upgradeAfterLook,
  withSnapshot,
} from '../../domain/job-upgrade.ts';
import { type JobState, NOTHING, type SavepointRequest } from '../../schemas/job.ts';
import { isDecided, long, quick, reasonOfFailure, retry } from './calls.ts';
import type { JobMemory } from './memory.ts';

const { describeVersion, recordJobTarget } = proxyActivities<FlinkActivities>(quick);
const { findCheckpoint, findRestorePoint } = proxyActivities<SavepointActivities>(quick);
const { submitJob } = proxyActivities<FlinkActivities>({
  ...long,
  // Statements are compiled without a sign of life.
  heartbeatTimeout: '30 seconds',
  startToCloseTimeout: '3 minutes',
  // A gateway or JobManager that is away longer than this is waited for by the next try of the same submission.
  scheduleToCloseTimeout: '5 minutes',
  summary: 'Submit the job unless Flink has it',
});
const { cancelJob } = proxyActivities<FlinkActivities>({
  ...long,
  startToCloseTimeout: '5 minutes',
  summary: 'Cancel the job',
});
const { takeSavepoint, stopJobWithSavepoint } = proxyActivities<SavepointActivities>({
  ...long,
  startToCloseTimeout: '1 hour',
  summary: 'Take a savepoint',
});
const { pruneSnapshots } = proxyActivities<SavepointActivities>({
  ...long,
  startToCloseTimeout: '10 minutes',
  retry: { ...retry, maximumAttempts: 3 },
  summary: 'Dispose of what retention no longer keeps',
});
const { watchJob } = proxyActivities<FlinkActivities>({
  ...long,
  startToCloseTimeout: '35 minutes',
  // It only looks, so a command need not wait until it has noticed.
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  summary: 'Watch the job',
});

const WATCH_MS = 30 * 60_000;
/** How soon a notice that was not delivered is tried again. */
const UNDELIVERED_MS = 60_000;

export function actionsOn(
  memory: JobMemory,
): Readonly<Record<Exclude<JobAction, 'end'>, () => Promise<unknown>>> {
  const submit = async (): Promise<void> => {
    if (memory.state.phase !== 'submitting' && !(await recordTarget(memory))) return;
    const { name, version, attempt, jobId, restorePath } = memory.state;
    try {
      await submitJob({ name, version, attempt, jobId, restorePath });
      memory.enter('submitted', { reason: '' });
    } catch (error) {
      const reason = reasonOfFailure(error);
      // What does not answer says nothing about the job: the same submission goes on.
      if (isDecided(error))
        memory.enter('refused', {
          ...{ failures: failuresAfter(memory.state, Date.now()), reason },
          upgrades: upgradeAfterFailure(memory.state, reason),
        });
      else memory.explain(reason);
    }
  };
  return {
    submit,
    async recover() {
      const { failures, policy } = memory.state;
      if (isBudgetSpent(memory.state)) memory.enter('gaveUp');
      else if (!(await memory.untilChange(backoffMs(failures, policy)))) await submit();
    },
    watch: () => watch(memory),
    savepoint: () => savepoint(memory),
    suspend: () => suspend(memory),
    settle: async () => memory.enter('suspended', { upgrades: pausedUpgrade(memory.state.upgrades) }),
    rollBack: async () => memory.enter('rolledBack', rolledBack(memory.state, Date.now())),
    rest: () => memory.untilChange(memory.state.alert?.isDelivered === false ? UNDELIVERED_MS : undefined),
  };
}

/** @returns whether there is something to submit */
async function recordTarget(memory: JobMemory): Promise<boolean> {
  if (memory.state.desiredVersion === '') {
    const { version, policy } = await describeVersion({ name: memory.state.name });
    // The deploy that started this actor may have named another one meanwhile.
    if (memory.state.desiredVersion === '') memory.change({ desiredVersion: version, policy });
  }
  const { name, desiredVersion: version, restart, restorePath: own } = memory.state;
  const from = whatToStartFrom(memory.state);
  const isNamed = from !== '' && from !== NOTHING;
  const wanted = from === '' ? own : isNamed ? from : '';
  const before = memory.changes;
  const { path, note } = await findRestorePoint({ name, restorePath: wanted });
  // The deploy that started this actor may still be looking up the snapshot that it names.
  if (memory.startsBeingNamed > 0) await condition(() => memory.startsBeingNamed === 0);
  // A command that came meanwhile, or with the start of this actor, may want something else: it is decided again.
  if (memory.changes !== before || targetOf(memory.state) !== 'running') return false;
  if (path !== wanted && (isNamed || (path === '' && !memory.state.acceptsStateLoss))) {
    const remedy = `To start without state: hourglass job restart ${name} --from ${NOTHING} --accept-state-loss`;
    memory.enter('gaveUp', { reason: `${note}. ${remedy}` });
    return false;
  }
  const attempt = memory.state.attempt + 1;
  const jobId = flinkId(`${name}/${version}/${attempt}`);
  const target = { name, version, attempt, jobId, restorePath: path };
  await recordJobTarget(target);
  const reason = from === NOTHING ? 'without state, as it was commanded' : note;
  const kept = withSnapshot(memory.state, own);
  const upgrades = submittedUpgrade(kept, version, Date.now(), memory.state.policy);
  // A restart that was commanded while this one was recorded is another one: it stays wanted.
  const carriedOut = memory.state.restart === restart ? { restart: undefined, acceptsStateLoss: false } : {};
  memory.enter('targetRecorded', { ...target, ...carriedOut, upgrades, reason, stableSinceMs: 0 });
  await memory.record();
  return true;
}

/** A restart that was commanded says so; then a new version's first submission; then a rollback, which never takes another snapshot. */
function whatToStartFrom(state: JobState): string {
  const { restart, upgrades, restorePath } = state;
  return restart?.from || startOfUpgrade(state) || (upgrades.isRollingBack ? restorePath : '');
}

async function watch(memory: JobMemory): Promise<void> {
  const { name, jobId, phase, policy, version } = memory.state;
  const upgrades = submittedUpgrade(memory.state.upgrades, version, Date.now(), policy);
  // It runs as it is desired: to have permitted a start without state is no permission for the next loss.
  memory.change({ acceptsStateLoss: false, upgrades });
  const untilMs = watchForMs(memory.state, Date.now());
  const question = { name, jobId, phase, policy, untilMs, isUnconfirmed: isUnconfirmed(memory.state) };
  const seen = await memory.attend(() => watchJob(question));
  if (seen !== undefined) await takeIn(memory, seen);
}

async function takeIn(memory: JobMemory, seen: Judgement): Promise<void> {
  const { verdict, reason } = seen;
  const { name, jobId, phase, nextSavepointAtMs } = memory.state;
  const nowMs = Date.now();
  if (verdict === 'stable') {
    const next = nextSavepointAtMs === 0 ? nextSavepoint(memory.state) : nextSavepointAtMs;
    const proven = { reason, stableSinceMs: nowMs, nextSavepointAtMs: next };
    const event = isUnconfirmed(memory.state) ? 'confirmed' : 'becameStable';
    memory.enter(event, { ...proven, upgrades: confirmedUpgrades(memory.state) });
  } else if (verdict === 'lost') {
    // It may have run and made checkpoints before it was given up.
    const restorePath = (await findCheckpoint({ name, jobId })) || memory.state.restorePath;
    const failures = failuresAfter(memory.state, nowMs);
    const upgrades = upgradeAfterFailure(memory.state, reason);
    memory.enter('lost', { failures, reason, restorePath, upgrades, stableSinceMs: 0 });
  } else {
    memory.change({ upgrades: upgradeAfterLook(memory.state, seen, nowMs) });
    // What a version is given up for is told by its rollback.
    if (isGivenUp(memory.state)) return;
    if (!isNews(seen, phase)) return memory.explain(reason);
    const failures = failuresThatCount(memory.state, nowMs);
    memory.enter(eventOf(verdict), { reason, failures, stableSinceMs: 0 });
  }
}

/** Long enough for the looks that a confirmation needs, also when nobody looked until its deadline. */
const CONFIRMATION_MS = 15_000;

function watchForMs({ phase, alert, nextSavepointAtMs, version, upgrades }: JobState, nowMs: number): number {
  const longest = alert?.isDelivered === false ? UNDELIVERED_MS : WATCH_MS;
  if (isUnconfirmed({ version, upgrades }))
    return Math.min(longest, Math.max((upgrades.pending?.deadlineMs ?? 0) - nowMs, CONFIRMATION_MS));
  // Only of a stable job a savepoint becomes due.
  if (phase !== 'stable' || nextSavepointAtMs === 0) return longest;
  return Math.min(longest, Math.max(nextSavepointAtMs - nowMs, 1_000));
}

async function savepoint(memory: JobMemory): Promise<void> {
  const { jobId, nextSavepointAtMs, savepointRequests } = memory.state;
  const [asked] = savepointRequests;
  const periodic = { triggerId: flinkId(`${jobId}/${nextSavepointAtMs}`), kind: 'periodic' } as const;
  const outcome = await takeOne(memory.state, takeSavepoint, asked ?? periodic);
  memory.change({
    savepointRequests: memory.state.savepointRequests.slice(asked === undefined ? 0 : 1),
    nextSavepointAtMs: nextSavepoint(memory.state),
  });
  if (outcome.status === 'completed') await prune(memory.state);
}

const nextSavepoint = ({ policy }: JobState): number =>
  policy.savepointEveryMs === 0 ? 0 : Date.now() + policy.savepointEveryMs;

function takeOne(
  { name, version, jobId, policy }: JobState,
  take: SavepointActivities['takeSavepoint'],
  { triggerId, kind }: SavepointRequest,
): Promise<SavepointOutcome> {
  return take({ name, version, jobId, triggerId, kind, timeoutMs: policy.savepointTimeoutMs });
}

async function prune({ name, policy, restorePath, restart, upgrades }: JobState): Promise<void> {
  const { savepointsKept: count, savepointsKeptMs: ageMs } = policy;
  try {
    const inUse = [restorePath, restart?.from ?? '', ...snapshotsInUse(upgrades)];
    await pruneSnapshots({ name, count, ageMs, inUse });
  } catch (error) {
    // What could not be deleted is tried again with the next savepoint; the failed activity stands in the history.
    if (isCancellation(error)) throw error;
  }
}

async function suspend(memory: JobMemory): Promise<void> {
  if (memory.state.phase !== 'suspending') {
    memory.enter('suspendBegun');
    await memory.record();
  }
  const ended = await end(memory.state);
  const { restorePath = memory.state.restorePath } = ended;
  const upgrades = pausedUpgrade(withSnapshot(memory.state, restorePath));
  memory.enter('suspended', { ...ended, upgrades, failures: 0, savepointRequests: [] });
}

/** @returns what the job goes on from, and why that is not a savepoint of it */
async function end(state: JobState): Promise<Partial<JobState>> {
  const { jobId, upgrades } = state;
  if (upgrades.isRollingBack) {
    await cancelJob({ jobId });
    return {};
  }
  const isReplaced = !isUnconfirmed(state) && targetOf(state) === 'running';
  if (isReplaced && upgrades.pending?.mode === 'checkpoint')
    return cancel(state, 'the upgrade goes on from the last checkpoint');
  const triggerId = flinkId(`${jobId}/suspend`);
  const outcome = await takeOne(state, stopJobWithSavepoint, { triggerId, kind: 'suspend' });
  if (outcome.status === 'completed') return { restorePath: outcome.path, reason: '' };
  return cancel(state, `no savepoint could be taken (${outcome.reason})`);
}

/** Its newest retained checkpoint serves, and the history says why. */
async function cancel({ name, jobId, restorePath: own }: JobState, why: string): Promise<Partial<JobState>> {
  await cancelJob({ jobId });
  const restorePath = (await findCheckpoint({ name, jobId })) || own;
  const origin =
    restorePath === '' ? 'from the beginning, as it completed no checkpoint either' : `from ${restorePath}`;
  return { restorePath, reason: `${why}; it goes on ${origin}` };
}
