/**
 * The activity that publishes a file of observations, stretch by stretch. How the file is read is `clients/observation-file.ts`'s, what a
 * line says the pipeline's, how records are published `file-packets.ts`'s.
 */
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import {
  type BackfillRecord,
  backfillOf,
  type FilePosition,
  recordFilePosition,
} from '../clients/backfill-ledger.ts';
import { type ChunkRecord, chunksOf, ENDED_CHUNKS } from '../clients/chunk-ledger.ts';
import type { KafkaClient, OutgoingRecord } from '../clients/kafka.ts';
import {
  type FileLine,
  type LineReaderOptions,
  type ReadLine,
  readObservationFile,
} from '../clients/observation-file.ts';
import type { Database } from '../clients/postgres.ts';
import { registeredLocations } from '../clients/registered-locations.ts';
import { NO_RANGES, type OffsetRanges } from '../domain/backfill-offsets.ts';
import { HourglassError, ofPipeline } from '../domain/errors.ts';
import { createWantedWindows, type WantedChunk } from '../domain/wanted-windows.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { chunkHeaders, originHeaders, refusedValue } from './backfill-records.ts';
import {
  createPacket,
  createPacketSender,
  type FileProgress,
  type PacketPart,
  type PacketSender,
} from './file-packets.ts';
import { withPulse } from './pulse.ts';

export type { FilePosition } from '../clients/backfill-ledger.ts';

export interface BackfillFileDeps {
  readonly database: Database;
  readonly kafka: Pick<KafkaClient, 'publish'>;
  readonly pipelines: Readonly<Record<string, PipelineDefinition>>;
  /** What the records are taken to come from: sources never mix. */
  readonly sourceName: string;
  /** How each pipeline reads a line. */
  readonly lineReaders: Readonly<Record<string, (options: LineReaderOptions) => ReadLine>>;
  readonly now: () => Date;
}

export interface FileAddress {
  readonly backfillId: string;
  /** What was published before. */
  readonly from: FilePosition;
}

/** A part of the file that is published. */
export interface FileStretch {
  readonly at: FilePosition;
  /** There is nothing behind it. */
  readonly isEnd: boolean;
  /** Where its records are in the topic of repairs … */
  readonly stream: OffsetRanges;
  /** … and in that of history. */
  readonly batch: OffsetRanges;
}

/** Thrown for a backfill whose request names no file. */
export class NoFileError extends HourglassError {
  constructor(backfillId: string) {
    super(
      'NO_FILE',
      `The backfill ${backfillId} names no file: plan it again, with the input file and a path.`,
    );
  }
}

/** A stretch ends after so many records: one batch job loads them. */
const MOST_RECORDS_OF_A_STRETCH = 250_000;
/** The further the file is read, the longer it takes to get there again: stretches grow, up to what one batch job loads. */
const stretchLength = (published: number): number =>
  Math.max(MOST_RECORDS_OF_A_STRETCH, Math.min(4 * MOST_RECORDS_OF_A_STRETCH, published / 4));
/** Or after this time, so that what is published does not wait long to be loaded. */
const MOST_MS = 300_000;

export function createBackfillFileActivities(deps: BackfillFileDeps) {
  const { database } = deps;
  return {
    /**
     * Publishes what the file holds of the backfill's windows, from a position on, up to the end of a stretch. A line that is no
     * record becomes a dead letter with its number; a record of no window is counted. A retry goes on behind the last packet.
     * @throws NoFileError, what `readObservationFile` says, KafkaRequestError, PostgresError
     */
    async publishFile({ backfillId, from }: FileAddress): Promise<FileStretch> {
      const backfill = await backfillOf(database, backfillId);
      const lines = await linesOf(deps, backfill);
      const destinationOf = await destinations(deps, backfill);
      let progress: FileProgress = activityInfo().heartbeatDetails ?? { at: from, ...NOTHING };
      const stretch = await withPulse(
        async () => {
          const { topics } = ofPipeline(deps.pipelines, backfill.request.pipeline);
          const sender = createPacketSender({
            ...{ kafka: deps.kafka, topics, from: progress },
            onProgress(reached) {
              progress = reached;
              heartbeat(progress);
            },
          });
          const mostPublished = from.published + stretchLength(from.published);
          const isEnd = await sendStretch(lines(progress.at.line), destinationOf, {
            ...{ sender, at: progress.at, mostPublished },
            // Also of a stretch that broke off what is being published counts.
          }).finally(() => sender.finish());
          return { ...(await sender.finish()), isEnd };
        },
        () => progress,
      );
      await recordFilePosition(database, backfillId, stretch.at);
      return stretch;
    },
  };
}

const NOTHING = { stream: NO_RANGES, batch: NO_RANGES };

/** The file's lines behind the one of this number. */
async function linesOf({ database, lineReaders, now }: BackfillFileDeps, { id, request }: BackfillRecord) {
  const { pipeline, file, units = 'metric' } = request;
  if (file === undefined) throw new NoFileError(id);
  const registry = await registeredLocations(database, pipeline);
  const locationOf = (entityId: number) => registry.get(entityId);
  const readLine = ofPipeline(lineReaders, pipeline)({ units, locationOf, now });
  return (afterLine: number) => readObservationFile(file, readLine, cancellationSignal(), { afterLine });
}

interface Destination {
  readonly part: PacketPart;
  readonly record: OutgoingRecord;
}

/** Where the record of a line goes; undefined for one of no window. */
async function destinations(
  { database, sourceName, now }: BackfillFileDeps,
  backfill: BackfillRecord,
): Promise<(line: FileLine) => Destination | undefined> {
  const isLoading = ({ status }: ChunkRecord): boolean => !ENDED_CHUNKS.includes(status);
  const chunkFor = createWantedWindows((await chunksOf(database, backfill.id)).filter(isLoading));
  // One time for the stretch, so that records of a chunk share their headers.
  const origin = originHeaders({ sourceName, backfill, at: now() });
  const known = new Map<WantedChunk, OutgoingRecord['headers']>();
  const headersFor = (chunk: WantedChunk): OutgoingRecord['headers'] => {
    const headers = known.get(chunk) ?? { ...origin, ...chunkHeaders(backfill, chunk) };
    known.set(chunk, headers);
    return headers;
  };
  const { file = '' } = backfill.request;
  return (line) => {
    if (line.kind === 'malformed') {
      const reason = `line ${line.line}: ${line.reason}`;
      const headers = { ...origin, file, line: String(line.line), reason };
      return { part: 'refused', record: { key: '', value: refusedValue(line.raw), headers } };
    }
    const chunk = chunkFor(line.entityId, line.observedAt);
    if (chunk === undefined) return undefined;
    const record = { key: String(line.entityId), value: line.body, headers: headersFor(chunk) };
    return { part: chunk.path, record };
  };
}

interface StretchOptions {
  readonly sender: PacketSender;
  readonly at: FilePosition;
  /** With so many published records the stretch ends. */
  readonly mostPublished: number;
}

/** @returns whether the file has ended */
async function sendStretch(
  lines: AsyncIterable<FileLine>,
  destinationOf: (line: FileLine) => Destination | undefined,
  { sender, at, mostPublished }: StretchOptions,
): Promise<boolean> {
  let packet = createPacket(at);
  // Lines that were published before are passed over first, which takes time and is no work.
  let deadlineMs: number | undefined;
  for await (const line of lines) {
    deadlineMs ??= performance.now() + MOST_MS;
    packet.add(line.line, destinationOf(line));
    if (!packet.isFull()) continue;
    await sender.send(packet);
    const reached = packet.position();
    if (reached.published >= mostPublished || performance.now() >= deadlineMs) return false;
    packet = createPacket(reached);
  }
  await sender.send(packet);
  return true;
}

export type BackfillFileActivities = ReturnType<typeof createBackfillFileActivities>;
