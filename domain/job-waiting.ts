/** Decides when a command to a job's actor has come to its end. It only judges; asking again and again is left to the command line. */
import type { DesiredState, JobCommandName, JobPhase, JobState } from '../schemas/job.ts';
import { nextAction } from './job-machine.ts';
import { jobPhases } from './job-phases.ts';

/** The commands that bring a job to a state; what a savepoint comes to stands in a row of its own. */
export type StateCommandName = Extract<
  JobCommandName,
  'deploy' | 'rollback' | 'suspend' | 'resume' | 'restart' | 'stop'
>;

/** What is waited for. */
export interface JobGoal {
  readonly target: DesiredState;
  /** The version that is to run; empty where any will do. */
  readonly version: string;
  /** An earlier submission than this one does not count. */
  readonly attempt: number;
}

/** How a command stands. `overtaken`: another command wants something else; `rolledBack`: the version was tried and left again; `reason` says why it will not come to its end. */
export type Standing =
  | { readonly end: 'underWay' | 'reached' }
  | { readonly end: 'failed' | 'overtaken' | 'rolledBack'; readonly reason: string };

const underWay: Standing = { end: 'underWay' };
const reached: Standing = { end: 'reached' };

/** Total: what each phase means to whoever waits for a target. A job that is to be stopped or suspended never fails at it. */
const PROGRESS: Readonly<
  Record<DesiredState, Readonly<Record<JobPhase, 'underWay' | 'reached' | 'failed'>>>
> = {
  running: {
    new: 'underWay',
    submitting: 'underWay',
    settling: 'underWay',
    stable: 'reached',
    // It may heal by itself, as when a TaskManager is started again.
    unstable: 'underWay',
    suspending: 'underWay',
    suspended: 'underWay',
    recovering: 'underWay',
    failing: 'failed',
    stopped: 'failed',
  },
  suspended: {
    new: 'underWay',
    submitting: 'underWay',
    settling: 'underWay',
    stable: 'underWay',
    unstable: 'underWay',
    suspending: 'underWay',
    suspended: 'reached',
    recovering: 'underWay',
    failing: 'underWay',
    stopped: 'failed',
  },
  stopped: {
    new: 'underWay',
    submitting: 'underWay',
    settling: 'underWay',
    stable: 'underWay',
    unstable: 'underWay',
    suspending: 'underWay',
    suspended: 'underWay',
    recovering: 'underWay',
    failing: 'underWay',
    stopped: 'reached',
  },
};

type Recorded = Pick<JobState, 'desired' | 'desiredVersion' | 'attempt' | 'restart'>;

/** @param recorded the actor's state when it took the command */
export function goalOf(command: StateCommandName, recorded: Recorded): JobGoal {
  const target = targetOfCommand(command, recorded.desired);
  if (target !== 'running') return { target, version: '', attempt: 0 };
  // A restart whose submission has begun is no longer in the state: then the present submission is the one that was asked for.
  const attempt = recorded.restart === undefined ? recorded.attempt : recorded.attempt + 1;
  return { target, version: recorded.desiredVersion, attempt };
}

function targetOfCommand(command: StateCommandName, desired: DesiredState): DesiredState {
  if (command === 'suspend') return 'suspended';
  if (command === 'stop') return 'stopped';
  // A new version of a suspended job waits until it is resumed.
  const isVersion = command === 'deploy' || command === 'rollback';
  return isVersion && desired === 'suspended' ? 'suspended' : 'running';
}

export type Followed = Pick<
  JobState,
  | 'phase'
  | 'desired'
  | 'isParked'
  | 'desiredVersion'
  | 'version'
  | 'attempt'
  | 'restart'
  | 'reason'
  | 'upgrades'
>;

export function standingOf(goal: JobGoal, state: Followed): Standing {
  const { rejected } = state.upgrades;
  // By itself, or by a command that came later: either way it does not run, and why is known.
  if (goal.version !== '' && rejected?.version === goal.version && state.desiredVersion !== goal.version)
    return { end: 'rolledBack', reason: rejected.reason };
  const other = overtakenBy(goal, state);
  if (other !== undefined) return { end: 'overtaken', reason: other };
  const progress = PROGRESS[goal.target][state.phase];
  if (progress === 'failed') return { end: 'failed', reason: `it is ${explained(state)}` };
  if (progress === 'underWay') return underWay;
  return goal.target !== 'running' || isTheWantedSubmission(goal, state) ? reached : underWay;
}

function overtakenBy(goal: JobGoal, { desired, isParked, desiredVersion }: Followed): string | undefined {
  if (desired !== goal.target) return `another command wants it ${desired}`;
  if (goal.target !== 'running') return undefined;
  if (isParked) return 'it is parked: the stack is being stopped, and the job goes on with the next start';
  return goal.version !== '' && desiredVersion !== goal.version
    ? `another deploy wants version ${desiredVersion}`
    : undefined;
}

/** What runs may still be the submission before the one that was asked for. */
const isTheWantedSubmission = (
  { attempt }: JobGoal,
  state: Pick<Followed, 'version' | 'desiredVersion' | 'attempt' | 'restart'>,
): boolean =>
  state.restart === undefined &&
  state.attempt >= attempt &&
  (state.desiredVersion === '' || state.version === state.desiredVersion);

/** Whether a job that is to run does so as it is desired, so that nothing has to be done to it. */
export function runsAsDesired(state: JobState, nowMs: number): boolean {
  const action = nextAction(state, nowMs);
  return action === 'watch' || action === 'savepoint';
}

/** A row of `savepoints`, as far as waiting for it needs. */
export interface SavepointRow {
  readonly status: string;
  readonly path: string | null;
  readonly error: string | null;
}

/**
 * How a savepoint that was asked for stands.
 * @param state seen before the row was read; undefined when the actor did not answer, and then the row alone tells
 */
export function savepointStanding(
  triggerId: string,
  state: Pick<JobState, 'phase' | 'reason' | 'savepointRequests'> | undefined,
  row: SavepointRow | undefined,
): Standing {
  if (row?.status === 'completed') return reached;
  if (row?.status === 'failed' || row?.status === 'abandoned')
    return { end: 'failed', reason: `it ${row.status}: ${row.error ?? 'Flink gave no reason'}` };
  if (row !== undefined || state === undefined) return underWay;
  if (!state.savepointRequests.some((request) => request.triggerId === triggerId))
    return {
      end: 'failed',
      reason: `it was given up, as the job was stopped before: the job is ${state.phase}`,
    };
  return state.phase === 'failing' ? { end: 'failed', reason: `the job is ${explained(state)}` } : underWay;
}

const explained = ({ phase, reason }: Pick<JobState, 'phase' | 'reason'>): string =>
  `${phase}: ${reason === '' ? jobPhases[phase].description : reason}`;
