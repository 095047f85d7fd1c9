/**
 * Decides what becomes of a dead letter that is replayed, and what a replayed one has become. Reading letters and rows is left to
 * `clients/dead-letters.ts`, publishing and waiting to `activities/dead-letters.ts`.
 */
import type { Inspection } from './record-accounts.ts';

/**
 * What is on record of a letter's last replay.
 *
 * (never) ──▶ publishing ──▶ published ──▶ stored · duplicate · lost
 *    └──────────────┬────────────┴───────▶ refused
 *                   └──▶ stored · duplicate
 *
 * Only `stored` is final; of the others a letter may be replayed again. Written down before anything is published, `publishing`
 * tells a later try that the record may be in Kafka already (the test "an activity that is killed after publishing repeats
 * harmlessly").
 */
export const replayOutcomes = {
  publishing: {
    isFinal: false,
    isOpen: true,
    description: 'about to be published; its place is not known yet',
  },
  published: { isFinal: false, isOpen: true, description: 'published; the stream has not read it yet' },
  stored: { isFinal: true, isOpen: false, description: 'its row is in the table' },
  duplicate: { isFinal: false, isOpen: false, description: 'another record with its key is stored' },
  refused: { isFinal: false, isOpen: false, description: 'the contract still does not accept it' },
  lost: { isFinal: false, isOpen: false, description: 'the stream read it and made no row of it' },
} as const satisfies Record<
  string,
  { readonly isFinal: boolean; readonly isOpen: boolean; readonly description: string }
>;

export type ReplayOutcome = keyof typeof replayOutcomes;
export type ReplayCounts = Readonly<Record<ReplayOutcome, number>>;

/** The query that a replay answers with its progress. */
export const replayStatusName = 'status';

export interface ReplayProgress {
  readonly step: 'publishing' | 'settling' | 'ended';
  /** How many letters have come to each outcome. */
  readonly counts: ReplayCounts;
}

const outcomeNames = Object.keys(replayOutcomes) as readonly ReplayOutcome[];

/** How many letters of a run have come to each outcome. */
export function countsOf(
  rows: readonly { readonly outcome: ReplayOutcome; readonly letters: number }[],
): ReplayCounts {
  const of = (name: ReplayOutcome): number => rows.find(({ outcome }) => outcome === name)?.letters ?? 0;
  return Object.fromEntries(outcomeNames.map((name) => [name, of(name)])) as Record<ReplayOutcome, number>;
}

/** `2 stored, 1 refused`; what there is none of is left out. */
export function countsText(counts: ReplayCounts): string {
  const some = outcomeNames.filter((name) => counts[name] > 0);
  return some.length === 0 ? 'no dead letter' : some.map((name) => `${counts[name]} ${name}`).join(', ');
}

/** On record of letters that were never replayed there is no outcome; the queries call it so. */
export const NEVER_REPLAYED = 'none';

/** Letters whose replay is still to begin: those never replayed or broken off; with `again` also those that ended without a row. */
export const outcomesToPublish = (again: boolean): readonly (ReplayOutcome | typeof NEVER_REPLAYED)[] => [
  NEVER_REPLAYED,
  'publishing',
  ...(again
    ? outcomeNames.filter((name) => !replayOutcomes[name].isOpen && !replayOutcomes[name].isFinal)
    : []),
];

/** Whose record the row with a letter's key came from: nobody's, the letter's own (or its replay's), or another's. */
export type RowOwner = 'none' | 'own' | 'other';

export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** As it stands in the header `replay_of`. */
export const placeText = ({ topic, partition, offset }: RecordPlace): string =>
  `${topic}/${partition}/${offset}`;

export interface JudgedLetter {
  readonly outcome: ReplayOutcome | null;
  /** What the contract says of it, published now. */
  readonly inspection: Inspection;
  readonly owner: RowOwner;
  /** The letter that it is the replay of, as the header has it. */
  readonly replayOf: string | undefined;
}

export type ReplayDecision =
  | { readonly kind: 'settle'; readonly outcome: ReplayOutcome; readonly reason: string | null }
  | { readonly kind: 'publish'; readonly entityId: number }
  /** It is in Kafka already: what the stream makes of it is waited for. */
  | { readonly kind: 'await' };

const settled = (outcome: ReplayOutcome, reason: string | null = null): ReplayDecision => ({
  kind: 'settle',
  outcome,
  reason,
});

/** Whatever the letter is, there is one answer; and none to publish what is in Kafka already, stored, or not acceptable. */
export function decideReplay({ outcome, inspection, owner, replayOf }: JudgedLetter): ReplayDecision {
  if (outcome === 'stored') return settled('stored');
  if (outcome === 'published') return { kind: 'await' };
  // Each replay of a copy that the stream passes over would leave one more of them.
  if (replayOf !== undefined)
    return settled('refused', `It is itself the replay of ${replayOf}: replay that one.`);
  if (inspection.kind === 'poison') return settled('refused', inspection.reason);
  if (owner === 'own') return settled('stored');
  return owner === 'other' ? settled('duplicate') : { kind: 'publish', entityId: inspection.entityId };
}

export interface ReplayVerdict {
  readonly outcome: 'stored' | 'duplicate' | 'refused' | 'lost';
  readonly reason: string | null;
}

const LOST =
  'The stream read the replayed record and made no row of it. It has accepted this key before, and the row was deleted since; or its SQL refuses what the contract accepts.';

/** What a published letter has become, once the stream has read past it. */
export function judgeRead({ inspection, owner }: Pick<JudgedLetter, 'inspection' | 'owner'>): ReplayVerdict {
  if (inspection.kind === 'poison') return { outcome: 'refused', reason: inspection.reason };
  if (owner === 'none') return { outcome: 'lost', reason: LOST };
  return { outcome: owner === 'own' ? 'stored' : 'duplicate', reason: null };
}

export interface ReplayedLetter extends RecordPlace {
  readonly outcome: ReplayOutcome | null;
  readonly replayedTo: RecordPlace | undefined;
}

/**
 * Whose a row is, by the place of the record it came from. `unknown` when only that record's header can tell: a replay that was
 * broken off, or made twice at once, may have published the letter at a place that is not on record.
 */
export function ownerByPlace(
  letter: ReplayedLetter,
  row: RecordPlace | undefined,
  repairsTopic: string,
): RowOwner | 'unknown' {
  if (row === undefined) return 'none';
  const own = [letter, letter.replayedTo].flatMap((place) => (place === undefined ? [] : [placeText(place)]));
  if (own.includes(placeText(row))) return 'own';
  return letter.outcome !== null && row.topic === repairsTopic ? 'unknown' : 'other';
}

/** Cuts a list, in its order, into pieces of at most `most` bytes; what is larger by itself is a piece of its own. */
export function piecesBySize<T>(items: readonly T[], sizeOf: (item: T) => number, most: number): T[][] {
  const pieces: T[][] = [];
  let left = 0;
  for (const item of items) {
    const size = sizeOf(item);
    const piece = pieces.at(-1);
    if (piece !== undefined && size <= left) piece.push(item);
    else {
      pieces.push([item]);
      left = most;
    }
    left -= size;
  }
  return pieces;
}
