/**
 * Upgrades a Flink job by a candidate that runs beside it: the candidate reads the log from its beginning into tables of its own, its
 * windows are compared with the job's, and only then the job goes on with the new version, from the candidate's state. What a
 * comparison means is decided in `domain/shadow-comparison.ts`.
 */
import {
  CancellationScope,
  defineQuery,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Candidate } from '../activities/candidates.ts';
import type { ReadersSight, UpgradeSight } from '../activities/shadow-upgrades.ts';
import { batchJobId } from '../domain/identities.ts';
import { replayLimitMs } from '../domain/replay-estimate.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { notAccepted, rangesToMakeAnew, type ShadowComparison } from '../domain/shadow-comparison.ts';
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
  hoursWrittenSince,
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
/** What came while the candidate read for so long it reads in the time that the job has for its next commits. */
const SHORT_READING_MS = 3 * 60_000;
const SETTLING_LOOK_MS = 30 * 60_000;
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
  setHandler(statusQuery, () => ({ ...progress, accepts: input.acceptDifferences }));
  upsertSearchAttributes([{ key: searchAttributes.job, value: job }]);
  tell(progress);

  if ((await requireStable({ job })) === version) throw refusal(`version ${version} of ${job} runs already`);
  const candidate = await describeCandidate(questionOf({ job, version, purpose: 'shadow' }));
  requireAcceptable(candidate, input.acceptDifferences);
  const proof = await withCandidate(candidate, () => prove(candidate, input, tell));
  const result = await concluded(candidate, proof, input, tell);
  tell({ step: 'ended', comparison: proof.comparison });
  return result;
}

/** What the candidate has shown, and the savepoint that it was stopped with if nothing stands in the way. */
interface Proof {
  readonly comparison: ShadowComparison;
  readonly open: readonly string[];
  /** Whatever was published before then, the candidate had read and written before the comparison. */
  readonly readUntil: string;
  readonly savepoint: string;
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

async function prove(candidate: Candidate, input: Input, tell: Tell): Promise<Proof> {
  const jobId = idOf('candidate');
  const refused = await submitCandidate({ candidate, jobId, restorePath: '' });
  if (refused !== undefined) throw refusal(refused.reason);
  const limitMs = input.catchUpMs ?? replayLimitMs(candidate.replay);
  const readUntil = await catchUp(candidate, jobId, limitMs, tell);
  const comparison = await compare(candidate, jobId, tell);
  const open = notAccepted(comparison, input.acceptDifferences);
  const savepoint = open.length > 0 ? '' : await stopCandidate(candidate, jobId);
  return { comparison, open, readUntil, savepoint };
}

/** Of the candidate nothing is left by now but its savepoint. */
async function concluded(
  candidate: Candidate,
  { comparison, open, readUntil, savepoint }: Proof,
  input: Input,
  tell: Tell,
): Promise<ShadowUpgradeResult> {
  const { job, version } = candidate;
  const shared = { job, version, comparison, notAccepted: open } as const;
  if (open.length > 0) return { ...shared, outcome: 'refused', sentence: refusedSentence(comparison, open) };
  await awaitJobPast(candidate, tell);
  // Whoever cancels it now would have hours that nobody makes anew under a version that differs in them.
  const recomputed = await CancellationScope.nonCancellable(async () => {
    await goOnFrom(savepoint, candidate, input, tell);
    return recompute(candidate, comparison, readUntil, tell);
  });
  const sentence = cutOverSentence(comparison, version, recomputed);
  return { ...shared, outcome: 'cutOver', sentence, savepoint, recomputed };
}

/**
 * Reads what the log holds, then what came meanwhile, and so on until that is little: what the candidate writes after the moment of
 * the comparison is not compared.
 * @returns the moment before which everything that was published is read
 * @throws ApplicationFailure when it has not come so far in time
 */
async function catchUp(
  { job, consumerGroup }: Candidate,
  jobId: string,
  withinMs: number,
  tell: Tell,
): Promise<string> {
  const readers = { job, groups: [consumerGroup], jobId };
  const deadline = Date.now() + withinMs;
  for (;;) {
    const began = Date.now();
    const { asked, unread } = await untilRead(readers, deadline - began, (open) =>
      tell({ step: 'catchingUp', unread: open }),
    );
    if (unread > 0)
      throw refusal(
        `the candidate has not read the log within ${Math.round(withinMs / 60_000)} minutes, ${unread} records are left; the job was not touched`,
      );
    if (Date.now() - began <= SHORT_READING_MS) return asked.at;
  }
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
  const { asked, unread, slowest } = await untilRead(readers, JOB_READS_ON_MS, () => undefined);
  if (unread > 0) {
    const who = slowest === consumerGroup ? 'the candidate' : `${job} itself`;
    throw refusal(
      `${who} is ${unread} records behind the log, so that nothing can be compared; ${job} was not touched`,
    );
  }
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
async function awaitJobPast({ job, jobGroup }: Candidate, tell: Tell): Promise<void> {
  const readers = { job, groups: [jobGroup] };
  const tellUnread = (unread: number): void => tell({ step: 'cuttingOver', unread });
  const { unread } = await untilRead(readers, JOB_READS_ON_MS, tellUnread);
  if (unread > 0)
    throw refusal(
      `${job} has not read on to where the candidate stopped within ${JOB_READS_ON_MS / 60_000} minutes; it was not touched`,
    );
}

/** The job's actor confirms the version, or goes back, in its own time; while the job is suspended no time passes. */
async function goOnFrom(
  from: string,
  { job, version }: Candidate,
  { parallelism }: Input,
  tell: Tell,
): Promise<void> {
  await cutOver({ job, version, from, parallelism, commandId: idOf('deploy') });
  tell({ step: 'settling' });
  let sight: UpgradeSight;
  do sight = await awaitUpgrade({ job, version, untilMs: SETTLING_LOOK_MS });
  while (sight.end === 'underWay');
  if (sight.end === 'failed')
    throw refusal(`${job} does not run version ${version} stably after the cut-over: ${sight.reason}`);
}

/** @returns how many ranges */
async function recompute(
  { job, recomputeJob }: Candidate,
  comparison: ShadowComparison,
  since: string,
  tell: Tell,
): Promise<number> {
  if (comparison.ranges.length === 0) return 0;
  const written = await hoursWrittenSince({ job, since });
  const ranges = rangesToMakeAnew(comparison, written, new Date());
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
