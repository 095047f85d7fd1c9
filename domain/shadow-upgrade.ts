/** The steps of an upgrade by a candidate that runs beside the job, how far one has come, and how it ended, in words. */
import { counted } from './replay-estimate.ts';
import { comparisonText, type ShadowComparison } from './shadow-comparison.ts';

export const SHADOW_STEPS = [
  'preparing',
  'catchingUp',
  'comparing',
  'cuttingOver',
  'settling',
  'recomputing',
  'ended',
] as const;
export type ShadowStep = (typeof SHADOW_STEPS)[number];

export const shadowSteps: Readonly<Record<ShadowStep, string>> = {
  preparing: 'The version is judged, and its tables are made.',
  catchingUp: 'The candidate reads the log from its beginning; the job runs on.',
  comparing: 'The candidate has read the log; its windows are compared with those of the job.',
  cuttingOver:
    "The candidate has stopped with a savepoint and is gone; the job reads on until it is past the candidate's place.",
  settling: "The job starts with the new version, from the candidate's state.",
  recomputing: 'The windows whose differences were accepted are made anew, and those that were not over.',
  ended: 'It has ended, and nothing of the candidate is left.',
};

export interface ShadowProgress {
  readonly step: ShadowStep;
  /** Records that are still to be read. */
  readonly unread?: number;
  readonly comparison?: ShadowComparison;
  /** What it was told to accept when it was started. */
  readonly accepts?: readonly string[];
}

/** The query that tells it. */
export const shadowStatusName = 'status';

export interface ShadowUpgradeResult {
  readonly job: string;
  readonly version: string;
  /** `refused`: the job was not touched. */
  readonly outcome: 'cutOver' | 'refused';
  readonly sentence: string;
  readonly comparison: ShadowComparison;
  /** What stands in the way: columns, `missing`, `extra`, `uncompared`. */
  readonly notAccepted: readonly string[];
  /** What the job was started from. */
  readonly savepoint?: string;
  /** How many ranges of hours were made anew. */
  readonly recomputed?: number;
}

export function progressLine({ step, unread, comparison }: ShadowProgress): string {
  const open = unread === undefined || unread === 0 ? '' : ` ${counted(unread, 'record')} to read.`;
  const found = comparison === undefined ? '' : ` ${comparisonText(comparison)}.`;
  return `${shadowSteps[step]}${open}${found}`;
}

export const refusedSentence = (comparison: ShadowComparison, open: readonly string[]): string =>
  `the job was not touched: ${comparisonText(comparison)}; to cut over all the same, accept by name: --accept-differences ${open.join(',')}`;

export function cutOverSentence(comparison: ShadowComparison, version: string, recomputed: number): string {
  const anew = recomputed === 0 ? '' : `; ${counted(recomputed, 'range')} of hours made anew`;
  return `it runs version ${version} from the candidate's state: ${comparisonText(comparison)}${anew}`;
}
