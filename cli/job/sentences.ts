/** What the job commands say: what is desired now, how a followed command ended, and what to do where it did not. */
import { jobPhases } from '../../domain/job-phases.ts';
import { runsAsDesired, type StateCommandName } from '../../domain/job-waiting.ts';
import { type DesiredState, type JobState, NOTHING } from '../../schemas/job.ts';
import { withoutStop } from './format.ts';

/** Whether the command changed nothing, as the job is already as it is to be. */
export function hadNothingToDo(command: StateCommandName, state: JobState, nowMs: number): boolean {
  if (command === 'suspend') return state.phase === 'suspended';
  if (command === 'deploy' || command === 'resume') return runsAsDesired(state, nowMs);
  return false;
}

/** What is now desired, in one sentence. @param from what a restart is to begin from; undefined for the job's own state */
export function desiredSentence(
  command: StateCommandName,
  state: JobState,
  nowMs: number,
  from?: string,
): string {
  const { name, desiredVersion } = state;
  const nothing = hadNothingToDo(command, state, nowMs);
  switch (command) {
    case 'deploy':
      if (nothing) return `Nothing to do: version ${desiredVersion} of ${name} runs already.`;
      return state.desired === 'suspended'
        ? `${name} is to run version ${desiredVersion} once it is resumed; it stays suspended.`
        : `${name} is to run version ${desiredVersion}.`;
    case 'rollback':
      return `${name} is to go back to version ${desiredVersion} and the snapshot that was taken of it.`;
    case 'resume':
      if (nothing) return `Nothing to do: ${name} runs already.`;
      return desiredVersion === ''
        ? `${name} is to run, from its kept state.`
        : `${name} is to run version ${desiredVersion}, from its kept state.`;
    case 'restart':
      return `${name} is to be restarted from ${restartOrigin(from)}.`;
    case 'suspend':
      return nothing
        ? `Nothing to do: ${name} is suspended already.`
        : `${name} is to be suspended, its state kept in a savepoint.`;
    case 'stop':
      return `${name} is to be stopped, its state kept in a savepoint; its actor ends then.`;
  }
}

function restartOrigin(from: string | undefined): string {
  if (from === undefined) return 'its own state';
  if (from === NOTHING) return 'nothing, without its state';
  return /^[0-9a-f]{32}$/.test(from) ? `savepoint ${from}` : from;
}

/** How a command that was followed has ended. */
export function reachedSentence({ name, phase, version, attempt, restorePath, reason }: JobState): string {
  const kept = restorePath === '' ? 'it had no state to keep' : `its state is kept in ${restorePath}`;
  const why = reason === '' ? '' : `; ${withoutStop(reason)}`;
  if (phase === 'suspended') return `${name} is suspended: ${kept}${why}.`;
  if (phase === 'stopped') return `${name} is stopped and its actor has ended: ${kept}${why}.`;
  const origin = restorePath === '' ? 'the beginning of its topics' : restorePath;
  return `${name} is ${phase} on version ${version}, submission ${attempt}, started from ${origin}.`;
}

/** What a person who follows the job is told of a state. */
export const phaseLine = ({ phase, reason }: Pick<JobState, 'phase' | 'reason'>): string =>
  `${phase}: ${withoutStop(reason === '' ? jobPhases[phase].description : reason)}`;

/** How the end of a command is called. */
export const END: Readonly<Record<DesiredState, string>> = {
  running: 'stable',
  suspended: 'suspended',
  stopped: 'stopped',
};
