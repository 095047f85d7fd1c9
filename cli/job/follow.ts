/** Follows a command to its end: asks the job's actor again and again, and tells each change of phase or reason once. */
import { setTimeout as delay } from 'node:timers/promises';
import type { JobActor } from '../../clients/job-actor.ts';
import { HourglassError, reasonOf } from '../../domain/errors.ts';
import type { Standing } from '../../domain/job-waiting.ts';
import type { JobState } from '../../schemas/job.ts';
import { withoutStop } from './format.ts';
import { phaseLine } from './sentences.ts';

const LOOK_MS = 300;

/** Thrown when a command has not come to its end in time. The command stands: what is desired stays so. */
export class NotInTimeError extends HourglassError {
  constructor(name: string, end: string, timeoutMs: number, last: string) {
    super(
      'NOT_IN_TIME',
      `${name}: ${end} was not reached within ${timeoutMs / 1_000} s; the last that was seen: ${last}. The command stands; \`npx hourglass job show ${name}\` tells how it goes on.`,
      { retryable: true },
    );
  }
}

export interface Following {
  readonly name: string;
  /** The state that is known already: what changes from there on is told. */
  readonly recorded: JobState;
  /** What is waited for, as the subject of a sentence. */
  readonly end: string;
  readonly timeoutMs: number;
  /** @param state undefined when the actor did not answer */
  readonly judge: (state: JobState | undefined) => Promise<Standing>;
  readonly tell: (line: string) => void;
}

export interface Followed {
  readonly standing: Standing;
  /** The last state that the actor told. */
  readonly state: JobState | undefined;
}

/** @throws NotInTimeError, and what `judge` throws */
export async function follow(actor: Pick<JobActor, 'status'>, following: Following): Promise<Followed> {
  const { name, recorded, end, timeoutMs, judge, tell } = following;
  const deadline = Date.now() + timeoutMs;
  let told = phaseLine(recorded);
  for (;;) {
    const { state, line } = await see(actor);
    if (line !== told) tell(`${name}: ${line}`);
    told = line;
    const standing = await judge(state);
    if (standing.end !== 'underWay') return { standing, state };
    if (Date.now() >= deadline) throw new NotInTimeError(name, end, timeoutMs, line);
    await delay(LOOK_MS);
  }
}

/** An actor that does not answer now, because its worker or Temporal starts again, may answer later: that is told and waited for. */
async function see(actor: Pick<JobActor, 'status'>): Promise<{ state: JobState | undefined; line: string }> {
  try {
    const state = await actor.status();
    return { state, line: state === undefined ? 'its actor has not begun yet' : phaseLine(state) };
  } catch (error) {
    return { state: undefined, line: withoutStop(reasonOf(error)) };
  }
}
