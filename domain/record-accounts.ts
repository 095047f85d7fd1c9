/**
 * Decides what a record that no row came from is: a duplicate, or a dead letter with its reason. Reading records, asking for
 * known keys and storing verdicts is left to `clients/record-accounts.ts`.
 */

/** What a pipeline's contract says of one record. */
export type Inspection =
  | { readonly kind: 'fits'; readonly entityId: number; readonly observedAt: Date }
  | { readonly kind: 'poison'; readonly reason: string };

export type RecordVerdict =
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'deadLetter'; readonly reason: string };

/** How the records of a range of offsets are accounted for; `read` = `stored` + `duplicates` + `deadLetters` + `unaccounted`. */
export interface RecordAccount {
  /** Records in the topic; offsets without a record (a transaction's markers) are not among them. */
  readonly read: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly deadLetters: number;
  /** Neither stored, nor a duplicate, nor yet a dead letter. */
  readonly unaccounted: number;
}

export const emptyAccount: RecordAccount = {
  read: 0,
  stored: 0,
  duplicates: 0,
  deadLetters: 0,
  unaccounted: 0,
};

export const addAccounts = (a: RecordAccount, b: RecordAccount): RecordAccount => ({
  read: a.read + b.read,
  stored: a.stored + b.stored,
  duplicates: a.duplicates + b.duplicates,
  deadLetters: a.deadLetters + b.deadLetters,
  unaccounted: a.unaccounted + b.unaccounted,
});

const LOST =
  'The record fits the contract, but no row came from it and none has its key: the stream passed it over.';

/** @param keyIsStored whether a row with the record's key is in the table */
export function judgeUnstored(inspection: Inspection, keyIsStored: boolean): RecordVerdict {
  if (inspection.kind === 'poison') return { kind: 'deadLetter', reason: inspection.reason };
  return keyIsStored ? { kind: 'duplicate' } : { kind: 'deadLetter', reason: LOST };
}

/** Cuts a range of offsets into pieces of at most `size`. */
export function piecesOf<Range extends { readonly first: number; readonly end: number }>(
  range: Range,
  size: number,
): Range[] {
  const pieces: Range[] = [];
  for (let { first } = range; first < range.end; first += size)
    pieces.push({ ...range, first, end: Math.min(first + size, range.end) });
  return pieces;
}
