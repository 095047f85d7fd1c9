/**
 * Decides what becomes of a new version of a job: from which the way back leads, when it is confirmed, and when it is given up.
 * The phases are `domain/job-machine.ts`'s; carrying it out is the actor's.
 *
 *   deploy ─▶ pending ─▶ submitted ─▶ confirmed: the version before and its snapshot are where `rollback` goes
 *                            └─▶ given up ─▶ rolled back: the version before goes on from its snapshot; the new one is rejected
 */
import { type JobPolicy, type JobState, NOTHING, type UpgradeMode, type Upgrades } from '../schemas/job.ts';
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
  /** It is what was rolled back last, be it with another parallelism. */
  readonly isRejected: boolean;
}

/** Whether what runs, or was submitted last, is a version that has still to be confirmed. One on its way out is not tried any more. */
export const isUnconfirmed = ({ version, upgrades }: Pick<JobState, 'version' | 'upgrades'>): boolean =>
  upgrades.pending !== undefined && upgrades.pending.version === version && !upgrades.isRollingBack;

/** What is known of the versions after a deploy of one. The first version that there ever was has none to go back to. */
export function planUpgrade(state: Versions, asked: AskedVersion): Upgrades {
  const { version, mode, from, parallelism, isRejected } = asked;
  const { pending, isRollingBack, rejected: last } = state.upgrades;
  // Another version does not make it a better one: a start of the system still leaves it alone.
  const rejected = last === undefined || isRejected ? undefined : { ...last, isSuperseded: true };
  const upgrades: Upgrades = { ...state.upgrades, parallelism, rejected };
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

/**
 * What a deploy changes: the versions as {@link planUpgrade} tells, and where they do not carry the start that was named, a restart
 * from there. A named start is never dropped.
 * @returns the reason when what is deployed will not be submitted anew
 */
export function commandedDeploy(
  state: Versions & Pick<JobState, 'name'>,
  asked: AskedVersion,
): Pick<JobState, 'upgrades'> | Pick<JobState, 'upgrades' | 'restart'> | string {
  const { name, phase, version: present } = state;
  const { version, from } = asked;
  const upgrades = planUpgrade(state, asked);
  if (from === '') return { upgrades };
  if (startOfUpgrade({ version: present, upgrades }) === from) return { upgrades, restart: undefined };
  const { pending, isRollingBack } = upgrades;
  // The same was asked for before, and its submission has started from there.
  if (isUnconfirmed(state) && pending?.version === version && state.upgrades.pending?.from === from)
    return { upgrades };
  const remedy = `hourglass job restart ${name} --from ${from}${from === NOTHING ? ' --accept-state-loss' : ''}`;
  if (pending !== undefined && pending.givenUp !== '' && pending.version === present)
    return `version ${version} of ${name} is the one before, and goes on from its own snapshot (hourglass job rollback ${name}); when it runs: ${remedy}`;
  if (present === version && jobPhases[phase].mayRun && !isRollingBack)
    return `version ${version} of ${name} runs already; to start it from there: ${remedy}`;
  return { upgrades, restart: { from } };
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

const doesNotFit = (text: string): boolean => restoreFailure(text) !== undefined;

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

const rejection = (
  version: string,
  instead: string,
  reason: string,
  atMs: number,
  isByCommand: boolean,
): NonNullable<Upgrades['rejected']> => ({
  version,
  instead,
  reason,
  atMs,
  isByCommand,
  isSuperseded: false,
});

/** Back to the version before and to its snapshot; what runs is to end without a savepoint. Ask only for one that is given up. */
export function rolledBack(
  { restorePath: own, upgrades }: Pick<JobState, 'restorePath' | 'upgrades'>,
  nowMs: number,
): Partial<JobState> {
  const { pending, ...rest } = upgrades;
  if (pending === undefined) return {};
  const { version, parallelism, path: restorePath = own } = pending.previous;
  const rejected = rejection(pending.version, version, pending.givenUp, nowMs, false);
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
  if (pending !== undefined) {
    const { parallelism, version: instead } = pending.previous;
    const rejected = rejection(pending.version, instead, reason, nowMs, true);
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
      rejected: rejection(desiredVersion || version, previous.version, reason, nowMs, true),
    },
  };
}

/** Snapshots that must not be disposed of, as the job may still go back to them. */
export const snapshotsInUse = ({ pending, previous }: Upgrades): readonly string[] =>
  [pending?.from, pending?.previous.path, previous?.path].flatMap((path) => path || []);
