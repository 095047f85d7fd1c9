/**
 * Activities of a completeness check that repairs: what is to be repaired, what is to be loaded or fetched for it, and that it was begun. How
 * a window is repaired is decided in `domain/completeness-repairs.ts`; the repairs themselves are backfills and batch jobs.
 */
import { heartbeat, sleep } from '@temporalio/activity';
import { backfillOf, storePlan } from '../clients/backfill-ledger.ts';
import { planFor } from '../clients/backfill-planning.ts';
import {
  giveUpWindows,
  incompleteWindows,
  recordRepair,
  windowsToRepair,
} from '../clients/completeness-repairs.ts';
import { countHoursCountingMore, hoursCountingMore, openRepairs } from '../clients/hour-repairs.ts';
import { rangesAround, reachesBackTo, type SearchedTopic, wholeLog } from '../clients/lost-records.ts';
import { loadId } from '../domain/backfill-identities.ts';
import { overPartitions, rangesText, unionOf } from '../domain/backfill-offsets.ts';
import { refusalOf } from '../domain/backfill-refusals.ts';
import type { WindowBlock } from '../domain/completeness-blocks.ts';
import {
  fetchRequest,
  type HourRepair,
  isDueForRepair,
  planRepairs,
  type RepairPlan,
  type WindowToRepair,
} from '../domain/completeness-repairs.ts';
import { HourglassError, ofPipeline } from '../domain/errors.ts';
import { backfillRequestSchema } from '../schemas/backfill.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import type { LoadJob } from './backfill-loads.ts';
import { type AskedCheck, type CompletenessDeps, historyStart } from './completeness.ts';
import { allWithPulse } from './pulse.ts';

export type PlannedFetch =
  | { readonly kind: 'planned'; readonly id: string }
  /** Nothing was begun, and no attempt is used up. */
  | { readonly kind: 'refused'; readonly reason: string };

/** What a check repairs: first what was begun and is carried on by nobody any more. */
export interface PlannedRepairs extends RepairPlan {
  /** Backfills whose workflow is gone: begun anew, each goes on where it was. */
  readonly resume: readonly string[];
}

/** Where in the logs the records of an hour are sought: around it, or everywhere. */
export type Reach = 'around' | 'everywhere';

/** Thrown when hours count more than is stored and the logs do not hold the rest. Made anew, they would forget it. */
class RecordsNotInLogError extends HourglassError {
  constructor({ from, to }: HourRepair, hours: number) {
    super(
      'RECORDS_NOT_IN_LOG',
      `${from} to ${to} is not made anew: the rows of ${hours} hours count more observations than are stored, and the log no longer holds all of that time. The last attempt makes them anew from what is stored.`,
    );
  }
}

/** So many windows are planned for at once: the plan is a payload. */
const MOST_PLANNED = 8_000;
/** In pages of so many; those that wait for their time are passed over. */
const PAGE = 5_000;

/** A backfill that was planned takes its plan within moments, unless somebody else took its windows. */
const ACCEPTED_WITHIN_MS = 60_000;

export function createCompletenessRepairActivities(deps: CompletenessDeps) {
  const { database, kafka, pipelines, facts, now, pollMs, isOpenWorkflow } = deps;

  const dueWindows = async (asked: AskedCheck, at: Date): Promise<readonly WindowToRepair[]> => {
    const { pipeline, policy, from, to, entities } = asked;
    const within =
      from === undefined || to === undefined
        ? {}
        : { within: { from: new Date(from), to: new Date(to), ...(entities && { entities }) } };
    const due: WindowToRepair[] = [];
    for (let after: WindowToRepair | undefined; ; ) {
      const page = await windowsToRepair(database, {
        ...{ pipeline, mostAttempts: policy.mostAttempts, ...within, limit: PAGE },
        ...(after && { after }),
      });
      due.push(...page.filter((window) => isDueForRepair(window, at)));
      after = page.at(-1);
      if (page.length < PAGE || due.length >= MOST_PLANNED) return due.slice(0, MOST_PLANNED);
    }
  };

  const loadOf = async (
    searched: SearchedTopic,
    { id, from, to }: HourRepair,
    reach: Reach,
  ): Promise<LoadJob | undefined> => {
    const { name: topic } = searched;
    const ranges =
      reach === 'everywhere'
        ? await wholeLog(kafka, topic)
        : await rangesAround(kafka, searched, { from: new Date(from), to: new Date(to) });
    if (ranges.length === 0) return undefined;
    const all = rangesText(overPartitions(unionOf([ranges]), await kafka.watermarks(topic)));
    const load = loadId(id, topic, all);
    return { load, parameters: { topic, offsets: all, backfill: 'any', from, to, load } };
  };

  return allWithPulse({
    /** Of a check by the schedule: whatever in the ledger needs it, and not only what was judged now. */
    async planWindowRepairs(input: { asked: AskedCheck; mayGiveUp: boolean }): Promise<PlannedRepairs> {
      const { asked, mayGiveUp } = input;
      const { pipeline, policy } = asked;
      const at = now();
      const windows = await dueWindows(asked, at);
      const hours = [...new Set(windows.map(({ windowStart }) => windowStart.getTime()))].map(
        (hour) => new Date(hour),
      );
      const open = await openRepairs(database, pipeline);
      const resume: string[] = [];
      for (const { id, workflowId } of open) if (!(await isOpenWorkflow(workflowId))) resume.push(id);
      const plan = planRepairs({
        ...{ pipeline, windows, policy, mayGiveUp },
        // Who paused one wants other repairs to go on.
        running: open.filter(({ status }) => status !== 'paused').length,
        incomplete: await incompleteWindows(database, pipeline, hours),
        countingMore: await hoursCountingMore(database, pipeline, hours),
        historyFrom: historyStart(ofPipeline(facts, pipeline), at),
      });
      return { ...plan, resume };
    },

    /** Batch jobs that load what any log may hold of the hours; whoever published it. */
    async planReload(input: {
      pipeline: string;
      repair: HourRepair;
      reach: Reach;
    }): Promise<readonly LoadJob[]> {
      const { live, repairs, history } = ofPipeline(pipelines, input.pipeline).topics;
      const jobs: LoadJob[] = [];
      for (const topic of [live, repairs, history]) {
        const job = await loadOf({ name: topic.name, isLive: topic === live }, input.repair, input.reach);
        if (job !== undefined) jobs.push(job);
      }
      return jobs;
    },

    /** Whether the rows of all hours count no more than is stored by now. */
    async isAllStored(input: { pipeline: string; repair: HourRepair }): Promise<boolean> {
      const { pipeline, repair } = input;
      return (await countHoursCountingMore(database, pipeline, repair)) === 0;
    },

    /**
     * To be asked when everything was loaded that the logs hold: what they would hold if it had ever been published was never published.
     * @throws RecordsNotInLogError
     */
    async requireNothingToForget(input: { pipeline: string; repair: HourRepair }): Promise<void> {
      const { pipeline, repair } = input;
      const hours = await countHoursCountingMore(database, pipeline, repair);
      if (hours === 0 || repair.isLast) return;
      const { live } = ofPipeline(pipelines, pipeline).topics;
      if (!(await reachesBackTo(kafka, live.name, new Date(repair.from))))
        throw new RecordsNotInLogError(repair, hours);
    },

    jobsOfRepairs: async ({ pipeline }: { pipeline: string }): Promise<PipelineDefinition['backfill']> =>
      ofPipeline(pipelines, pipeline).backfill,

    /** Plans the backfill that fetches a block. A refusal is an answer: some of it is being loaded, or is loaded by now. */
    async planFetch(input: { pipeline: string; block: WindowBlock }): Promise<PlannedFetch> {
      const { pipeline, block } = input;
      const known = ofPipeline(facts, pipeline);
      const request = backfillRequestSchema.parse(fetchRequest(pipeline, block));
      const at = now();
      try {
        const plan = await planFor(database, request, known, at);
        const refusal = refusalOf(plan, at, known);
        if (refusal !== undefined) return { kind: 'refused', reason: refusal.message };
        const { id, kind } = await storePlan(database, plan);
        return kind === 'stored' ? { kind: 'planned', id } : alreadyRuns(id);
      } catch (error) {
        if (!(error instanceof HourglassError) || error.retryable) throw error;
        return { kind: 'refused', reason: error.message };
      }
    },

    /** Batch jobs were begun for these windows: one attempt more. */
    async recordRepair(input: {
      readonly pipeline: string;
      readonly workflowId: string;
      readonly blocks: readonly WindowBlock[];
    }): Promise<number> {
      return recordRepair(database, { ...input, at: now() });
    },

    /** Waits until the backfill has taken its plan; only then it is an attempt. @returns whether it has */
    async recordFetch(input: { pipeline: string; id: string; block: WindowBlock }): Promise<boolean> {
      const { pipeline, id, block } = input;
      const deadline = now().getTime() + ACCEPTED_WITHIN_MS;
      for (;;) {
        heartbeat();
        const { status, workflowId } = await backfillOf(database, id);
        if (status !== 'planned') {
          await recordRepair(database, { pipeline, workflowId, blocks: [block], at: now() });
          return true;
        }
        if (now().getTime() >= deadline) return false;
        await sleep(pollMs);
      }
    },

    async giveUpWindows({
      asked,
      blocks,
    }: {
      asked: AskedCheck;
      blocks: readonly WindowBlock[];
    }): Promise<void> {
      await giveUpWindows(database, asked.pipeline, blocks, asked.policy.mostAttempts);
    },
  });
}

const alreadyRuns = (id: string): PlannedFetch => ({
  kind: 'refused',
  reason: `The same is being loaded by ${id}.`,
});

export type CompletenessRepairActivities = ReturnType<typeof createCompletenessRepairActivities>;
