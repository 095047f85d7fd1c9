/** Owns how a backfill's records stand in Kafka: topic, headers, and the size of what is published at once. Which they are is its callers'. */
import type { BackfillRecord } from '../clients/backfill-ledger.ts';
import type { KafkaClient, OutgoingRecord } from '../clients/kafka.ts';
import type { StoredPlace } from '../clients/placing-partitioner.ts';
import type { WindowPath } from '../domain/backfill-chunks.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';

/** So many records are published at once, at most. */
export const MOST_RECORDS = 1_000;
/** And so many bytes: all of them may fall into one partition, and a broker refuses a batch of more than 1 MiB. */
export const MOST_BYTES = 700_000;
/** Of one record, which may be longer than the others together; its headers need some too. */
const MOST_BYTES_OF_A_VALUE = 1_000_000;

export interface BackfillOrigin {
  /** What the pipeline's source is called: records carry it, and sources never mix. */
  readonly sourceName: string;
  readonly backfill: BackfillRecord;
  readonly at: Date;
}

/** What every record that a backfill publishes carries. */
export const originHeaders = ({ sourceName, backfill, at }: BackfillOrigin) => ({
  ...{ source: sourceName, pipeline: backfill.request.pipeline },
  ...{ fetched_at: at.toISOString(), backfill: backfill.id },
});

/**
 * What an observation of a chunk carries besides. Its revision is 0: what is stored wins. Of a backfill that loads complete hours anew
 * it is the time of its start, in seconds: no two that are open share windows, so it is higher than whatever one before has stored.
 * Never of hours that the stream owns, which knows no revisions.
 */
export const chunkHeaders = (
  { request, startedAt, createdAt }: BackfillRecord,
  chunk: { readonly key: string; readonly path: WindowPath },
) => ({
  chunk: chunk.key,
  revision:
    request.reprocess === 'all' && chunk.path === 'batch'
      ? String(Math.floor((startedAt ?? createdAt).getTime() / 1_000))
      : '0',
});

export const topicOf = ({ repairs, history }: PipelineDefinition['topics'], path: WindowPath): string =>
  path === 'stream' ? repairs.name : history.name;

/** A refused payload as it was received, or as much of it as one record holds. */
export function refusedValue(payload: string | Buffer): string | Buffer {
  if (Buffer.byteLength(payload) <= MOST_BYTES_OF_A_VALUE) return payload;
  return Buffer.from(payload).subarray(0, MOST_BYTES_OF_A_VALUE);
}

/** About how much room a record takes in its batch. */
export const bytesOf = ({ key, value, headers }: OutgoingRecord): number =>
  32 + key.length + Buffer.byteLength(value) + headerBytes(headers);

/** Records of a chunk share their headers, which are measured once: there may be millions of them. */
const measured = new WeakMap<OutgoingRecord['headers'], number>();

function headerBytes(headers: OutgoingRecord['headers']): number {
  const known = measured.get(headers);
  if (known !== undefined) return known;
  const bytes = Object.entries(headers).reduce(
    (sum, [name, value]) => sum + 4 + name.length + Buffer.byteLength(value),
    0,
  );
  measured.set(headers, bytes);
  return bytes;
}

/** Publishes them in their order, in batches of a bounded size. @returns their places, in that order @throws KafkaRequestError */
export async function publishInBatches(
  kafka: Pick<KafkaClient, 'publish'>,
  topic: string,
  records: readonly OutgoingRecord[],
): Promise<readonly StoredPlace[]> {
  const places: StoredPlace[] = [];
  for (const batch of batchesOf(records)) places.push(...(await kafka.publish(topic, batch)));
  return places;
}

function* batchesOf(records: readonly OutgoingRecord[]): Generator<readonly OutgoingRecord[]> {
  let batch: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const more = bytesOf(record);
    if (batch.length === MOST_RECORDS || (batch.length > 0 && bytes + more > MOST_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(record);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}
