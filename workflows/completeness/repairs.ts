/**
 * Repairs windows: batch jobs that load from the log and make hours anew, one after the other, and backfills that fetch, which go on by
 * themselves. What is repaired and how is decided in `domain/completeness-repairs.ts`.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  CancellationScope,
  ChildWorkflowFailure,
  type ChildWorkflowHandle,
  sleep,
  startChild,
} from '@temporalio/workflow';
import type { LoadJob } from '../../activities/backfill-loads.ts';
import type { AskedCheck } from '../../activities/completeness.ts';
import type { PlannedRepairs } from '../../activities/completeness-repairs.ts';
import { backfillWorkflowId } from '../../domain/backfill-identities.ts';
import type { WindowBlock } from '../../domain/completeness-blocks.ts';
import type { HourRepair } from '../../domain/completeness-repairs.ts';
import { batchJobId } from '../../domain/identities.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import { priorities } from '../../domain/task-queues.ts';
import type { BackfillInputOfWorkflow, BackfillJobs } from '../../schemas/backfill.ts';
import type { BatchJobInput } from '../../schemas/batch-job.ts';
import { priorityOf, reasonIn } from '../backfill/calls.ts';
import type { backfill } from '../backfill.ts';
import type { runBatchJob } from '../run-batch-job.ts';
import {
  checkLoad,
  giveUpWindows,
  isAllStored,
  jobsOfRepairs,
  planFetch,
  planReload,
  recordFetch,
  recordRepair,
  requireNothingToForget,
} from './calls.ts';

/** What has become of a plan. */
export interface RepairResult {
  /** Ranges of hours that were made anew, and those that were loaded from the log before. */
  readonly recomputed: number;
  readonly reloaded: number;
  /** Backfills that were begun: they go on when the check has ended. */
  readonly fetches: readonly string[];
  /** Why something was not begun, or failed. */
  readonly refusals: readonly string[];
  /** Windows' blocks whose verdict may be another now. */
  readonly touched: readonly WindowBlock[];
}

/** Nothing that fails here makes the check fail: what is not repaired now is tried again by a later one. */
export async function repairWindows(asked: AskedCheck, plan: PlannedRepairs): Promise<RepairResult> {
  const { pipeline } = asked;
  const refusals: string[] = [];
  const touched: WindowBlock[] = [];
  const attempt = async (blocks: readonly WindowBlock[], work: () => Promise<void>): Promise<boolean> => {
    try {
      touched.push(...blocks);
      await work();
      return true;
    } catch (error) {
      // Somebody who cancels a part of it does not cancel the check.
      if (CancellationScope.current().consideredCancelled || !isFailure(error)) throw error;
      refusals.push(reasonIn(error));
      return false;
    }
  };
  // Backfills first: they run while the hours are made anew.
  for (const id of plan.resume) await attempt([], () => begin(pipeline, id));
  const fetches: string[] = [];
  for (const block of plan.fetch) {
    if (fetches.length >= plan.room) break;
    await attempt([block], async () => {
      const fetched = await fetch(pipeline, block);
      if ('id' in fetched) fetches.push(fetched.id);
      else refusals.push(fetched.refusal);
    });
  }
  if (plan.hopeless.length > 0)
    await attempt(plan.hopeless, () => giveUpWindows({ asked, blocks: plan.hopeless }));
  const jobs = await jobsOfRepairs({ pipeline });
  let reloaded = 0;
  for (const repair of plan.reload)
    if (await attempt(repair.blocks, () => reload(pipeline, jobs, repair))) reloaded += 1;
  let recomputed = 0;
  for (const repair of plan.recompute)
    if (await attempt(repair.blocks, () => makeAnew(pipeline, jobs, repair))) recomputed += 1;
  return { recomputed, reloaded, fetches, refusals, touched };
}

const isFailure = (error: unknown): boolean =>
  error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;

type Run = ChildWorkflowHandle<typeof runBatchJob>;

/**
 * What the log holds becomes rows, and the hours are made anew from all that is stored then. One that counts more than that even now is
 * left as it is, where the log cannot tell that the rest was never published.
 */
async function reload(pipeline: string, jobs: BackfillJobs, repair: HourRepair): Promise<void> {
  const turn = turnOf(pipeline, repair);
  for (const reach of ['around', 'everywhere'] as const) {
    for (const job of await planReload({ pipeline, repair, reach })) {
      await turn(() => load(jobs, job));
      await checkLoad({ id: repair.id, job });
    }
    if (await isAllStored({ pipeline, repair })) break;
  }
  await requireNothingToForget({ pipeline, repair });
  await turn(() => recompute(jobs, repair));
}

const makeAnew = (pipeline: string, jobs: BackfillJobs, repair: HourRepair): Promise<void> =>
  turnOf(pipeline, repair)(() => recompute(jobs, repair));

/** One job after the other; with the first that has begun it is an attempt. */
function turnOf(pipeline: string, { blocks }: HourRepair): (start: () => Promise<Run>) => Promise<void> {
  let isOnRecord = false;
  return async (start) => {
    const run = await start();
    if (!isOnRecord) await recordRepair({ pipeline, workflowId: run.workflowId, blocks });
    isOnRecord = true;
    await run.result();
  };
}

const load = ({ loadJob }: BackfillJobs, { load: id, parameters }: LoadJob): Promise<Run> =>
  batchJob(loadJob, { ...parameters }, { load: id });

const recompute = ({ recomputeJob }: BackfillJobs, { id, from, to }: HourRepair): Promise<Run> =>
  batchJob(recomputeJob, { from, to }, { from, to, for: id });

const FIRST_BUSY_PAUSE_MS = 2_000;
const MOST_BUSY_PAUSE_MS = 60_000;

/** One of the same id that another check runs is waited for; then the same is done again, which changes nothing. */
async function batchJob(
  job: string,
  parameters: Readonly<Record<string, string>>,
  named: Readonly<Record<string, string>>,
): Promise<Run> {
  const input: BatchJobInput = { job, parameters, priority: priorities.repair };
  const workflowId = batchJobId(job, named);
  for (let pauseMs = FIRST_BUSY_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MOST_BUSY_PAUSE_MS)) {
    try {
      return await startChild<typeof runBatchJob>('runBatchJob', {
        ...{ workflowId, args: [input] },
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        parentClosePolicy: 'REQUEST_CANCEL',
        staticSummary: `${job} for a repair`,
        priority: { priorityKey: priorities.repair },
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await sleep(pauseMs, { summary: `Wait until ${workflowId} has ended` });
    }
  }
}

/** Begins a backfill of the block. It is a workflow of its own: it goes on when the check has ended. */
async function fetch(
  pipeline: string,
  block: WindowBlock,
): Promise<{ readonly id: string } | { readonly refusal: string }> {
  const planned = await planFetch({ pipeline, block });
  if (planned.kind === 'refused') return { refusal: planned.reason };
  const { id } = planned;
  await begin(pipeline, id);
  const isTaken = await recordFetch({ pipeline, id, block });
  return isTaken ? { id } : { refusal: `${id} did not take its plan: others load some of its windows.` };
}

async function begin(pipeline: string, id: string): Promise<void> {
  const input: BackfillInputOfWorkflow = { plan: id };
  try {
    await startChild<typeof backfill>('backfill', {
      ...{ workflowId: backfillWorkflowId(id), args: [input] },
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      parentClosePolicy: 'ABANDON',
      staticSummary: `Repair ${pipeline} by ${id}`,
      priority: priorityOf('repair', id),
      typedSearchAttributes: [
        { key: searchAttributes.pipeline, value: pipeline },
        { key: searchAttributes.backfill, value: id },
      ],
    });
  } catch (error) {
    // Another check has begun it.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
