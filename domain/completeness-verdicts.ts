/**
 * Decides the verdict of a window from its facts, and the reason: one ordered list of rules, the first that applies counts. TypeScript
 * and SQL look both up in the table that is made of it here. How the facts are found out, and the reason's proof, is
 * `sql/queries/judge-windows.sql`'s.
 */
import { factsOf, MASKS, type WindowFacts } from './completeness-facts.ts';

interface VerdictFacts {
  readonly description: string;
  /** Stands for it in a map of many windows: told apart without any colour. */
  readonly symbol: string;
  /** Nothing is to be done: the hour is true. */
  readonly isGood: boolean;
  /** A repair is to be started. */
  readonly needsRepair: boolean;
}

export const completenessVerdicts = {
  open: { symbol: '·', isGood: true, needsRepair: false, description: 'The hour is not over.' },
  complete: {
    ...{ symbol: '█', isGood: true, needsRepair: false },
    description: 'It has the observations it is to have, and its row is their aggregate.',
  },
  complete_at_source: {
    ...{ symbol: 'S', isGood: true, needsRepair: false },
    description:
      'It has fewer observations than it is to have, but all that the source has; its row is their aggregate.',
  },
  repaired: {
    ...{ symbol: 'R', isGood: true, needsRepair: false },
    description: 'It is complete, after a repair.',
  },
  partial: {
    ...{ symbol: 'p', isGood: false, needsRepair: true },
    description: 'It has fewer observations than it is to have.',
  },
  missing: {
    ...{ symbol: 'M', isGood: false, needsRepair: true },
    description: 'It has no observation at all.',
  },
  mismatched: {
    ...{ symbol: '≠', isGood: false, needsRepair: true },
    description: 'Its row is not the aggregate of its observations, in their number or in a figure.',
  },
  behind: {
    ...{ symbol: 'b', isGood: false, needsRepair: false },
    description:
      'It is not complete, but the stream has not read all that was published when the check began.',
  },
  repairing: {
    ...{ symbol: 'r', isGood: false, needsRepair: false },
    description: 'It is not complete, and a repair is under way.',
  },
  unrepairable: {
    ...{ symbol: 'X', isGood: false, needsRepair: false },
    description: 'It is not complete, and was repaired in vain as often as it is tried.',
  },
} as const satisfies Record<string, VerdictFacts>;
export type CompletenessVerdict = keyof typeof completenessVerdicts;
export const COMPLETENESS_VERDICTS = Object.keys(completenessVerdicts) as readonly CompletenessVerdict[];

const verdictsThat = (are: (verdict: VerdictFacts) => boolean): readonly CompletenessVerdict[] =>
  COMPLETENESS_VERDICTS.filter((verdict) => are(completenessVerdicts[verdict]));
export const GOOD_VERDICTS = verdictsThat(({ isGood }) => isGood);
export const VERDICTS_TO_REPAIR = verdictsThat(({ needsRepair }) => needsRepair);
/** Time, or somebody else, makes another of these. */
export const WAITING_VERDICTS: readonly CompletenessVerdict[] = ['behind', 'repairing'];

interface ReasonFacts {
  /** Words in braces are put in from the evidence of the window. */
  readonly sentence: string;
}

export const completenessReasons = {
  run_missing: { sentence: 'No ingestion run was completed for its polls of {polls}.' },
  api_failed: { sentence: 'The source did not answer: {answers}.' },
  source_unchanged: { sentence: 'The source had nothing new: {polls}.' },
  record_rejected: { sentence: 'What came was no observation: {records}.' },
  not_yet_processed: { sentence: 'The stream has not read {offsets} yet.' },
  published_not_stored: { sentence: 'It was published and is not stored: {offsets}.' },
  aggregate_wrong: { sentence: "The hour's row differs from its observations in {figures}." },
  unknown: { sentence: 'Nothing on record says why.' },
} as const satisfies Record<string, ReasonFacts>;
export type CompletenessReason = keyof typeof completenessReasons;
export const COMPLETENESS_REASONS = Object.keys(completenessReasons) as readonly CompletenessReason[];

export interface Judgement {
  readonly verdict: CompletenessVerdict;
  /** Null where nothing is to be explained. */
  readonly reason: CompletenessReason | null;
}

interface Rule {
  readonly when: (facts: WindowFacts) => boolean;
  readonly verdict: CompletenessVerdict;
  readonly reason: CompletenessReason | null | ((facts: WindowFacts) => CompletenessReason);
}

/** The first that applies counts; the last always does. */
const rules: readonly [...Rule[], Rule] = [
  { when: ({ isOpen }) => isOpen, verdict: 'open', reason: null },
  { when: (facts) => isComplete(facts) && wasMended(facts), verdict: 'repaired', reason: null },
  { when: isComplete, verdict: 'complete', reason: null },
  // Whatever else is true of it, reading may still mend it: nothing is to be fetched, made anew or given up before.
  { when: ({ isBehind }) => isBehind, verdict: 'behind', reason: 'not_yet_processed' },
  { when: hasAllOfTheSource, verdict: 'complete_at_source', reason: 'source_unchanged' },
  { when: ({ isUnderRepair }) => isUnderRepair, verdict: 'repairing', reason: causeOf },
  { when: ({ attemptsAreUsedUp }) => attemptsAreUsedUp, verdict: 'unrepairable', reason: causeOf },
  // Before too few observations: an hour that counts more than are stored is to be loaded from the log, and one that is merely
  // wrong to be made anew, before anybody asks the source for what is missing.
  { when: ({ aggregateAgrees }) => !aggregateAgrees, verdict: 'mismatched', reason: causeOf },
  { when: ({ hasSome }) => hasSome, verdict: 'partial', reason: causeOf },
  { when: () => true, verdict: 'missing', reason: causeOf },
];

function isComplete({ isEnough, aggregateAgrees }: WindowFacts): boolean {
  return isEnough && aggregateAgrees;
}

function wasMended({ wasRepaired, isUnderRepair }: WindowFacts): boolean {
  return wasRepaired && !isUnderRepair;
}

/**
 * Polls that brought nothing new prove that the source has no more of an hour, unless it has nothing at all: then its history, where
 * there is one, is asked before the hour is called complete.
 */
function hasAllOfTheSource(facts: WindowFacts): boolean {
  if (!facts.aggregateAgrees || facts.publishedNotStored) return false;
  if (facts.sourceIsExhausted) return true;
  return facts.sourceWasUnchanged && (facts.hasSome || !facts.historyIsUnasked);
}

/** Why a window is not complete; what is known most exactly comes first, and without proof it is unknown. */
function causeOf(facts: WindowFacts): CompletenessReason {
  if (facts.publishedNotStored) return 'published_not_stored';
  if (!facts.aggregateAgrees) return 'aggregate_wrong';
  if (facts.runIsMissing) return 'run_missing';
  if (facts.callFailed) return 'api_failed';
  if (facts.recordWasRejected) return 'record_rejected';
  if (facts.sourceWasUnchanged) return 'source_unchanged';
  return 'unknown';
}

export function judgeWindow(facts: WindowFacts): Judgement {
  const { verdict, reason } = rules.find(({ when }) => when(facts)) ?? (rules.at(-1) as Rule);
  return { verdict, reason: typeof reason === 'function' ? reason(facts) : reason };
}

/** The judgement of every set of facts, by its mask. */
export function verdictTable(): readonly Judgement[] {
  return Array.from({ length: MASKS }, (_, mask) => judgeWindow(factsOf(mask)));
}

/** The same for a query, where a number is found faster than a text: each different judgement once, and for each mask its place. */
export interface RulingTable {
  readonly rulings: readonly Judgement[];
  /** Places from 1 on. */
  readonly placeByMask: readonly number[];
}

export function rulingTable(): RulingTable {
  const places = new Map<string, number>();
  const rulings: Judgement[] = [];
  const placeByMask = verdictTable().map((judgement) => {
    const name = `${judgement.verdict}/${judgement.reason}`;
    const place = places.get(name) ?? rulings.push(judgement);
    places.set(name, place);
    return place;
  });
  return { rulings, placeByMask };
}
