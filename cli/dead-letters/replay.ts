/** `hourglass dead-letters replay`: starts the workflow that replays a selection, and follows it where that is asked. */
import { setTimeout as delay } from 'node:timers/promises';
import { type ReplayRun, startReplay } from '../../clients/dead-letter-replay.ts';
import { connectTemporal } from '../../clients/temporal.ts';
import { temporalAddress } from '../../config/addresses.ts';
import { loadConfig } from '../../config/load.ts';
import { countsText, type ReplayCounts } from '../../domain/dead-letter-replay.ts';
import { HourglassError, reasonOf } from '../../domain/errors.ts';
import { showPlan } from './dry-run.ts';
import { type SelectionOptions, selectionOf } from './selection.ts';

export interface ReplayOptions extends SelectionOptions {
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  /** In seconds. */
  readonly timeout: number;
  readonly json?: boolean;
}

const LOOK_MS = 500;

/** Thrown when a replay that was followed has not ended in time. It goes on by itself. */
class ReplayNotInTimeError extends HourglassError {
  constructor(workflowId: string, timeoutS: number, last: string) {
    super(
      'REPLAY_NOT_IN_TIME',
      `The replay has not ended within ${timeoutS} s; the last that was seen: ${last}. It goes on as workflow ${workflowId}; the same command with --wait follows it again.`,
      { retryable: true },
    );
  }
}

/** Thrown when a replay that was followed has ended and letters of it are not where they should be. */
class ReplayIncompleteError extends HourglassError {
  constructor(counts: ReplayCounts, sentences: readonly string[]) {
    super('REPLAY_INCOMPLETE', `The replay has come to ${countsText(counts)}. ${sentences.join(' ')}`);
  }
}

export async function replayDeadLetters(
  topic: string | undefined,
  partition: number | undefined,
  offset: number | undefined,
  options: ReplayOptions,
): Promise<void> {
  const { dryRun, wait, timeout, json } = options;
  const selection = selectionOf(topic, partition, offset, options);
  if (dryRun) {
    await showPlan(selection, json);
    return;
  }
  const config = loadConfig();
  const client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  try {
    const run = await startReplay(client, selection);
    // A workflow is started whether or not a worker is there; its answer shows that one is.
    await run.progress();
    const { workflowId } = run;
    if (!wait) {
      console.log(
        json
          ? JSON.stringify({ workflowId, result: 'started' }, undefined, 2)
          : `The replay is under way as workflow ${workflowId}; --wait follows it, \`hourglass dead-letters list\` tells what became of each.`,
      );
      return;
    }
    const counts = await follow(run, timeout, console.error);
    if (json) console.log(JSON.stringify({ workflowId, result: 'ended', counts }, undefined, 2));
    const sentences = incompleteness(counts);
    if (sentences.length > 0) throw new ReplayIncompleteError(counts, sentences);
    if (!json) console.log(`The replay has ended: ${countsText(counts)}.`);
  } finally {
    await client.connection.close();
  }
}

/** Tells each change of its progress once. @throws ReplayFailedError, ReplayNotInTimeError */
export async function follow(
  run: ReplayRun,
  timeoutS: number,
  tell: (line: string) => void,
): Promise<ReplayCounts> {
  const deadline = Date.now() + timeoutS * 1_000;
  const result = run.result();
  const ended = result.then(() => true);
  let told = '';
  for (;;) {
    const line = await progressLine(run);
    if (line !== told) tell(line);
    told = line;
    if (await Promise.race([ended, delay(LOOK_MS, false)])) return result;
    if (Date.now() >= deadline) {
      // Nobody waits for it any more, and closing the connection ends it with an error.
      ended.catch(() => undefined);
      throw new ReplayNotInTimeError(run.workflowId, timeoutS, line);
    }
  }
}

/** A worker that starts again does not answer now, and may later: that is told and waited for. */
async function progressLine(run: ReplayRun): Promise<string> {
  try {
    const { step, counts } = await run.progress();
    return `${step}: ${countsText(counts)}`;
  } catch (error) {
    return reasonOf(error);
  }
}

/** What a person has to do about letters that ended neither in a row nor in a verdict of the contract. */
export function incompleteness(counts: ReplayCounts): readonly string[] {
  const open = counts.published + counts.publishing;
  return [
    ...(open === 0
      ? []
      : [
          'The stream has not read what was published: see `npx hourglass job list`. Once it has, the same command completes the replay.',
        ]),
    ...(counts.lost === 0 ? [] : ['Why a letter is lost: `npx hourglass dead-letters show`.']),
  ];
}
