/**
 * Decides what the actor of a Flink job does next. It owns the transitions of the phases and the rule that picks an action;
 * acting is left to the workflow `flinkJob`, judging a job's health to `domain/job-health.ts`.
 * The diagram, and each invariant with the test that holds it: docs/state-machine.md.
 *
 *   new ─▶ submitting ─▶ settling ⇄ stable ⇄ unstable ─▶ suspending ─▶ suspended ─▶ stopped
 *           ▲  ▲  │ refused   └───────┴────┬────┘ (each of them)          │
 *           │  │  ▼                        │ lost                         │
 *           │ recovering ◀─────────────────┘                              │
 *           │  └─▶ failing (a person is asked)                            │
 *           └─────────────────────────────────────────────────────────────┘
 *
 * A new version that is given up goes from settling or unstable to suspending, where it ends without a savepoint; what becomes of
 * it is decided in `domain/job-upgrade.ts`.
 */
import type { AlertKind } from '../schemas/alert.ts';
import type { DesiredState, JobPhase, JobPolicy, JobState } from '../schemas/job.ts';
import { isGivenUp } from './job-upgrade.ts';

export const JOB_EVENTS = [
  'targetRecorded',
  'submitted',
  'refused',
  'settling',
  'becameStable',
  'confirmed',
  'becameUnstable',
  'lost',
  'suspendBegun',
  'suspended',
  'gaveUp',
  'retried',
  'rolledBack',
  'stopped',
] as const;
export type JobEvent = (typeof JOB_EVENTS)[number];

/** Total: an event that means nothing in a phase leaves it as it is. */
export const jobTransitions: Readonly<Record<JobPhase, Readonly<Record<JobEvent, JobPhase>>>> = {
  new: {
    targetRecorded: 'submitting',
    submitted: 'new',
    refused: 'new',
    settling: 'new',
    becameStable: 'new',
    confirmed: 'new',
    becameUnstable: 'new',
    lost: 'new',
    suspendBegun: 'new',
    suspended: 'suspended',
    gaveUp: 'failing',
    retried: 'new',
    rolledBack: 'new',
    stopped: 'new',
  },
  submitting: {
    targetRecorded: 'submitting',
    submitted: 'settling',
    refused: 'recovering',
    settling: 'submitting',
    becameStable: 'submitting',
    confirmed: 'submitting',
    becameUnstable: 'submitting',
    lost: 'submitting',
    suspendBegun: 'submitting',
    suspended: 'submitting',
    gaveUp: 'submitting',
    retried: 'submitting',
    rolledBack: 'submitting',
    stopped: 'submitting',
  },
  settling: {
    targetRecorded: 'settling',
    submitted: 'settling',
    refused: 'settling',
    settling: 'settling',
    becameStable: 'stable',
    confirmed: 'stable',
    becameUnstable: 'unstable',
    lost: 'recovering',
    suspendBegun: 'suspending',
    suspended: 'settling',
    gaveUp: 'settling',
    retried: 'settling',
    rolledBack: 'suspending',
    stopped: 'settling',
  },
  stable: {
    targetRecorded: 'stable',
    submitted: 'stable',
    refused: 'stable',
    settling: 'settling',
    becameStable: 'stable',
    confirmed: 'stable',
    becameUnstable: 'unstable',
    lost: 'recovering',
    suspendBegun: 'suspending',
    suspended: 'stable',
    gaveUp: 'stable',
    retried: 'stable',
    rolledBack: 'stable',
    stopped: 'stable',
  },
  unstable: {
    targetRecorded: 'unstable',
    submitted: 'unstable',
    refused: 'unstable',
    settling: 'settling',
    becameStable: 'stable',
    confirmed: 'stable',
    becameUnstable: 'unstable',
    lost: 'recovering',
    suspendBegun: 'suspending',
    suspended: 'unstable',
    gaveUp: 'unstable',
    retried: 'unstable',
    rolledBack: 'suspending',
    stopped: 'unstable',
  },
  suspending: {
    targetRecorded: 'suspending',
    submitted: 'suspending',
    refused: 'suspending',
    settling: 'suspending',
    becameStable: 'suspending',
    confirmed: 'suspending',
    becameUnstable: 'suspending',
    lost: 'suspending',
    suspendBegun: 'suspending',
    suspended: 'suspended',
    gaveUp: 'suspending',
    retried: 'suspending',
    rolledBack: 'suspending',
    stopped: 'suspending',
  },
  suspended: {
    targetRecorded: 'submitting',
    submitted: 'suspended',
    refused: 'suspended',
    settling: 'suspended',
    becameStable: 'suspended',
    confirmed: 'suspended',
    becameUnstable: 'suspended',
    lost: 'suspended',
    suspendBegun: 'suspended',
    suspended: 'suspended',
    gaveUp: 'failing',
    retried: 'suspended',
    rolledBack: 'recovering',
    stopped: 'stopped',
  },
  recovering: {
    targetRecorded: 'submitting',
    submitted: 'recovering',
    refused: 'recovering',
    settling: 'recovering',
    becameStable: 'recovering',
    confirmed: 'recovering',
    becameUnstable: 'recovering',
    lost: 'recovering',
    suspendBegun: 'recovering',
    suspended: 'suspended',
    gaveUp: 'failing',
    retried: 'recovering',
    rolledBack: 'suspended',
    stopped: 'recovering',
  },
  failing: {
    targetRecorded: 'failing',
    submitted: 'failing',
    refused: 'failing',
    settling: 'failing',
    becameStable: 'failing',
    confirmed: 'failing',
    becameUnstable: 'failing',
    lost: 'failing',
    suspendBegun: 'failing',
    suspended: 'suspended',
    gaveUp: 'failing',
    retried: 'recovering',
    rolledBack: 'suspended',
    stopped: 'failing',
  },
  stopped: {
    targetRecorded: 'stopped',
    submitted: 'stopped',
    refused: 'stopped',
    settling: 'stopped',
    becameStable: 'stopped',
    confirmed: 'stopped',
    becameUnstable: 'stopped',
    lost: 'stopped',
    suspendBegun: 'stopped',
    suspended: 'stopped',
    gaveUp: 'stopped',
    retried: 'stopped',
    rolledBack: 'stopped',
    stopped: 'stopped',
  },
};

export function transition(phase: JobPhase, event: JobEvent): JobPhase {
  return jobTransitions[phase][event];
}

export const JOB_ACTIONS = [
  'submit',
  'recover',
  'watch',
  'savepoint',
  'suspend',
  'settle',
  'rollBack',
  'rest',
  'end',
] as const;
export type JobAction = (typeof JOB_ACTIONS)[number];

/** `settle` means: nothing runs, so being suspended is only a matter of saying so. */
const ACTIONS: Readonly<Record<JobPhase, Readonly<Record<DesiredState, JobAction>>>> = {
  new: { running: 'submit', suspended: 'settle', stopped: 'settle' },
  // A submission that was begun is carried through: its target is recorded, and submitting it again attaches to it.
  submitting: { running: 'submit', suspended: 'submit', stopped: 'submit' },
  settling: { running: 'watch', suspended: 'suspend', stopped: 'suspend' },
  stable: { running: 'watch', suspended: 'suspend', stopped: 'suspend' },
  unstable: { running: 'watch', suspended: 'suspend', stopped: 'suspend' },
  suspending: { running: 'suspend', suspended: 'suspend', stopped: 'suspend' },
  suspended: { running: 'submit', suspended: 'rest', stopped: 'end' },
  recovering: { running: 'recover', suspended: 'settle', stopped: 'settle' },
  failing: { running: 'rest', suspended: 'settle', stopped: 'settle' },
  stopped: { running: 'end', suspended: 'end', stopped: 'end' },
};

type Decisive = Pick<
  JobState,
  | 'phase'
  | 'desired'
  | 'isParked'
  | 'desiredVersion'
  | 'version'
  | 'restart'
  | 'savepointRequests'
  | 'nextSavepointAtMs'
  | 'upgrades'
>;

export function nextAction(state: Decisive, nowMs: number): JobAction {
  if (mustRollBack(state)) return 'rollBack';
  const action = ACTIONS[state.phase][targetOf(state)];
  if (action !== 'watch') return action;
  if (mustBeReplaced(state)) return 'suspend';
  // Flink takes none of a job that is starting.
  if (state.savepointRequests.length > 0 && state.phase !== 'settling') return 'savepoint';
  return isSavepointDue(state, nowMs) ? 'savepoint' : 'watch';
}

/** Total: in which phase a version that is given up can be left. A submission, or a stop, that was begun is carried through first. */
const ROLLS_BACK: Readonly<Record<JobPhase, 'always' | 'to run' | 'never'>> = {
  new: 'never',
  submitting: 'never',
  settling: 'always',
  stable: 'never',
  unstable: 'always',
  suspending: 'never',
  suspended: 'to run',
  recovering: 'always',
  failing: 'always',
  stopped: 'never',
};

/** A version that is given up is left before anything else is done to it, and one that is suspended when it is to run again. */
function mustRollBack(state: Decisive): boolean {
  const when = ROLLS_BACK[state.phase];
  return isGivenUp(state) && (when === 'always' || (when === 'to run' && targetOf(state) === 'running'));
}

/** What is to be true now: a parked job is treated as suspended, whatever is desired of it. */
export function targetOf({ desired, isParked }: Pick<JobState, 'desired' | 'isParked'>): DesiredState {
  return desired === 'running' && isParked ? 'suspended' : desired;
}

/** Another version, or a restart, is wanted: the job is suspended, and submitted again from there. */
export function mustBeReplaced({
  desiredVersion,
  version,
  restart,
}: Pick<JobState, 'desiredVersion' | 'version' | 'restart'>): boolean {
  return restart !== undefined || (desiredVersion !== '' && desiredVersion !== version);
}

/** Only a stable job is worth a periodic savepoint: of an unstable one it would fail, or save what is wrong. */
export function isSavepointDue(
  { phase, nextSavepointAtMs }: Pick<JobState, 'phase' | 'nextSavepointAtMs'>,
  nowMs: number,
): boolean {
  return phase === 'stable' && nextSavepointAtMs > 0 && nowMs >= nextSavepointAtMs;
}

const MOST_DOUBLINGS = 40;

/** How long to wait before the next submission: nothing at first, then doubling up to the policy's most. */
export function backoffMs(
  failures: number,
  { backoffFirstMs, backoffMostMs }: Pick<JobPolicy, 'backoffFirstMs' | 'backoffMostMs'>,
): number {
  // More doublings would leave the range of numbers, and 0 × ∞ is no pause at all.
  const doublings = Math.min(failures - 1, MOST_DOUBLINGS);
  return failures === 0 ? 0 : Math.min(backoffFirstMs * 2 ** doublings, backoffMostMs);
}

/** The failures that still count: a long stable time forgives those before it. Ask before `stableSinceMs` is forgotten. */
export function failuresThatCount(
  { failures, stableSinceMs, policy }: Pick<JobState, 'failures' | 'stableSinceMs' | 'policy'>,
  nowMs: number,
): number {
  const isForgiven = stableSinceMs > 0 && nowMs - stableSinceMs >= policy.forgivenAfterMs;
  return isForgiven ? 0 : failures;
}

/** One failure more; those before a long stable time no longer count. */
export function failuresAfter(
  state: Pick<JobState, 'failures' | 'stableSinceMs' | 'policy'>,
  nowMs: number,
): number {
  return failuresThatCount(state, nowMs) + 1;
}

/** Whether another submission is one too many without a person. */
export function isBudgetSpent({ failures, policy }: Pick<JobState, 'failures' | 'policy'>): boolean {
  return failures >= policy.recoveryBudget;
}

/** The phases in which a trouble is over; between it and them it lasts, whatever is being tried. */
const WELL: readonly JobPhase[] = ['stable', 'suspended', 'stopped'];

/** The alert that is to be open, given the one that is. A version that was rolled back by itself is told until somebody deploys. */
export function alertKindOf(state: Alarming, open?: AlertKind): AlertKind | undefined {
  const { phase, upgrades } = state;
  if (phase === 'failing') return 'job-failing';
  if (phase === 'unstable') return 'job-unstable';
  const { isByCommand = true, isSuperseded = false } = upgrades.rejected ?? {};
  if (!isByCommand && !isSuperseded && targetOf(state) === 'running')
    return WELL.includes(phase) ? 'job-rolled-back' : (open ?? 'job-rolled-back');
  return WELL.includes(phase) ? undefined : open;
}

type Alarming = Pick<JobState, 'phase' | 'desired' | 'isParked' | 'upgrades'>;

const REMEMBERED_COMMANDS = 200;

/** The command ids to remember once this one is carried out: the newest, so that a repeated command is recognised. */
export function remember(commandIds: readonly string[], commandId: string): string[] {
  return [...commandIds.filter((known) => known !== commandId), commandId].slice(-REMEMBERED_COMMANDS);
}
