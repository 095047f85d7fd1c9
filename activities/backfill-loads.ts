/**
 * Activities around the loading of a backfill's records by batch: which offsets are to be loaded, whether they are all there, and
 * whether all of them were read. The loading itself is `runBatchJob`'s.
 */
import { heartbeat } from '@temporalio/activity';
import { type BackfillRecord, backfillOf } from '../clients/backfill-ledger.ts';
import { type ChunkRecord, chunkOf, chunksOf, chunksToLoad } from '../clients/chunk-ledger.ts';
import type { KafkaClient } from '../clients/kafka.ts';
import type { Database } from '../clients/postgres.ts';
import {
  accountFor,
  deadLettersAmong,
  type InspectRecord,
  storeDeadLetters,
} from '../clients/record-accounts.ts';
import { daysOfChunk, type WindowPath } from '../domain/backfill-chunks.ts';
import { loadId } from '../domain/backfill-identities.ts';
import {
  countOf,
  type OffsetRanges,
  overPartitions,
  rangesFrom,
  rangesText,
  unionOf,
} from '../domain/backfill-offsets.ts';
import { type HourRange, rangesToRecompute, rangesWithin } from '../domain/backfill-recompute.ts';
import { ofPipeline } from '../domain/errors.ts';
import {
  mismatchOfReads,
  type PartitionReads,
  refusalOfRanges,
  UnstoredRecordsError,
} from '../domain/load-checks.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { allWithPulse } from './pulse.ts';

export interface BackfillLoadDeps {
  readonly database: Database;
  readonly kafka: Pick<KafkaClient, 'watermarks' | 'committedOffsets' | 'offsetsAt' | 'read'>;
  readonly pipelines: Readonly<Record<string, PipelineDefinition>>;
  readonly contracts: Readonly<Record<string, InspectRecord>>;
}

/** A batch job that loads, and what the load is known by. */
export interface LoadJob {
  readonly load: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** What is loaded by one batch job. */
export interface PlannedLoad {
  /** Left out when there is no record to load. */
  readonly job?: LoadJob;
  /** What is made anew afterwards. */
  readonly hours: readonly HourRange[];
}

/** A record may be published so long before the time that it tells: clocks differ. */
const CLOCK_SKEW_MS = 600_000;
const MOST_RECORDS_OF_A_LOAD = 500_000;
const ANY_BACKFILL = 'any';

export function createBackfillLoadActivities({ database, kafka, pipelines, contracts }: BackfillLoadDeps) {
  const jobOf = async (
    { id, request }: BackfillRecord,
    topic: string,
    offsets: OffsetRanges,
    backfill: string,
  ): Promise<Pick<PlannedLoad, 'job'>> => {
    const marks = await kafka.watermarks(topic);
    const all = overPartitions(offsets, marks);
    const refusal = refusalOfRanges(topic, all, marks);
    if (refusal !== undefined) throw refusal;
    if (countOf(all) === 0) return {};
    const { from, to } = request;
    const load = loadId(id, topic, rangesText(all));
    return { job: { load, parameters: { topic, offsets: rangesText(all), backfill, from, to, load } } };
  };

  /** A transaction's markers hold offsets and no record: where it matters, the records are counted. */
  const unread = async (topic: string, ranges: OffsetRanges, load: string) => {
    const reads = await database.query<PartitionReads>('batch-reads', [load]);
    if (mismatchOfReads(topic, ranges, reads) === undefined) return undefined;
    const held = new Map<number, number>();
    await kafka.read(topic, ranges, async (records) => {
      for (const { partition } of records) held.set(partition, (held.get(partition) ?? 0) + 1);
      heartbeat();
    });
    return mismatchOfReads(topic, ranges, reads, held);
  };

  const accountForOwn = async (id: string, topic: string, ranges: OffsetRanges): Promise<void> => {
    const { pipeline } = (await backfillOf(database, id)).request;
    const inspect = ofPipeline(contracts, pipeline);
    let lost = 0;
    for (const range of ranges)
      await accountFor({ database, kafka }, topic, range, { pipeline, inspect }, async (letters) => {
        heartbeat();
        const own = letters.filter(({ record }) => record.headers['backfill'] === id);
        const poison = own.filter(({ record }) => inspect(record).kind === 'poison');
        lost += own.length - poison.length;
        await storeDeadLetters(database, topic, poison);
      });
    if (lost > 0) throw new UnstoredRecordsError(topic, lost);
  };

  return allWithPulse({
    /** The keys of what is published and not loaded yet, in its order, as many as one load takes. */
    async chunksToLoad({ id, most }: { id: string; most: number }): Promise<readonly string[]> {
      const chunks = await chunksToLoad(database, id, { most });
      let records = 0;
      return chunks.flatMap((chunk, index) => {
        records += chunk.records ?? 0;
        return index > 0 && records > MOST_RECORDS_OF_A_LOAD ? [] : [chunk.key];
      });
    },

    /** @throws what `refusalOfRanges` says */
    async planLoad({ id, keys }: { id: string; keys: readonly string[] }): Promise<PlannedLoad> {
      const chunks = await chunksToLoad(database, id, { keys });
      const record = await backfillOf(database, id);
      const { topics } = ofPipeline(pipelines, record.request.pipeline);
      const offsets = unionOf(chunks.map((chunk) => chunk.offsets ?? []));
      return {
        ...(await jobOf(record, topics.history.name, offsets, id)),
        hours: rangesToRecompute(chunks.flatMap(({ windows }) => daysOfChunk(windows))),
      };
    },

    /** One stretch of a file. Hours are made anew when all of it is loaded. @throws as above */
    async planFileLoad({ id, offsets }: { id: string; offsets: OffsetRanges }): Promise<PlannedLoad> {
      const record = await backfillOf(database, id);
      const { topics } = ofPipeline(pipelines, record.request.pipeline);
      return { ...(await jobOf(record, topics.history.name, offsets, id)), hours: [] };
    },

    /**
     * What the stream has read of the topic of repairs and swallowed: it had accepted a record of that key before, whose row was lost.
     * @param key the chunk whose hours are made anew then; all that went through the stream when left out
     * @throws as above
     */
    async planSwallowed(input: { id: string; offsets: OffsetRanges; key?: string }): Promise<PlannedLoad> {
      const { id, offsets, key } = input;
      const record = await backfillOf(database, id);
      const { pipeline } = record.request;
      const { name: topic } = ofPipeline(pipelines, pipeline).topics.repairs;
      const inspect = ofPipeline(contracts, pipeline);
      let swallowed = 0;
      await kafka.read(topic, offsets, async (records) => {
        const own = records.filter(({ headers }) => headers['backfill'] === id);
        swallowed += (await deadLettersAmong(database, own, { pipeline, inspect })).length;
        heartbeat();
      });
      if (swallowed === 0) return NOTHING_TO_LOAD;
      const chunks = key === undefined ? await chunksOf(database, id) : [await chunkOf(database, id, key)];
      return { ...(await jobOf(record, topic, offsets, id)), hours: hoursOf(chunks, 'stream') };
    },

    /** The hours of all windows that were loaded by batch. */
    async hoursOfBackfill({ id }: { id: string }): Promise<readonly HourRange[]> {
      return hoursOf(await chunksOf(database, id), 'batch');
    },

    /** The live topic's log, from the first record that can tell of the range on. @throws as above */
    async planLogLoad({ id }: { id: string }): Promise<PlannedLoad> {
      const record = await backfillOf(database, id);
      const { topics } = ofPipeline(pipelines, record.request.pipeline);
      const { name: topic } = topics.live;
      const marks = await kafka.watermarks(topic);
      const starts = await kafka.offsetsAt(topic, new Date(Date.parse(record.request.from) - CLOCK_SKEW_MS));
      const offsets = marks.map(({ partition, low, high }) => ({
        partition,
        first: Math.min(high, Math.max(low, starts.get(partition) ?? low)),
        end: high,
      }));
      const { from, to } = record.request;
      // The log is loaded for every location and hour of the range.
      return { ...(await jobOf(record, topic, offsets, ANY_BACKFILL)), hours: rangesWithin(from, to) };
    },

    /**
     * Whether the job has read each record of its ranges, they are still in the topic, and each of the backfill's own is a row, a
     * duplicate of one, or a dead letter, which it becomes here.
     * @throws what `mismatchOfReads` and `refusalOfRanges` say, UnstoredRecordsError
     */
    async checkLoad({ id, job }: { id: string; job: LoadJob }): Promise<void> {
      const { topic = '', offsets = '', backfill } = job.parameters;
      const ranges = rangesFrom(offsets);
      const wrong =
        (await unread(topic, ranges, job.load)) ??
        refusalOfRanges(topic, ranges, await kafka.watermarks(topic));
      if (wrong !== undefined) throw wrong;
      // Whatever else a topic holds is accounted for by whoever reads it.
      if (backfill !== ANY_BACKFILL) await accountForOwn(id, topic, ranges);
    },
  });
}

const hoursOf = (chunks: readonly ChunkRecord[], wanted: WindowPath): readonly HourRange[] =>
  rangesToRecompute(
    chunks.filter(({ path }) => path === wanted).flatMap(({ windows }) => daysOfChunk(windows)),
  );

const NOTHING_TO_LOAD: PlannedLoad = { hours: [] };

export type BackfillLoadActivities = ReturnType<typeof createBackfillLoadActivities>;
