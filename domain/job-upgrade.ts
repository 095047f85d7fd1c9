/**
 * Decides what becomes of a new version of a job: from which the way back leads, when it is confirmed, and when it is given up.
 * The phases are `domain/job-machine.ts`'s; carrying it out is the actor's.
 *
 *   deploy ─▶ pending ─▶ submitted ─▶ confirmed: the version before and its snapshot are where `rollback` goes
 *                            └─▶ given up ─▶ rolled back: the version before goes on from its snapshot; the new one is rejected
 */
import type { JobPolicy, JobState, UpgradeMode, Upgrades } from '../schemas/job.ts';
import type { Judgement } from './job-health.ts';
import { jobPhases } from './job-phases.ts';
import { restoreFailure } from './restore-failures.ts';

type Pending = NonNullable<Upgrades['pending']>;
type Versions = Pick<JobState, 'phase' | 'version' | 'restorePath' | 'upgrades'>;

export interface AskedVersion {
  readonly version: string;
  readonly mode: UpgradeMode;
  /** What its first submission starts from; empty for the state of the version before. */
  readonly from: string;
  readonly parallelism: number;
}

/** Whether what runs, or was submitted last, is a version that has still to be confirmed. One on its way out is not tried any more. */
export const isUnconfirmed = ({ version, upgrades }: Pick<JobState, 'version' | 'upgrades'>): boolean =>
  upgrades.pending !== undefined && upgrades.pending.version === version && !upgrades.isRollingBack;

/** What is known of the versions after a deploy of one. The first version that there ever was has none to go back to. */
export function planUpgrade(state: Versions, asked: AskedVersion): Upgrades {
  const { version, mode, from, parallelism } = asked;
  const { pending, isRollingBack } = state.upgrades;
  const upgrades: Upgrades = { ...state.upgrades, parallelism, rejected: undefined };
  const previous = pending?.previous ?? provenVersion(state);
  const isRunning = state.version === version && !isRollingBack;
  if (pending?.version === version && isUnconfirmed(state)) return upgrades;
  if (previous === undefined || (isRunning && pending === undefined))
    return { ...upgrades, pending: undefined };
  if (previous.version === version)
    return {
      ...upgrades,
      pending: isUnconfirmed(state) ? givenUp(pending, 'the version before was deployed again') : undefined,
    };
  const next: Pending = { version, mode, from, previous, deadlineMs: 0, failures: 0, givenUp: '' };
  return { ...upgrades, pending: next };
}

/** The version that the next one has to be measured by; one that was running before upgrades were confirmed counts when it is stable. */
function provenVersion({ phase, version, restorePath, upgrades }: Versions): Pending['previous'] | undefined {
  const proven = upgrades.confirmed === '' && phase === 'stable' ? version : upgrades.confirmed;
  if (proven === '') return undefined;
  const hasLeft = upgrades.isRollingBack || (proven === version && !jobPhases[phase].mayRun);
  return { version: proven, parallelism: upgrades.parallelism, ...(hasLeft ? { path: restorePath } : {}) };
}

const givenUp = (pending: Pending | undefined, reason: string): Pending | undefined =>
  pending === undefined ? undefined : { ...pending, givenUp: pending.givenUp || reason };

/** The version before has ended and left this snapshot: a rollback goes back to it, whatever the new version leaves. */
export function withSnapshot(
  { version, upgrades }: Pick<JobState, 'version' | 'upgrades'>,
  path: string,
): Upgrades {
  const { pending } = upgrades;
  if (pending === undefined || pending.previous.path !== undefined || pending.previous.version !== version)
    return upgrades;
  return { ...upgrades, pending: { ...pending, previous: { ...pending.previous, path } } };
}

/** What the next submission starts from, when the upgrade says so and has not been submitted yet; empty for the job's own state. */
export const startOfUpgrade = (state: Pick<JobState, 'version' | 'upgrades'>): string =>
  isUnconfirmed(state) ? '' : (state.upgrades.pending?.from ?? '');

/** The time to prove itself begins with the first submission of the version, and anew when the job was stopped in between. */
export function submittedUpgrade(
  upgrades: Upgrades,
  version: string,
  nowMs: number,
  policy: JobPolicy,
): Upgrades {
  const { pending } = upgrades;
  const own = { ...upgrades, isRollingBack: false };
  if (pending?.version !== version || pending.deadlineMs > 0) return own;
  return { ...own, pending: { ...pending, deadlineMs: nowMs + policy.upgradeWithinMs } };
}

/** While the job is stopped no time passes for its upgrade. */
export const pausedUpgrade = (upgrades: Upgrades): Upgrades =>
  upgrades.pending === undefined
    ? upgrades
    : { ...upgrades, pending: { ...upgrades.pending, deadlineMs: 0 } };

/** One look at a new version, as far as confirming it needs. */
export interface UpgradeLook {
  /** Completed since it was submitted. */
  readonly checkpoints: number;
  /** Undefined when Kafka did not answer. */
  readonly progress: { readonly read: number; readonly end: number } | undefined;
  /** Records that its sources have handed on, and that have reached the parts that write; undefined when that cannot be told. */
  readonly handed?: number | undefined;
  readonly written?: number | undefined;
}

/**
 * The look that later ones are measured by: the first that knew how far it has read, and the latest that found it further back,
 * as after a start from an older snapshot.
 */
export function baseLook(base: UpgradeLook | undefined, now: UpgradeLook): UpgradeLook | undefined {
  if (now.progress === undefined) return base;
  const isFurtherBack = base?.progress === undefined || now.progress.read < base.progress.read;
  return isFurtherBack ? now : base;
}

/**
 * What a version that runs has still to prove: checkpoints, that it reads what comes, and that it writes what it reads.
 * @param base as {@link baseLook} tells
 * @returns empty when it is confirmed
 */
export function missingProof(
  base: UpgradeLook | undefined,
  now: UpgradeLook,
  { upgradeCheckpoints: wanted }: Pick<JobPolicy, 'upgradeCheckpoints'>,
): string {
  if (now.checkpoints < wanted) return `${now.checkpoints} of ${wanted} checkpoints are completed`;
  if (now.progress === undefined) return 'Kafka does not tell how far it has read';
  if (base?.progress === undefined || base === now) return 'how far it reads is not known yet';
  const read = now.progress.read - base.progress.read;
  const came = now.progress.end - base.progress.end;
  if (read <= 0 && came > 0) return `it has read none of the ${came} records that came`;
  const { handed = 0, written } = now;
  const hasRead = (read > 0 && came > 0) || handed > 0;
  return written === 0 && hasRead
    ? `it reads, and has written none of ${Math.max(read, handed)} records`
    : '';
}

/** What a judgement means of a version that has to be confirmed. @param failure what its newest failure said */
export function judgeUpgrade(
  judgement: Judgement | undefined,
  missing: string,
  failure: string,
): Judgement | undefined {
  const hasEnded = judgement?.verdict === 'lost';
  if (!hasEnded && doesNotFit(failure)) return { verdict: 'unstable', reason: failure };
  const isWell = judgement === undefined || judgement.verdict === 'stable';
  return isWell && missing !== '' ? { verdict: 'settling', reason: missing } : judgement;
}

const doesNotFit = (text: string): boolean => restoreFailure(text) !== undefined;

type Judged = Pick<JobState, 'name' | 'version' | 'upgrades' | 'policy'>;

/** After the submission was refused, or what was submitted was lost. */
export function upgradeAfterFailure(state: Judged, reason: string): Upgrades {
  const { pending } = state.upgrades;
  if (pending === undefined || !isUnconfirmed(state)) return state.upgrades;
  const failures = pending.failures + 1;
  const { upgradeFailures, recoveryBudget } = state.policy;
  const why = doesNotFit(reason)
    ? misfit(state.name, reason)
    : // A person is asked only when there is no way back.
      failures >= Math.min(upgradeFailures, recoveryBudget)
      ? `it failed ${failures} times before it was confirmed: ${reason}`
      : '';
  return { ...state.upgrades, pending: { ...pending, failures, givenUp: pending.givenUp || why } };
}

/** After a look at what runs. A JobManager that is silent says nothing of the version. */
export function upgradeAfterLook(
  state: Judged,
  { verdict, reason, isSilence }: Judgement,
  nowMs: number,
): Upgrades {
  const { pending } = state.upgrades;
  if (pending === undefined || !isUnconfirmed(state) || isSilence === true) return state.upgrades;
  const isLate = pending.deadlineMs > 0 && nowMs >= pending.deadlineMs;
  const late = `it was not confirmed within ${state.policy.upgradeWithinMs / 1_000} s: ${reason || 'not all of its parts run'}`;
  const unstable = doesNotFit(reason) ? misfit(state.name, reason) : reason;
  const why = verdict === 'unstable' ? unstable : verdict === 'settling' && isLate ? late : '';
  return why === '' ? state.upgrades : { ...state.upgrades, pending: givenUp(pending, why) };
}

/** Enough of Flink's own words to look for. */
const MOST_OF_CAUSE = 120;

const misfit = (name: string, cause: string): string =>
  `its state does not fit, because ${restoreFailure(cause)} (${cause.slice(0, MOST_OF_CAUSE)}…). To build it beside the version before, from the retained log: hourglass job deploy ${name} --shadow`;

export const isGivenUp = (state: Pick<JobState, 'version' | 'upgrades'>): boolean =>
  isUnconfirmed(state) && state.upgrades.pending?.givenUp !== '';

/** The version that runs is confirmed; the one before is where `rollback` goes from now on. */
export function confirmedUpgrades({ version, upgrades }: Pick<JobState, 'version' | 'upgrades'>): Upgrades {
  const { pending, ...rest } = upgrades;
  if (pending?.version === version) return { ...rest, confirmed: version, previous: pending.previous };
  return { ...upgrades, confirmed: version };
}

/** Back to the version before and to its snapshot; what runs is to end without a savepoint. Ask only for one that is given up. */
export function rolledBack(
  { restorePath: own, upgrades }: Pick<JobState, 'restorePath' | 'upgrades'>,
  nowMs: number,
): Partial<JobState> {
  const { pending, ...rest } = upgrades;
  if (pending === undefined) return {};
  const { version, parallelism, path: restorePath = own } = pending.previous;
  const rejected = { version: pending.version, reason: pending.givenUp, atMs: nowMs, isByCommand: false };
  return {
    ...{ desiredVersion: version, restorePath, restart: undefined, failures: 0, stableSinceMs: 0 },
    reason: `version ${pending.version} was rolled back: ${pending.givenUp}`,
    upgrades: {
      ...rest,
      ...{ confirmed: version, parallelism, isRollingBack: true },
      rejected: rest.rejected?.version === pending.version ? { ...rejected, isByCommand: true } : rejected,
    },
  };
}

/**
 * What a `rollback` changes: an upgrade that is not confirmed is given up; of a confirmed one the version before is submitted
 * from its snapshot, and has to be confirmed in its turn.
 * @returns undefined when there is no version to go back to
 */
export function commandedRollback(
  state: Pick<JobState, 'version' | 'desiredVersion' | 'upgrades'>,
  nowMs: number,
): Partial<JobState> | undefined {
  const { upgrades, version, desiredVersion } = state;
  const { pending, previous } = upgrades;
  const reason = 'by command';
  const rejectedNow = (rejected: string): Upgrades['rejected'] => ({
    ...{ version: rejected, reason, atMs: nowMs, isByCommand: true },
  });
  if (pending !== undefined) {
    const rejected = rejectedNow(pending.version);
    const { parallelism } = pending.previous;
    return {
      desiredVersion: pending.previous.version,
      upgrades: isUnconfirmed(state)
        ? { ...upgrades, rejected, pending: givenUp(pending, reason) }
        : { ...upgrades, rejected, parallelism, pending: undefined },
    };
  }
  if (previous?.path === undefined || previous.path === '') return undefined;
  const next: Pending = {
    ...{ version: previous.version, mode: 'savepoint', from: previous.path },
    ...{ deadlineMs: 0, failures: 0, givenUp: '' },
    previous: { version: upgrades.confirmed || version, parallelism: upgrades.parallelism },
  };
  return {
    desiredVersion: previous.version,
    upgrades: {
      ...upgrades,
      ...{ parallelism: previous.parallelism, previous: undefined, pending: next },
      rejected: rejectedNow(desiredVersion || version),
    },
  };
}

/** Snapshots that must not be disposed of, as the job may still go back to them. */
export const snapshotsInUse = ({ pending, previous }: Upgrades): readonly string[] =>
  [pending?.from, pending?.previous.path, previous?.path].flatMap((path) => path || []);
