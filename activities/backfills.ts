/**
 * Activities of a backfill that ask the ledger and Kafka: beginning it, what is to be done next, what is to be loaded, and how it
 * ended. What is planned is decided in `domain/backfill-plan.ts`, what states mean in `domain/backfill-states.ts`.
 */
import { heartbeat, sleep } from '@temporalio/activity';
import {
  type BackfillRecord,
  backfillOf,
  claimBackfill,
  recordBackfill,
  storePlan,
} from '../clients/backfill-ledger.ts';
import { planFor } from '../clients/backfill-planning.ts';
import {
  type ChunkOutline,
  chunkOf,
  chunksOf,
  countsByStatus,
  type NextChunks,
  nextChunks,
  recordChunk,
  recordChunks,
} from '../clients/chunk-ledger.ts';
import type { KafkaClient } from '../clients/kafka.ts';
import type { Database } from '../clients/postgres.ts';
import { daysOfChunk } from '../domain/backfill-chunks.ts';
import type { OffsetRanges } from '../domain/backfill-offsets.ts';
import type { BackfillFacts } from '../domain/backfill-plan.ts';
import { type HourRange, rangesToRecompute } from '../domain/backfill-recompute.ts';
import { refusalOf } from '../domain/backfill-refusals.ts';
import {
  type BackfillEvent,
  type BackfillState,
  backfillStates,
  CHUNK_STATES,
  type ChunkState,
  endingOf,
} from '../domain/backfill-states.ts';
import { dayNumberOf, hoursWithin } from '../domain/backfill-windows.ts';
import { HourglassError, ofPipeline } from '../domain/errors.ts';
import type { BackfillRequest } from '../schemas/backfill.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { allWithPulse } from './pulse.ts';

export interface BackfillDeps {
  readonly database: Database;
  readonly kafka: Pick<KafkaClient, 'committedOffsets'>;
  readonly pipelines: Readonly<Record<string, PipelineDefinition>>;
  readonly facts: Readonly<Record<string, BackfillFacts>>;
  readonly now: () => Date;
  /** How long to wait between two looks at how far the stream has read. */
  readonly pollMs: number;
  /** Whether a workflow of this id runs. */
  readonly isOpenWorkflow: (workflowId: string) => Promise<boolean>;
}

/** Thrown when nobody has read what was published for a chunk. The records stay in the topic. */
export class StreamAwayError extends HourglassError {
  constructor(topic: string, minutes: number) {
    super(
      'STREAM_AWAY',
      `The stream has not read what was published to ${topic} for ${minutes} minutes: look whether its job runs (\`hourglass job list\`), then retry the backfill.`,
    );
  }
}

export type BackfillCounts = Readonly<Record<ChunkState, number>>;

/** A backfill that is now this workflow's to run. */
export interface BegunBackfill {
  readonly kind: 'begun';
  readonly id: string;
  readonly request: BackfillRequest;
  readonly state: BackfillState;
  readonly chunks: BackfillCounts;
  readonly jobs: PipelineDefinition['backfill'];
}

export type Beginning =
  | BegunBackfill
  /** An identical one, or this one, is run by another workflow. */
  | { readonly kind: 'attached'; readonly id: string; readonly workflowId: string }
  /** It has ended before, and is not to be retried. */
  | { readonly kind: 'ended'; readonly id: string; readonly state: BackfillState };

export interface BeginInput {
  readonly start: { readonly plan: string; readonly retry: boolean } | { readonly request: BackfillRequest };
  readonly workflowId: string;
}

export interface FailedChunk {
  readonly key: string;
  readonly windows: number;
  readonly reason: string;
}

/** How a backfill has ended. */
export interface BackfillEnding {
  readonly id: string;
  readonly state: BackfillState;
  readonly chunks: BackfillCounts;
  readonly windows: { readonly done: number; readonly failed: number; readonly cancelled: number };
  readonly records: number;
  /** The first of them, with the reason of each. */
  readonly failed: readonly FailedChunk[];
}

const MOST_NAMED = 20;

export function createBackfillActivities(deps: BackfillDeps) {
  const { database, kafka, pipelines, facts, now, pollMs, isOpenWorkflow } = deps;

  const plan = async (request: BackfillRequest): Promise<string> => {
    ofPipeline(pipelines, request.pipeline);
    const known = ofPipeline(facts, request.pipeline);
    const at = now();
    const planned = await planFor(database, request, known, at);
    const refusal = refusalOf(planned, at, known);
    if (refusal !== undefined) throw refusal;
    return planned.attachTo ?? (await storePlan(database, planned)).id;
  };

  const begun = async (record: BackfillRecord): Promise<BegunBackfill> => {
    const { backfill } = ofPipeline(pipelines, record.request.pipeline);
    return {
      kind: 'begun',
      ...{ id: record.id, request: record.request, state: record.status },
      chunks: countsOf(await countsByStatus(database, record.id)),
      jobs: backfill,
    };
  };

  /** Somebody may cancel it while its end is being judged: then it is judged again. */
  const endState = async (id: string, error: string | undefined): Promise<BackfillState> => {
    for (;;) {
      const { status } = await backfillOf(database, id);
      if (backfillStates[status].terminal) return status;
      if (status === 'cancelling') await recordChunks(database, { backfillId: id, event: 'cancelled' });
      const event =
        error !== undefined
          ? 'gaveUp'
          : status === 'cancelling'
            ? 'cancelled'
            : endingOf(await countsByStatus(database, id));
      const state = await recordBackfill(database, id, event, error);
      if (backfillStates[state].terminal) return state;
    }
  };

  return allWithPulse({
    /**
     * Plans the backfill if that was not done, and takes it as this workflow's. Repeating it finds it taken.
     * @throws what `refusalOf` says, UnknownBackfillError, OverlappingBackfillError, StalePlanError
     */
    async beginBackfill({ start, workflowId }: BeginInput): Promise<Beginning> {
      const id = 'request' in start ? await plan(start.request) : start.plan;
      const isRetry = 'request' in start ? false : start.retry;
      const record = await backfillOf(database, id);
      const { status, workflowId: owner } = record;
      if (backfillStates[status].terminal && !isRetry) return { kind: 'ended', id, state: status };
      const isTaken = status !== 'planned' && !backfillStates[status].terminal && owner !== workflowId;
      if (isTaken && (await isOpenWorkflow(owner))) return { kind: 'attached', id, workflowId: owner };
      const event = backfillStates[status].terminal ? 'retried' : 'started';
      const claimed = await claimBackfill(database, { id, event, workflowId, from: owner });
      if (claimed.workflowId !== workflowId) return { kind: 'attached', id, workflowId: claimed.workflowId };
      await database.query('ensure-backfill-partitions', [id], record.request.pipeline);
      return backfillStates[claimed.status].terminal
        ? { kind: 'ended', id, state: claimed.status }
        : begun(claimed);
    },

    nextChunks: (input: NextChunks): Promise<readonly ChunkOutline[]> => nextChunks(database, input),

    /** @returns the backfill's state afterwards */
    recordBackfill: ({ id, event }: { id: string; event: BackfillEvent }): Promise<BackfillState> =>
      recordBackfill(database, id, event),

    /** Chunks that need not be published one by one: their records come from elsewhere, together. */
    async beginAllChunks({ id }: { id: string }): Promise<void> {
      await recordChunks(database, { backfillId: id, event: 'begun' });
    },

    async failChunks(input: { id: string; keys?: readonly string[]; reason: string }): Promise<void> {
      const { id, keys, reason } = input;
      await recordChunks(database, {
        ...{ backfillId: id, event: 'gaveUp', error: reason },
        ...(keys === undefined ? {} : { keys }),
      });
    },

    /**
     * What was loaded agrees with its hours: these chunks are done, or have failed for the locations that could not be had.
     * @param keys all that were begun when left out
     * @returns how many have failed
     */
    async finishChunks({ id, keys }: { id: string; keys?: readonly string[] }): Promise<number> {
      const some = { backfillId: id, ...(keys === undefined ? {} : { keys }) };
      const incomplete = await database.query<IncompleteRow>('incomplete-backfill-chunks', [
        id,
        keys ?? null,
      ]);
      for (const row of incomplete)
        await recordChunk(database, {
          ...{ backfillId: id, key: row.chunk_key },
          ...{ event: 'gaveUp', error: textOf(row) },
        });
      await recordChunks(database, { ...some, event: 'loaded' });
      await recordChunks(database, { ...some, event: 'finished' });
      return incomplete.length;
    },

    /**
     * Waits until the stream has read these records of the topic of repairs.
     * @throws StreamAwayError after so many minutes
     */
    async awaitStream(input: { pipeline: string; offsets: OffsetRanges; minutes: number }): Promise<void> {
      const { pipeline, offsets, minutes } = input;
      const { consumerGroup, topics } = ofPipeline(pipelines, pipeline);
      const deadline = now().getTime() + minutes * 60_000;
      for (;;) {
        heartbeat();
        const committed = await kafka.committedOffsets(consumerGroup, topics.repairs.name);
        if (offsets.every(({ partition, end }) => (committed.get(partition) ?? 0) >= end)) return;
        if (now().getTime() >= deadline) throw new StreamAwayError(topics.repairs.name, minutes);
        await sleep(pollMs);
      }
    },

    /**
     * Hours that went through the stream and that it has ceased to own since they were planned: it no longer counts what came late
     * for them. @param key of one chunk; of all of them when left out
     */
    async outgrownHours({ id, key }: { id: string; key?: string }): Promise<readonly HourRange[]> {
      const { request } = await backfillOf(database, id);
      const { streamOwnsMs } = ofPipeline(facts, request.pipeline);
      const ownedFromMs = now().getTime() - streamOwnsMs;
      const chunks = key === undefined ? await chunksOf(database, id) : [await chunkOf(database, id, key)];
      const days = chunks
        .filter(({ path }) => path === 'stream')
        .flatMap(({ windows }) => daysOfChunk(windows));
      return rangesToRecompute(
        days.map((day) => ({
          ...day,
          hours: day.hours & hoursWithin(dayNumberOf(day.day), Number.NEGATIVE_INFINITY, ownedFromMs),
        })),
      );
    },

    /** @param error why, when it could not go on @throws UnknownBackfillError */
    async endBackfill({ id, error }: { id: string; error?: string }): Promise<BackfillEnding> {
      const state = await endState(id, error);
      const byStatus = await countsByStatus(database, id);
      const failed = await database.query<FailedRow>('failed-backfill-chunks', [id, MOST_NAMED]);
      return {
        ...{ id, state, chunks: countsOf(byStatus) },
        windows: {
          done: byStatus.done.windows,
          failed: byStatus.failed.windows,
          cancelled: byStatus.cancelled.windows,
        },
        records: CHUNK_STATES.reduce((sum, each) => sum + byStatus[each].records, 0),
        failed: failed.map((row) => ({
          key: row.chunk_key,
          windows: row.window_count,
          reason: row.error ?? '',
        })),
      };
    },
  });
}

const countsOf = (byStatus: Awaited<ReturnType<typeof countsByStatus>>): BackfillCounts =>
  Object.fromEntries(CHUNK_STATES.map((state) => [state, byStatus[state].chunks])) as BackfillCounts;

interface IncompleteRow {
  readonly chunk_key: string;
  readonly locations: number;
  readonly failures: readonly { readonly entityId: number; readonly reason: string }[];
}

interface FailedRow {
  readonly chunk_key: string;
  readonly window_count: number;
  readonly error: string | null;
}

function textOf({ locations, failures }: IncompleteRow): string {
  const named = failures.map(({ entityId, reason }) => `${entityId}: ${reason}`).join('; ');
  return `${failures.length} of ${locations} locations could not be had: ${named}`;
}

export type BackfillActivities = ReturnType<typeof createBackfillActivities>;
