/**
 * Upgrades a Flink job by a candidate that runs beside it: the candidate reads the log from its beginning into tables of its own, its
 * windows are compared with the job's, and only then the job goes on with the new version, from the candidate's state. What a
 * comparison means is decided in `domain/shadow-comparison.ts`.
 */
import { defineQuery, setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import type { Candidate } from '../activities/candidates.ts';
import type { ReadersSight } from '../activities/shadow-upgrades.ts';
import { batchJobId } from '../domain/identities.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { notAccepted, type ShadowComparison } from '../domain/shadow-comparison.ts';
import {
  cutOverSentence,
  progressLine,
  refusedSentence,
  type ShadowProgress,
  type ShadowUpgradeResult,
  shadowStatusName,
} from '../domain/shadow-upgrade.ts';
import { priorities } from '../domain/task-queues.ts';
import type { BatchJobInput, BatchJobResult } from '../schemas/batch-job.ts';
import { type ShadowUpgradeInput, shadowUpgradeInputSchema } from '../schemas/candidate.ts';
import { childWhenFree } from './backfill/calls.ts';
import {
  awaitReaders,
  awaitUpgrade,
  compareWindows,
  cutOver,
  describeCandidate,
  idOf,
  parseInput,
  questionOf,
  refusal,
  requireStable,
  stopJobWithSavepoint,
  submitCandidate,
  withCandidate,
} from './candidates/calls.ts';

/** What is shown of the reading is never older. */
const LONGEST_LOOK_MS = 2 * 60_000;
const FIRST_LOOK_MS = 10_000;
/** The job commits with each checkpoint what the candidate had read before it stopped. */
const JOB_READS_ON_MS = 15 * 60_000;
const SAVEPOINT_MS = 10 * 60_000;

const statusQuery = defineQuery<ShadowProgress>(shadowStatusName);

type Tell = (progress: ShadowProgress) => void;
type Input = ReturnType<typeof shadowUpgradeInputSchema.parse>;

export async function shadowUpgrade(given: ShadowUpgradeInput): Promise<ShadowUpgradeResult> {
  const input = parseInput(shadowUpgradeInputSchema, given);
  const { job, version } = input;
  let progress: ShadowProgress = { step: 'preparing' };
  const tell: Tell = (next) => {
    progress = next;
    setCurrentDetails(`Version \`${version}\` of **${job}**  \n${progressLine(next)}`);
  };
  setHandler(statusQuery, () => progress);
  upsertSearchAttributes([{ key: searchAttributes.job, value: job }]);
  tell(progress);

  if ((await requireStable({ job })) === version) throw refusal(`version ${version} of ${job} runs already`);
  const candidate = await describeCandidate(questionOf({ job, version, purpose: 'shadow' }));
  requireAcceptable(candidate, input.acceptDifferences);
  const result = await withCandidate(candidate, () => upgrade(candidate, input, tell));
  tell({ step: 'ended', comparison: result.comparison });
  return result;
}

/** What is accepted is made anew by a batch job, and that is of this build. */
function requireAcceptable(
  { job, version, refusal: reason, isOfThisBuild }: Candidate,
  accepted: Input['acceptDifferences'],
): void {
  if (reason !== '') throw refusal(reason);
  if (accepted.some((name) => name !== 'uncompared') && !isOfThisBuild)
    throw refusal(
      `the SQL of version ${version} of ${job} is not that of the running worker, whose batch job would make the accepted hours anew by other SQL: start the worker of this SQL first (npm start)`,
    );
}

async function upgrade(candidate: Candidate, input: Input, tell: Tell): Promise<ShadowUpgradeResult> {
  const { job, version } = candidate;
  const jobId = idOf('candidate');
  const refused = await submitCandidate({ candidate, jobId, restorePath: '' });
  if (refused !== undefined) throw refusal(refused.reason);
  await catchUp(candidate, jobId, input.catchUpMs, tell);
  const comparison = await compare(candidate, jobId, tell);
  const open = notAccepted(comparison, input.acceptDifferences);
  const shared = { job, version, comparison, notAccepted: open } as const;
  if (open.length > 0) return { ...shared, outcome: 'refused', sentence: refusedSentence(comparison, open) };
  const savepoint = await stopCandidate(candidate, jobId);
  await goOnFrom(savepoint, candidate, input, tell);
  const recomputed = await recompute(candidate, comparison, tell);
  const sentence = cutOverSentence(comparison, version, recomputed);
  return { ...shared, outcome: 'cutOver', sentence, savepoint, recomputed };
}

/** @throws ApplicationFailure when it has not read the log in time */
async function catchUp(
  { job, consumerGroup }: Candidate,
  jobId: string,
  withinMs: number,
  tell: Tell,
): Promise<void> {
  const readers = { job, groups: [consumerGroup], jobId };
  const { unread } = await untilRead(readers, withinMs, (open) => tell({ step: 'catchingUp', unread: open }));
  if (unread > 0)
    throw refusal(
      `the candidate has not read the log within ${withinMs / 60_000} minutes; the job was not touched`,
    );
}

/** Looks again and again, until everything was read that the log held at first, or the time is over. */
async function untilRead(
  readers: { job: string; groups: readonly string[]; jobId?: string },
  withinMs: number,
  tell: (unread: number) => void,
): Promise<ReadersSight> {
  const deadline = Date.now() + withinMs;
  let untilMs = FIRST_LOOK_MS;
  let sight = await awaitReaders({ ...readers, untilMs });
  for (;;) {
    tell(sight.unread);
    if (sight.unread === 0 || Date.now() >= deadline) return sight;
    untilMs = Math.min(2 * untilMs, LONGEST_LOOK_MS);
    sight = await awaitReaders({ ...readers, untilMs, asked: sight.asked });
  }
}

/** Once both have read whatever was published before one moment: what they had written until then says the same, or they differ. */
async function compare(candidate: Candidate, jobId: string, tell: Tell): Promise<ShadowComparison> {
  const { job, schema, consumerGroup, jobGroup } = candidate;
  tell({ step: 'comparing' });
  const readers = { job, groups: [consumerGroup, jobGroup], jobId };
  const { asked, unread } = await untilRead(readers, JOB_READS_ON_MS, () => undefined);
  if (unread > 0)
    throw refusal(
      `${job} itself is ${unread} records behind its log, so that nothing can be compared; it was not touched`,
    );
  const comparison = await compareWindows({ job, schema, writtenBefore: asked.at });
  tell({ step: 'comparing', comparison });
  return comparison;
}

async function stopCandidate({ job, version }: Candidate, jobId: string): Promise<string> {
  const outcome = await stopJobWithSavepoint({
    ...{ name: job, version, jobId, triggerId: idOf('cut-over'), kind: 'manual', timeoutMs: SAVEPOINT_MS },
  });
  if (outcome.status === 'completed') return outcome.path;
  throw refusal(`no savepoint of the candidate could be taken: ${outcome.reason}; the job was not touched`);
}

/**
 * The job has to be past the place where the candidate stopped: what lies between was written into the candidate's tables alone, and
 * its state would pass over it.
 */
async function goOnFrom(
  from: string,
  { job, version, jobGroup }: Candidate,
  input: Input,
  tell: Tell,
): Promise<void> {
  const readers = { job, groups: [jobGroup] };
  const tellUnread = (unread: number): void => tell({ step: 'cuttingOver', unread });
  const { unread } = await untilRead(readers, JOB_READS_ON_MS, tellUnread);
  if (unread > 0)
    throw refusal(
      `${job} has not read on to where the candidate stopped within ${JOB_READS_ON_MS / 60_000} minutes; it was not touched`,
    );
  await cutOver({ job, version, from, commandId: idOf('deploy') });
  tell({ step: 'settling' });
  const sight = await awaitUpgrade({ job, version, untilMs: input.settleMs });
  if (sight.end !== 'stable')
    throw refusal(`${job} does not run version ${version} stably after the cut-over: ${sight.reason}`);
}

/** @returns how many ranges */
async function recompute(
  { recomputeJob }: Candidate,
  comparison: ShadowComparison,
  tell: Tell,
): Promise<number> {
  const { ranges } = comparison;
  for (const parameters of ranges) {
    tell({ step: 'recomputing', comparison });
    const input: BatchJobInput = {
      job: recomputeJob,
      parameters: { ...parameters },
      priority: priorities.repair,
    };
    await childWhenFree<BatchJobResult>('runBatchJob', {
      workflowId: batchJobId(recomputeJob, { ...parameters, for: idOf('recompute') }),
      args: [input],
      staticSummary: `${recomputeJob} after a shadow upgrade`,
      priority: { priorityKey: priorities.repair },
    });
  }
  return ranges.length;
}
