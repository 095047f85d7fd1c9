/**
 * The activity that fetches a chunk of a backfill from the source and publishes it. How the source is asked is `history-inquiry.ts`'s,
 * how the records stand in Kafka `backfill-records.ts`'s.
 */
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import { type BackfillRecord, backfillOf } from '../clients/backfill-ledger.ts';
import { type ChunkFailure, type ChunkRecord, chunkOf, recordChunk } from '../clients/chunk-ledger.ts';
import type { KafkaClient, OutgoingRecord } from '../clients/kafka.ts';
import { registeredLocations } from '../clients/registered-locations.ts';
import { spansOf } from '../domain/backfill-chunks.ts';
import { NO_RANGES, type OffsetRanges, widen } from '../domain/backfill-offsets.ts';
import { HOUR_MS } from '../domain/backfill-windows.ts';
import { HourglassError, ofPipeline } from '../domain/errors.ts';
import { createWantedWindows } from '../domain/wanted-windows.ts';
import type { PipelineHistory, RegisteredLocation } from '../schemas/pipeline.ts';
import { chunkHeaders, originHeaders, publishInBatches, refusedValue, topicOf } from './backfill-records.ts';
import {
  fetchPasts,
  type InquiryOptions,
  type InstantRange,
  type Past,
  type PastQuestion,
} from './history-inquiry.ts';
import { withPulse } from './pulse.ts';
import type { SourceDeps } from './source.ts';

export interface BackfillFetchDeps extends Omit<SourceDeps, 'spreadMs' | 'kafka'> {
  readonly kafka: Pick<KafkaClient, 'publish'>;
}

export interface ChunkAddress {
  readonly backfillId: string;
  readonly key: string;
}

/** What became of a chunk: its records, where they are, and how many of its locations could not be had. */
export interface FetchedChunk {
  readonly records: number;
  readonly failures: number;
  readonly offsets: OffsetRanges;
}

/** Thrown for a chunk that is to be fetched from a source that knows the present alone. */
export class NoHistoryError extends HourglassError {
  constructor(pipeline: string, sourceName: string) {
    super(
      'NO_HISTORY',
      `The source ${sourceName} of the pipeline ${pipeline} has no history: load the hours from a file or from the log instead.`,
    );
  }
}

/** So many locations are fetched, then published: what a killed worker fetches and publishes a second time. */
const WAVE = 25;
/** A worker fetches several chunks at once, and live polling goes on beside them. */
const MOST_AT_ONCE = 16;

/** Of a reason: those of all locations go into each heartbeat. */
const MOST_CHARACTERS = 300;

/** How far a chunk is: what a retry goes on from. */
interface Progress {
  /** So many of the chunk's locations are done with. */
  readonly done: number;
  readonly records: number;
  readonly offsets: OffsetRanges;
  readonly failures: readonly ChunkFailure[];
}
const BEGINNING: Progress = { done: 0, records: 0, offsets: NO_RANGES, failures: [] };

export function createBackfillFetchActivities(deps: BackfillFetchDeps) {
  const { database, sources, sourceName, budgets, concurrency } = deps;

  const inquiryOptions = ({ request }: BackfillRecord): InquiryOptions => {
    const { pipeline, purpose } = request;
    const { history } = ofPipeline(sources, pipeline);
    if (history === undefined) throw new NoHistoryError(pipeline, sourceName);
    return {
      ...{ history, purpose, signal: cancellationSignal(), budget: ofPipeline(budgets, pipeline) },
      concurrency: Math.min(concurrency, MOST_AT_ONCE),
    };
  };

  return {
    /**
     * Publishes what the source has of the chunk's windows, and no other record. A location that cannot be had does not fail the chunk, it
     * is on record with its reason. A retry goes on with the first wave of locations that was not published.
     * @throws NoHistoryError, HistoryAwayError, SourceRefusesError, KafkaRequestError, PostgresError
     */
    async fetchChunk({ backfillId, key }: ChunkAddress): Promise<FetchedChunk> {
      const backfill = await backfillOf(database, backfillId);
      const options = inquiryOptions(backfill);
      const state = await recordChunk(database, { backfillId, key, event: 'begun' });
      const chunk = await chunkOf(database, backfillId, key);
      // Whoever was begun before has done it, or it has ended meanwhile.
      if (state !== 'fetching') return onRecord(chunk);
      let progress: Progress = activityInfo().heartbeatDetails ?? BEGINNING;
      const { records, offsets, failures } = await withPulse(
        () =>
          fetchInWaves(deps, { backfill, chunk, options, from: progress }, (reached) => {
            progress = reached;
            heartbeat(progress);
          }),
        () => progress,
      );
      const event = records === 0 ? 'loaded' : 'published';
      await recordChunk(database, { backfillId, key, event, records, offsets, failures });
      return { records, offsets, failures: failures.length };
    },
  };
}

const onRecord = ({ records, offsets, failures }: ChunkRecord): FetchedChunk => ({
  ...{ records: records ?? 0, offsets: offsets ?? NO_RANGES, failures: failures.length },
});

interface ChunkTask {
  readonly backfill: BackfillRecord;
  readonly chunk: ChunkRecord;
  readonly options: InquiryOptions;
  readonly from: Progress;
}

async function fetchInWaves(
  deps: BackfillFetchDeps,
  task: ChunkTask,
  reach: (progress: Progress) => void,
): Promise<Progress> {
  const { chunk, options } = task;
  const ids = chunk.windows.entities.map(({ id }) => id);
  const locations = await registeredLocations(deps.database, task.backfill.request.pipeline, ids);
  const ranges = rangesByEntity(chunk, options.history);
  const publish = createPublisher(deps, task);
  const witnessOf = ({ done, failures }: Progress): PastQuestion | undefined => {
    const id = ids.slice(0, done).find((each) => !failures.some(({ entityId }) => entityId === each));
    const location = id === undefined ? undefined : locations.get(id);
    return location && { location, ranges: ranges.get(location.entityId) ?? [] };
  };
  let progress = task.from;
  while (progress.done < ids.length) {
    const wave = ids.slice(progress.done, progress.done + WAVE);
    const known = wave.flatMap((id) => locations.get(id) ?? []);
    const questions = known.map((location) => ({ location, ranges: ranges.get(location.entityId) ?? [] }));
    const pasts = await fetchPasts(questions, options, witnessOf(progress));
    options.signal.throwIfAborted();
    const failures = failuresOf(wave, locations, pasts);
    for (const { entityId, reason } of failures)
      deps.logger.warn({ entityId, chunk: chunk.key, reason }, 'no past from the source');
    const { records, offsets } = await publish(pasts, progress.offsets);
    progress = {
      ...{ done: progress.done + wave.length, records: progress.records + records, offsets },
      failures: [...progress.failures, ...failures],
    };
    reach(progress);
  }
  return progress;
}

function rangesByEntity(
  { windows }: ChunkRecord,
  { longestSpanMs }: PipelineHistory,
): ReadonlyMap<number, readonly InstantRange[]> {
  const ranges = new Map<number, InstantRange[]>();
  for (const { entityId, from, to } of spansOf(windows, Math.max(1, Math.floor(longestSpanMs / HOUR_MS)))) {
    const known = ranges.get(entityId) ?? [];
    ranges.set(entityId, known);
    known.push({ from: new Date(from), to: new Date(to) });
  }
  return ranges;
}

function failuresOf(
  wave: readonly number[],
  locations: ReadonlyMap<number, RegisteredLocation>,
  pasts: readonly Past[],
): readonly ChunkFailure[] {
  const unknown = wave.filter((id) => !locations.has(id));
  return [
    ...unknown.map((entityId) => ({ entityId, reason: 'It is not registered any more.' })),
    ...pasts.flatMap(({ location: { entityId }, failure }) =>
      failure === undefined ? [] : [{ entityId, reason: failure.slice(0, MOST_CHARACTERS) }],
    ),
  ];
}

function createPublisher({ kafka, pipelines, sourceName, now }: BackfillFetchDeps, task: ChunkTask) {
  const { backfill, chunk } = task;
  const { topics } = ofPipeline(pipelines, backfill.request.pipeline);
  const isWanted = createWantedWindows([chunk]);
  return async (
    pasts: readonly Past[],
    before: OffsetRanges,
  ): Promise<{ readonly records: number; readonly offsets: OffsetRanges }> => {
    const origin = originHeaders({ sourceName, backfill, at: now() });
    const headers = { ...origin, ...chunkHeaders(backfill, chunk) };
    const wanted: OutgoingRecord[] = [];
    const refused: OutgoingRecord[] = [];
    for (const { location, records, refused: bodies } of pasts) {
      const key = String(location.entityId);
      for (const { body, observedAt } of records)
        if (isWanted(location.entityId, observedAt) !== undefined) wanted.push({ key, value: body, headers });
      for (const { reason, body } of bodies)
        refused.push({ key, value: refusedValue(body), headers: { ...origin, chunk: chunk.key, reason } });
    }
    await publishInBatches(kafka, topics.deadLetters.name, refused);
    const places = await publishInBatches(kafka, topicOf(topics, chunk.path), wanted);
    return { records: wanted.length, offsets: widen(before, places) };
  };
}

export type BackfillFetchActivities = ReturnType<typeof createBackfillFetchActivities>;
