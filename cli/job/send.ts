/** Sends a command to a job's actor, says what is desired now, and follows it to its end where that is asked. */
import { randomUUID } from 'node:crypto';
import { ActorNotAnsweringError, type JobActor } from '../../clients/job-actor.ts';
import { HourglassError } from '../../domain/errors.ts';
import { flinkId } from '../../domain/identities.ts';
import {
  goalOf,
  type SavepointRow,
  type Standing,
  type StateCommandName,
  savepointStanding,
  standingOf,
} from '../../domain/job-waiting.ts';
import type { JobCommandInput, JobCommandName, JobState } from '../../schemas/job.ts';
import { withDatabase } from '../with-database.ts';
import { factsOf } from './facts.ts';
import { type Followed, follow } from './follow.ts';
import { withoutStop } from './format.ts';
import { type CommandValues, inputOf } from './input.ts';
import { requireJob } from './known-jobs.ts';
import { desiredSentence, END, hadNothingToDo, reachedSentence } from './sentences.ts';
import { withActor } from './with-actor.ts';

export interface SendOptions extends CommandValues {
  readonly wait?: boolean;
  /** In seconds. */
  readonly timeout: number;
  readonly json?: boolean;
}

/** Thrown when nobody took the command in time. It may be carried out all the same, when a worker comes back. */
class CommandNotAnsweredError extends HourglassError {
  constructor(command: string, commandId: string, cause: ActorNotAnsweringError) {
    super(
      'COMMAND_NOT_ANSWERED',
      `${cause.message} A worker that comes back may still carry out this ${command}; repeated with \`--command-id ${commandId}\` it is carried out once.`,
      { retryable: true, cause },
    );
  }
}

/** Thrown when no version of the job was ever submitted. */
class NothingToRescaleError extends HourglassError {
  constructor(name: string) {
    super(
      'NOTHING_TO_RESCALE',
      `No version of ${name} runs that could be rescaled; \`npx hourglass job deploy ${name}\` starts one.`,
    );
  }
}

/** Thrown when a command that was followed cannot come to its end any more. */
class CommandFailedError extends HourglassError {
  constructor(what: string, reason: string, remedy: string) {
    super('COMMAND_FAILED', `${what}: ${withoutStop(reason)}. ${remedy}`);
  }
}

/** `rescale`: the version that runs with another parallelism, a version of its own. */
export async function sendRescale(name: string, options: SendOptions): Promise<void> {
  requireJob(name);
  const version = await withActor(name, async (actor) => (await actor.status())?.version ?? '');
  if (version === '') throw new NothingToRescaleError(name);
  await sendStateCommand('deploy', name, { ...options, version });
}

/** `deploy`, `rollback`, `suspend`, `resume`, `restart` and `stop`. */
export async function sendStateCommand(
  command: StateCommandName,
  name: string,
  options: SendOptions,
): Promise<void> {
  requireJob(name);
  const { commandId = randomUUID(), wait, timeout, json, ...own } = options;
  const input = inputOf(command, name, { ...own, commandId });
  await withActor(name, async (actor) => {
    const recorded = await give(actor, command, input, commandId);
    const isNothing = hadNothingToDo(command, recorded, Date.now());
    if (!json) console.log(desiredSentence(command, recorded, Date.now(), options.from));
    if (!wait) {
      if (json)
        print({
          command,
          commandId,
          name,
          result: isNothing ? 'nothing_to_do' : 'recorded',
          ...factsOf(recorded),
        });
      return;
    }
    const { standing, state = recorded } = await followState(actor, command, recorded, timeout);
    if (json) print({ command, commandId, name, result: standing.end, ...factsOf(state) });
    if ('reason' in standing) throw failureOf(command, name, standing);
    if (!json) console.log(reachedSentence(state));
  });
}

function followState(
  actor: JobActor,
  command: StateCommandName,
  recorded: JobState,
  timeoutS: number,
): Promise<Followed> {
  const goal = goalOf(command, recorded);
  return follow(actor, {
    name: recorded.name,
    recorded,
    end: END[goal.target],
    timeoutMs: timeoutS * 1_000,
    tell: console.error,
    async judge(state) {
      if (state === undefined) return { end: 'underWay' };
      const standing = standingOf(goal, state);
      const isStopped = goal.target === 'stopped' && standing.end === 'reached';
      // It says that it is stopped a moment before it has ended.
      return isStopped && !(await actor.hasEnded()) ? { end: 'underWay' } : standing;
    },
  });
}

function failureOf(
  command: StateCommandName,
  name: string,
  { end, reason }: Extract<Standing, { reason: string }>,
): CommandFailedError {
  const what = `The ${command} of ${name}`;
  switch (end) {
    case 'overtaken':
      return new CommandFailedError(
        `${what} was overtaken`,
        reason,
        `See \`npx hourglass job history ${name}\`.`,
      );
    case 'rolledBack':
      return new CommandFailedError(
        `${what} was rolled back`,
        reason,
        `The version before goes on from its own state, see \`npx hourglass job show ${name}\`; when the cause is mended, deploy again.`,
      );
    case 'failed':
      return new CommandFailedError(
        `${what} failed`,
        reason,
        `See \`npx hourglass job exceptions ${name}\`; when the cause is mended, \`npx hourglass job resume ${name}\` tries again.`,
      );
  }
}

/** `savepoint`: its trigger id is decided here, so that a repeated command is the same savepoint. */
export async function sendSavepoint(name: string, options: SendOptions): Promise<void> {
  requireJob(name);
  const { commandId = randomUUID(), wait, json } = options;
  const triggerId = options.triggerId ?? flinkId(`${name}/savepoint/${commandId}`);
  const input = inputOf('savepoint', name, { commandId, triggerId });
  await withActor(name, async (actor) => {
    const recorded = await give(actor, 'savepoint', input, commandId);
    const document = { command: 'savepoint', commandId, name, triggerId };
    if (!json) console.log(`A savepoint of ${name} is to be taken, trigger id ${triggerId}.`);
    if (!wait) {
      if (json) print({ ...document, result: 'recorded', path: null });
      return;
    }
    const { standing, path } = await followSavepoint(actor, recorded, triggerId, options);
    if (json) print({ ...document, result: standing.end, path });
    if ('reason' in standing)
      throw new CommandFailedError(
        `Savepoint ${triggerId} of ${name} was not taken`,
        standing.reason,
        `See \`npx hourglass job show ${name}\`.`,
      );
    if (!json) console.log(`The savepoint is completed: ${path}`);
  });
}

async function followSavepoint(
  actor: JobActor,
  recorded: JobState,
  triggerId: string,
  { timeout }: SendOptions,
): Promise<{ standing: Standing; path: string | null }> {
  const { name } = recorded;
  return withDatabase(async (database) => {
    let row: SavepointRow | undefined;
    const { standing } = await follow(actor, {
      name,
      recorded,
      end: `savepoint ${triggerId}`,
      timeoutMs: timeout * 1_000,
      tell: console.error,
      async judge(state) {
        [row] = await database.query<SavepointRow>('savepoint', [name, triggerId]);
        return savepointStanding(triggerId, state, row);
      },
    });
    return { standing, path: row?.path ?? null };
  });
}

/** @throws CommandNotAnsweredError, CommandRefusedError */
async function give<Name extends JobCommandName>(
  actor: JobActor,
  command: Name,
  input: JobCommandInput<Name>,
  commandId: string,
): Promise<JobState> {
  try {
    return await actor.command(command, input);
  } catch (error) {
    if (error instanceof ActorNotAnsweringError) throw new CommandNotAnsweredError(command, commandId, error);
    throw error;
  }
}

function print(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}
