/**
 * Puts the verdict of a window into sentences: what it means, the reason filled in from the evidence, each proof by the row or the offset
 * that it is, and what becomes of it. Which proofs there are is `domain/completeness-evidence.ts`'s, how they are shown the caller's.
 */
import type { WindowEvidence } from './completeness-evidence.ts';
import { proofSentences, reasonWords } from './completeness-proofs.ts';
import {
  type CompletenessReason,
  type CompletenessVerdict,
  completenessReasons,
  completenessVerdicts,
} from './completeness-verdicts.ts';

export interface ExplainedWindow {
  readonly windowStart: Date;
  readonly expected: number;
  readonly observed: number;
  readonly aggregated: number | null;
  readonly verdict: CompletenessVerdict;
  readonly reason: CompletenessReason | null;
  readonly evidence: WindowEvidence | null;
  readonly repairWorkflowId: string | null;
  readonly attempts: number;
}

export interface WindowExplanation {
  readonly verdict: string;
  /** Expected, observed, aggregated. */
  readonly counts: string;
  /** Null where nothing is to be explained. */
  readonly reason: string | null;
  /** Those of the reason come first. */
  readonly proofs: readonly string[];
  readonly repair: string;
}

export function explainWindow(window: ExplainedWindow): WindowExplanation {
  const { verdict, expected, observed, aggregated } = window;
  const row = aggregated === null ? 'the hour has no row' : `the hour's row counts ${aggregated}`;
  return {
    verdict: `${verdict}: ${completenessVerdicts[verdict].description}`,
    counts: `at least ${expected} expected, ${observed} stored, ${row}`,
    reason: reasonSentence(window),
    proofs: proofSentences(window),
    repair: repairSentence(window),
  };
}

function reasonSentence(window: ExplainedWindow): string | null {
  const { reason } = window;
  if (reason === null) return null;
  const words = reasonWords(window, reason);
  return completenessReasons[reason].sentence.replaceAll(/\{(\w+)\}/g, () => words);
}

function repairSentence(window: ExplainedWindow): string {
  return REPAIRS[window.verdict](window);
}

/** What is done about it, in the present for what is to come. */
const REPAIRS: Readonly<Record<CompletenessVerdict, (window: ExplainedWindow) => string>> = {
  open: () => 'It is judged when the hour is over.',
  complete: () => 'Nothing is to be done.',
  complete_at_source: () => 'Nothing can be done: the source has no more of the hour.',
  repaired: (window) => `It was mended${byWhom(window)}; the checks of the next hours judge it again.`,
  partial: (window) => `${waysToMend(window)} ${triedBefore(window)}`,
  missing: (window) => `${waysToMend(window)} ${triedBefore(window)}`,
  mismatched: (window) => `${waysToMend(window)} ${triedBefore(window)}`,
  behind: () => 'Nothing is done before the stream has read on; then it is judged again.',
  repairing: (window) => `A repair is under way${byWhom(window)}.`,
  unrepairable: (window) =>
    `Nothing more is tried by itself: ${whyGivenUp(window)}. Once the cause is mended, a backfill of the hour loads what there is.`,
};

/** Nobody repaired a window of which the check saw that nothing would help. */
const whyGivenUp = (window: ExplainedWindow): string =>
  window.repairWorkflowId === null
    ? "the log has nothing of it, and the source's history does not reach back to it"
    : `it was repaired in vain ${timesText(window.attempts)}${lastBy(window)}`;

/** As the check plans it: what is in the log is loaded from there, what is merely wrong is made anew, the rest is fetched. */
function waysToMend({ verdict, reason, observed, aggregated }: ExplainedWindow): string {
  if (reason === 'published_not_stored' || (verdict === 'mismatched' && (aggregated ?? 0) > observed))
    return 'A repair loads from the retained log what is not stored, and makes the hour anew.';
  if (verdict === 'mismatched') return 'A repair makes the hour anew from the stored observations.';
  return "A repair fetches the hour from the source's history, if it has one.";
}

const triedBefore = (window: ExplainedWindow): string =>
  window.attempts === 0
    ? 'None was begun yet.'
    : `It was tried ${timesText(window.attempts)} before${lastBy(window)}.`;

const byWhom = ({ repairWorkflowId }: ExplainedWindow): string =>
  repairWorkflowId === null ? '' : ` by ${repairWorkflowId}`;

const lastBy = ({ repairWorkflowId }: ExplainedWindow): string =>
  repairWorkflowId === null ? '' : `, last by ${repairWorkflowId}`;

const timesText = (count: number): string => (count === 1 ? 'once' : `${count} times`);
