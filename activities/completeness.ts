/**
 * Activities of a completeness check: what it is to judge, how far the stream has read, the judging, a look into the log for what nothing
 * else explains, and its end. Which verdict follows from what is decided in `domain/completeness-verdicts.ts`; repairs are
 * `completeness-repairs.ts`'s.
 */
import { heartbeat, sleep } from '@temporalio/activity';
import {
  findingsSince,
  isTroubled,
  latestAlert,
  previousEnd,
  recordAlert,
  silentSince,
} from '../clients/completeness-alerts.ts';
import { beginCheck, changedHoursSince, endCheck, latestCheck } from '../clients/completeness-checks.ts';
import {
  type CountsByVerdict,
  type JudgingResult,
  judgeWindows,
  type PublishedRecord,
} from '../clients/completeness-ledger.ts';
import { repairsOfWindows, unsettledHours } from '../clients/completeness-repairs.ts';
import type { KafkaClient } from '../clients/kafka.ts';
import {
  type ExplainingQuestion,
  explainedWindows,
  type Look,
  lookForLost,
  MOST_WINDOWS_SOUGHT,
  rangesAround,
  rangesOfPlaces,
  type SearchedTopic,
  type UnexplainedWindow,
  unexplainedWindows,
} from '../clients/lost-records.ts';
import type { Database } from '../clients/postgres.ts';
import type { InspectRecord, RecordContract } from '../clients/record-accounts.ts';
import type { BackfillFacts } from '../domain/backfill-plan.ts';
import { alertOfCheck, alertOfReturn, alertOfSilence } from '../domain/completeness-alerts.ts';
import type { LogReading } from '../domain/completeness-evidence.ts';
import {
  type JudgedRange,
  judgedUntil,
  newestHours,
  rangesOfHours,
  stepsToJudge,
} from '../domain/completeness-ranges.ts';
import { ofPipeline } from '../domain/errors.ts';
import type { Alert } from '../schemas/alert.ts';
import type { BegunCheck, CompletenessRequest } from '../schemas/completeness.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import type { PipelineInput } from '../schemas/workflow-inputs.ts';
import { allWithPulse } from './pulse.ts';

export interface CompletenessDeps {
  readonly database: Database;
  readonly kafka: Pick<KafkaClient, 'watermarks' | 'committedOffsets' | 'offsetsAt' | 'read'>;
  readonly pipelines: Readonly<Record<string, PipelineDefinition>>;
  readonly contracts: Readonly<Record<string, InspectRecord>>;
  readonly facts: Readonly<Record<string, BackfillFacts>>;
  /** Whether anything is repaired at all. */
  readonly repairs: boolean;
  readonly now: () => Date;
  /** How long to wait between two looks at how far the stream has read. */
  readonly pollMs: number;
  /** Whether a workflow of this id runs. */
  readonly isOpenWorkflow: (workflowId: string) => Promise<boolean>;
}

/** What is asked of a check, without what one run hands on to the next. */
export type AskedCheck = Omit<CompletenessRequest, 'carried'>;

/** How far the stream has read of what the log held when the check began. */
export interface StreamReading {
  readonly reading: readonly LogReading[];
  readonly isBehind: boolean;
}

export interface RangeText {
  readonly from: string;
  readonly to: string;
}

export interface JudgedStep extends StreamReading {
  readonly asked: AskedCheck;
  readonly begun: Pick<BegunCheck, 'at' | 'overUntil' | 'openRepairs'>;
  readonly range: RangeText;
}

export interface EndedCheck {
  readonly asked: AskedCheck;
  readonly begun: Pick<BegunCheck, 'id' | 'at' | 'isOnRecord'>;
  readonly counts: CountsByVerdict;
  readonly changed: number;
}

export interface Explained {
  /** Whether the log was looked through for all that nothing else explains. */
  readonly isWhole: boolean;
  readonly judged?: JudgingResult;
}

const NEVER = new Date(0);
const MOST_HOURS_OF_A_LOOK = 24;

/** From where on a source's history reaches at an instant; null when it has none. */
export function historyStart({ horizonMs }: Pick<BackfillFacts, 'horizonMs'>, at: Date): Date | null {
  if (horizonMs.history === 0) return null;
  return horizonMs.history === null ? NEVER : new Date(at.getTime() - horizonMs.history);
}

export function createCompletenessActivities(deps: CompletenessDeps) {
  const { database, kafka, pipelines, contracts, facts, now, pollMs, isOpenWorkflow } = deps;

  const contractOf = (pipeline: string): RecordContract => ({
    pipeline,
    inspect: ofPipeline(contracts, pipeline),
  });

  /** What the stream reads. */
  const topicsOf = (pipeline: string): readonly SearchedTopic[] => {
    const { live, repairs } = ofPipeline(pipelines, pipeline).topics;
    return [
      { name: live.name, isLive: true },
      { name: repairs.name, isLive: false },
    ];
  };

  const logEndsOf = async (pipeline: string): Promise<BegunCheck['logEnds']> => {
    const ends: BegunCheck['logEnds'] = [];
    // What has expired unread cannot be waited for.
    for (const { name: topic } of topicsOf(pipeline))
      for (const { partition, low, high } of await kafka.watermarks(topic))
        if (high > low) ends.push({ topic, partition, end: high });
    return ends;
  };

  const read = async (pipeline: string, logEnds: BegunCheck['logEnds']): Promise<readonly LogReading[]> => {
    const { consumerGroup } = ofPipeline(pipelines, pipeline);
    const committed = new Map<string, ReadonlyMap<number, number>>();
    for (const { name: topic } of topicsOf(pipeline))
      committed.set(topic, await kafka.committedOffsets(consumerGroup, topic));
    return logEnds.map(({ topic, partition, end }) => ({
      ...{ topic, partition, end },
      committed: committed.get(topic)?.get(partition) ?? null,
    }));
  };

  /** The hours since the last check, and the older ones that may be judged otherwise by now; it is put on record before these are sought. */
  const scheduledSteps = async (
    { pipeline, policy }: AskedCheck,
    id: string,
    at: Date,
    logEnds: BegunCheck['logEnds'],
  ): Promise<readonly JudgedRange[]> => {
    const latest = await latestCheck(database, pipeline);
    const newest = newestHours(latest?.judgedTo, at, policy);
    await beginCheck(database, { pipeline, id, ...newest, logEnds: await read(pipeline, logEnds) });
    const since = latest?.storedUntil ?? NEVER;
    const changed = await changedHoursSince(database, { pipeline, since, before: newest.from });
    const unsettled = await unsettledHours(database, pipeline, newest.from);
    return stepsToJudge(newest, [...changed, ...unsettled], policy);
  };

  const openOnes = async (workflowIds: readonly string[]): Promise<string[]> => {
    const open: string[] = [];
    for (const workflowId of workflowIds) if (await isOpenWorkflow(workflowId)) open.push(workflowId);
    return open;
  };

  const judge = (
    { asked, begun, range, reading, isBehind }: JudgedStep,
    publishedNotStored: readonly PublishedRecord[],
  ): Promise<JudgingResult> =>
    judgeWindows(database, {
      ...{ pipeline: asked.pipeline, source: asked.source, shards: asked.shards },
      ...(asked.entities === undefined ? {} : { entities: asked.entities }),
      ...{ ...rangeOf(range), overUntil: new Date(begun.overUntil) },
      ...{ isBehind, reading, publishedNotStored, openRepairs: begun.openRepairs },
      begunAt: new Date(begun.at),
      mostAttempts: asked.policy.mostAttempts,
      letterTopics: Object.values(ofPipeline(pipelines, asked.pipeline).topics).map(({ name }) => name),
      historyFrom: historyStart(ofPipeline(facts, asked.pipeline), new Date(begun.at)),
    });

  /** Of what was found to be published and not stored before: what still is. */
  const stillLost = async (step: JudgedStep): Promise<readonly PublishedRecord[]> => {
    const contract = contractOf(step.asked.pipeline);
    const windows = await explainedWindows(database, questionOf(step));
    const lost: PublishedRecord[] = [];
    for (const [topic, ranges] of rangesOfPlaces(windows))
      lost.push(...(await lookForLost(deps, { ...step, topic, ranges, windows, contract })).lost);
    return lost;
  };

  /** Whatever of these windows was published around their hours and is not stored. */
  const lostAround = async (step: JudgedStep, windows: readonly UnexplainedWindow[]): Promise<Look> => {
    const contract = contractOf(step.asked.pipeline);
    const hours = windows.map(({ windowStart }) => windowStart);
    const lost: PublishedRecord[] = [];
    let isWhole = windows.length < MOST_WINDOWS_SOUGHT;
    for (const range of rangesOfHours(hours, MOST_HOURS_OF_A_LOOK))
      for (const searched of topicsOf(step.asked.pipeline)) {
        const within = windows.filter(({ windowStart: at }) => at >= range.from && at < range.to);
        const ranges = await rangesAround(kafka, searched, range);
        const look = await lookForLost(deps, {
          ...{ ...step, topic: searched.name, ranges, windows: within, contract },
        });
        lost.push(...look.lost);
        isWhole &&= look.isWhole;
      }
    return { lost, isWhole };
  };

  return allWithPulse({
    /** Repeating it begins the same check. @throws UnknownPipelineError */
    async beginCompletenessCheck({ asked, id }: { asked: AskedCheck; id: string }): Promise<BegunCheck> {
      const at = now();
      const logEnds = await logEndsOf(asked.pipeline);
      const byHand = rangeByHand(asked);
      const steps =
        byHand === undefined
          ? await scheduledSteps(asked, id, at, logEnds)
          : stepsToJudge(byHand, [], asked.policy);
      return {
        ...{ id, at: at.toISOString(), overUntil: judgedUntil(at, asked.policy).toISOString(), logEnds },
        ranges: steps.map(({ from, to }) => ({ from: from.toISOString(), to: to.toISOString() })),
        openRepairs: await openOnes(await repairsOfWindows(database, asked.pipeline)),
        isOnRecord: byHand === undefined,
        repairs: asked.repair && deps.repairs,
      };
    },

    /** Waits until the stream has read what the log held when the check began, but no longer than so many seconds. */
    async awaitReading(input: {
      readonly pipeline: string;
      readonly logEnds: BegunCheck['logEnds'];
      readonly seconds: number;
    }): Promise<StreamReading> {
      const { pipeline, logEnds, seconds } = input;
      const deadline = now().getTime() + seconds * 1_000;
      for (;;) {
        heartbeat();
        const reading = await read(pipeline, logEnds);
        const isBehind = reading.some(({ committed, end }) => (committed ?? 0) < end);
        if (!isBehind || now().getTime() >= deadline) return { reading, isBehind };
        await sleep(pollMs);
      }
    },

    /** Judges each expected window of the range, and writes down what is new. */
    async judgeRange(step: JudgedStep): Promise<JudgingResult> {
      return judge(step, await stillLost(step));
    },

    /**
     * Looks into the log for what was published of windows that nothing else explains, and judges the range again when there is any.
     * @returns nothing judged when the log tells nothing new
     */
    async explainRange(step: JudgedStep): Promise<Explained> {
      if (step.isBehind) return { isWhole: false };
      const { lost, isWhole } = await lostAround(step, await unexplainedWindows(database, questionOf(step)));
      if (lost.length === 0) return { isWhole };
      return { isWhole, judged: await judge(step, [...lost, ...(await stillLost(step))]) };
    },

    /** Puts the end of a check on record. @returns what a person is to be told */
    async endCompletenessCheck({ asked, begun, counts, changed }: EndedCheck): Promise<readonly Alert[]> {
      if (!begun.isOnRecord) return [];
      const { pipeline } = asked;
      const previous = await previousEnd(database, pipeline, begun.id);
      const silentBefore = await silentSince(database, pipeline, begun.id);
      const alert = alertOfCheck({
        ...{ pipeline, begunAt: new Date(begun.at), now: now() },
        findings: await findingsSince(database, pipeline, previous ?? NEVER),
        isTroubled: await isTroubled(database, pipeline),
        told: await latestAlert(database, pipeline),
      });
      if (alert !== undefined) await recordAlert(database, pipeline, begun.id, alert);
      await endCheck(database, { pipeline, id: begun.id, byVerdict: counts, changed });
      return [alert, alertOfReturn(pipeline, silentBefore, now())].flatMap((each) => each ?? []);
    },

    /** What is to be told of checks that do not end; undefined when nothing is. */
    async judgeSilence({ pipeline }: PipelineInput): Promise<Alert | undefined> {
      ofPipeline(pipelines, pipeline);
      return alertOfSilence(pipeline, await silentSince(database, pipeline), now());
    },
  });
}

const questionOf = ({ asked: { pipeline, entities }, range }: JudgedStep): ExplainingQuestion => ({
  ...{ pipeline, ...rangeOf(range) },
  ...(entities === undefined ? {} : { entities }),
});

const rangeOf = ({ from, to }: RangeText): JudgedRange => ({ from: new Date(from), to: new Date(to) });

const rangeByHand = ({ from, to }: AskedCheck): JudgedRange | undefined =>
  from === undefined || to === undefined ? undefined : rangeOf({ from, to });

export type CompletenessActivities = ReturnType<typeof createCompletenessActivities>;
