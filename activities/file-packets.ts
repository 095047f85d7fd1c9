/**
 * Publishes the lines of a file packet by packet, while the next ones are being read; what a line is, and how far the file is read, is the
 * caller's.
 */
import type { FilePosition } from '../clients/backfill-ledger.ts';
import type { KafkaClient, OutgoingRecord } from '../clients/kafka.ts';
import { type OffsetRanges, widen } from '../domain/backfill-offsets.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { bytesOf, MOST_BYTES, MOST_RECORDS, publishInBatches } from './backfill-records.ts';

/** How far a file is published, and where the records of this stretch are. Its parts belong together. */
export interface FileProgress {
  readonly at: FilePosition;
  readonly stream: OffsetRanges;
  readonly batch: OffsetRanges;
}

export type PacketPart = 'stream' | 'batch' | 'refused';

/** Consecutive lines. */
export interface Packet {
  /** Its line is done with. @param to where the record goes; nowhere when left out */
  add(line: number, to?: { readonly part: PacketPart; readonly record: OutgoingRecord }): void;
  isFull(): boolean;
  /** The position behind its last line. */
  position(): FilePosition;
  readonly parts: Readonly<Record<PacketPart, readonly OutgoingRecord[]>>;
}

/** Also lines of which nothing is published count as progress. */
const MOST_LINES = 10_000;
/** Packets that are being published while another one is filled: memory stays small, and neither side waits for the other. */
const MOST_IN_FLIGHT = 2;

export function createPacket(after: FilePosition): Packet {
  const parts: Record<PacketPart, OutgoingRecord[]> = { stream: [], batch: [], refused: [] };
  let { line, skipped } = after;
  let lines = 0;
  let bytes = 0;
  return {
    parts,
    add(at, to) {
      line = at;
      lines += 1;
      if (to === undefined) {
        skipped += 1;
        return;
      }
      parts[to.part].push(to.record);
      bytes += bytesOf(to.record);
    },
    isFull: () =>
      lines >= MOST_LINES ||
      bytes >= MOST_BYTES ||
      Object.values(parts).some(({ length }) => length >= MOST_RECORDS),
    position: () => ({
      line,
      skipped,
      published: after.published + parts.stream.length + parts.batch.length,
      malformed: after.malformed + parts.refused.length,
    }),
  };
}

export interface PacketSender {
  /** Resolves when another packet may be filled. @throws what publishing an earlier one threw */
  send(packet: Packet): Promise<void>;
  /** Resolves when all is published. @throws as `send` */
  finish(): Promise<FileProgress>;
}

export interface SenderOptions {
  readonly kafka: Pick<KafkaClient, 'publish'>;
  readonly topics: PipelineDefinition['topics'];
  readonly from: FileProgress;
  /** Called in the order of the packets, each when it and all before it are published. */
  onProgress(progress: FileProgress): void;
}

export function createPacketSender({ kafka, topics, from, onProgress }: SenderOptions): PacketSender {
  let progress = from;
  let failure: { readonly error: unknown } | undefined;
  let inFlight: Promise<void>[] = [];
  const rethrow = (): void => {
    if (failure !== undefined) throw failure.error;
  };

  const publish = async ({ parts, position }: Packet, before: Promise<void> | undefined): Promise<void> => {
    const [stream, batch] = await Promise.all([
      publishInBatches(kafka, topics.repairs.name, parts.stream),
      publishInBatches(kafka, topics.history.name, parts.batch),
      publishInBatches(kafka, topics.deadLetters.name, parts.refused),
    ]);
    await before;
    // What stands behind a gap is published again, with the packet that is missing.
    if (failure !== undefined) return;
    progress = {
      at: position(),
      stream: widen(progress.stream, stream),
      batch: widen(progress.batch, batch),
    };
    onProgress(progress);
  };

  return {
    async send(packet) {
      rethrow();
      const sent = publish(packet, inFlight.at(-1)).catch((error: unknown) => {
        failure ??= { error };
      });
      inFlight.push(sent);
      if (inFlight.length >= MOST_IN_FLIGHT) await inFlight.shift();
      rethrow();
    },
    async finish() {
      await Promise.all(inFlight);
      inFlight = [];
      rethrow();
      return progress;
    },
  };
}
