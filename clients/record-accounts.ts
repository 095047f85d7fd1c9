/**
 * Accounts for the records of a topic: which are stored, duplicates, or dead letters. The totals come from the topic's
 * offsets and the tables' keys, never from a job's counters; only records that no row came from are read.
 */
import {
  addAccounts,
  emptyAccount,
  type Inspection,
  judgeUnstored,
  piecesOf,
  type RecordAccount,
} from '../domain/record-accounts.ts';
import type { KafkaClient } from './kafka.ts';
import type { KafkaRecord, OffsetRange } from './kafka-reader.ts';
import type { Queries } from './postgres.ts';

/** Tells what a record is by the pipeline's contract; it sees only records that no row came from. */
export type InspectRecord = (record: KafkaRecord) => Inspection;

export interface DeadLetter {
  readonly record: KafkaRecord;
  readonly reason: string;
}

/** Whose records a topic holds, and what the contract says of each. */
export interface RecordContract {
  readonly pipeline: string;
  readonly inspect: InspectRecord;
}

export interface AccountingDoors {
  readonly database: Queries;
  readonly kafka: Pick<KafkaClient, 'read' | 'watermarks' | 'committedOffsets'>;
}

/** So many offsets are asked of the database at once. */
const PIECE = 50_000;

/**
 * @param range must be stored as far as it ever will be: below the offset that the stream has committed
 * @param onDeadLetters is handed what is neither stored, nor a duplicate, nor yet a dead letter
 */
export async function accountFor(
  { database, kafka }: AccountingDoors,
  topic: string,
  range: OffsetRange,
  contract: RecordContract,
  onDeadLetters: (letters: readonly DeadLetter[]) => Promise<void> = async () => undefined,
): Promise<RecordAccount> {
  let account = emptyAccount;
  for (const { partition, first, end } of piecesOf(range, PIECE)) {
    const place = [topic, partition, first, end] as const;
    const [known] = await database.query<{ stored: number; dead_letters: number }>(
      'account-of-offsets',
      place,
      contract.pipeline,
    );
    const { stored = 0, dead_letters: deadLetters = 0 } = known ?? {};
    const gaps = await database.query<{ first: number; end: number }>(
      'unaccounted-offsets',
      place,
      contract.pipeline,
    );
    account = addAccounts(account, { ...emptyAccount, read: stored + deadLetters, stored, deadLetters });
    const ranges = gaps.map((gap) => ({ partition, ...gap }));
    await kafka.read(topic, ranges, async (records) => {
      const letters = await deadLettersAmong(database, records, contract);
      account = addAccounts(account, {
        ...emptyAccount,
        read: records.length,
        duplicates: records.length - letters.length,
        unaccounted: letters.length,
      });
      if (letters.length > 0) await onDeadLetters(letters);
    });
  }
  return account;
}

/** Records that are no duplicate of a stored row. */
export async function deadLettersAmong(
  database: Queries,
  records: readonly KafkaRecord[],
  { pipeline, inspect }: RecordContract,
): Promise<readonly DeadLetter[]> {
  const inspected = records.map((record) => ({ record, inspection: inspect(record) }));
  const keys = inspected.map(({ inspection }) => (inspection.kind === 'fits' ? inspection : undefined));
  const rows = keys.some((key) => key !== undefined)
    ? await database.query<{ place: number }>(
        'stored-keys',
        [keys.map((key) => key?.entityId ?? null), keys.map((key) => key?.observedAt ?? null)],
        pipeline,
      )
    : [];
  const stored = new Set(rows.map(({ place }) => place));
  return inspected.flatMap(({ record, inspection }, place) => {
    const verdict = judgeUnstored(inspection, stored.has(place));
    return verdict.kind === 'deadLetter' ? [{ record, reason: verdict.reason }] : [];
  });
}

const MOST_CHARACTERS = 1_000;
const NUL_PICTURE = '␀';

/** PostgreSQL's texts cannot hold the NUL character, which a reason may quote and a header may bring. */
const printable = (text: string): string => text.replaceAll('\u0000', NUL_PICTURE);

export async function storeDeadLetters(
  database: Queries,
  topic: string,
  letters: readonly DeadLetter[],
): Promise<void> {
  await database.query('store-dead-letters', [
    topic,
    letters.map(({ record }) => record.partition),
    letters.map(({ record }) => record.offset),
    letters.map(({ reason }) => printable(reason).slice(0, MOST_CHARACTERS)),
    letters.map(({ record }) => record.key),
    letters.map(({ record }) => record.value),
    letters.map(({ record }) => JSON.stringify(record.headers).replaceAll('\\u0000', NUL_PICTURE)),
    letters.map(({ record }) => record.publishedAt),
  ]);
}
