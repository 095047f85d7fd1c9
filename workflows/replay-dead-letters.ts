/**
 * Replays dead letters: publishes those that are acceptable now, waits until the stream has read them, and tells what became of
 * each. What becomes of a letter is decided in `domain/dead-letter-replay.ts`.
 */
import {
  ApplicationFailure,
  defineQuery,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { DeadLetterActivities, StretchInput, StretchResult } from '../activities/dead-letters.ts';
import {
  countsOf,
  countsText,
  type ReplayCounts,
  type ReplayProgress,
  replayStatusName,
} from '../domain/dead-letter-replay.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { priorities, taskQueues } from '../domain/task-queues.ts';
import { type ReplayInput, type ReplaySelection, replayInputSchema } from '../schemas/workflow-inputs.ts';

/** A checkpoint each 10 s, and the commit of a reader that has nothing to read each 10 s: what is read later is read by a stream that is away. */
const SETTLE_MS = 2 * 60_000;

/** Each stretch is a minute's work and six events: far below the 50,000 at which a history ends. */
const MOST_STRETCHES = 1_000;

const shared = {
  taskQueue: taskQueues.control,
  // A stretch is a minute, its last batch may wait for the stream, and Kafka and PostgreSQL may be slow.
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: '2 minutes',
  retry: { initialInterval: '2 seconds', maximumInterval: '1 minute' },
  priority: { priorityKey: priorities.repair },
} as const;
const { publishDeadLetters } = proxyActivities<DeadLetterActivities>({
  ...shared,
  summary: 'Publish what is acceptable now',
});
const { settleDeadLetters } = proxyActivities<DeadLetterActivities>({
  ...shared,
  summary: 'See what the stream made of it',
});

const statusQuery = defineQuery<ReplayProgress>(replayStatusName);

export async function replayDeadLetters(given: ReplayInput): Promise<ReplayCounts> {
  const selection = parse(given);
  const { firstExecutionRunId: run, startTime } = workflowInfo();
  let progress: ReplayProgress = { step: 'publishing', counts: countsOf([]) };
  setHandler(statusQuery, () => progress);
  const enter = (next: ReplayProgress): void => {
    progress = next;
    show(selection, next);
  };
  upsertSearchAttributes([{ key: searchAttributes.pipeline, value: selection.pipeline }]);
  enter(progress);

  const stretch = { selection, run, before: startTime.toISOString() };
  const publishing = (counts: ReplayCounts): void => enter({ step: 'publishing', counts });
  await inStretches(stretch, publishDeadLetters, publishing);
  enter({ ...progress, step: 'settling' });
  const until = new Date(Date.now() + SETTLE_MS).toISOString();
  const settling = (counts: ReplayCounts): void => enter({ step: 'settling', counts });
  await inStretches(stretch, (input) => settleDeadLetters({ ...input, until }), settling);
  enter({ ...progress, step: 'ended' });
  return progress.counts;
}

/** Calls until nothing of the selection is left. */
async function inStretches(
  first: StretchInput,
  call: (input: StretchInput) => Promise<StretchResult>,
  tell: (counts: ReplayCounts) => void,
): Promise<void> {
  let input = first;
  for (let stretches = 1; ; stretches += 1) {
    const { after, counts } = await call(input);
    tell(counts);
    if (after === undefined) return;
    if (stretches >= MOST_STRETCHES)
      throw ApplicationFailure.nonRetryable(
        `the replay is too long for one run: it has come to ${countsText(counts)}. Start it again, or select less with since and until`,
        'REPLAY_TOO_LONG',
      );
    input = { ...first, after };
  }
}

function parse(given: unknown): ReplaySelection {
  const parsed = replayInputSchema.safeParse(given);
  if (!parsed.success)
    throw ApplicationFailure.nonRetryable(
      `the input is not valid: ${parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ')}`,
      'INVALID_INPUT',
    );
  return parsed.data;
}

const SENTENCES: Readonly<Record<ReplayProgress['step'], string>> = {
  publishing: 'Letters are judged anew, and published where they are acceptable now.',
  settling: 'What was published is waited for until the stream has read it.',
  ended: 'Every letter of the selection has its outcome.',
};

/** What the Temporal UI shows of the run without opening a payload. */
function show(selection: ReplaySelection, { step, counts }: ReplayProgress): void {
  const values = Object.entries(selection).map(([name, value]) => `${name} \`${value}\``);
  setCurrentDetails([SENTENCES[step], values.join(', '), countsText(counts)].join('  \n'));
}
