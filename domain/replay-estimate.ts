/** What a replay of the retained log takes: a version whose state does not fit is built anew from there. */

export interface ReplayEstimate {
  /** Records in the log that the job would read. */
  readonly records: number;
  readonly seconds: number;
}

/** On two cores 16,000 to 30,000 were measured, all tables at full width (bench/results.md); a shared machine has less. */
const RECORDS_PER_SECOND = 10_000;
/** Submission, the start of its tasks, and the first checkpoint, before which nothing is known to be read. */
const START_SECONDS = 30;

export const replayEstimate = (records: number): ReplayEstimate => ({
  records,
  seconds: START_SECONDS + Math.ceil(records / RECORDS_PER_SECOND),
});

const SHORTEST_LIMIT_MS = 12 * 3_600_000;

/** How long a candidate may take to read the log: twice what is told before it starts, and never less than half a day. */
export const replayLimitMs = ({ seconds }: ReplayEstimate): number =>
  Math.max(SHORTEST_LIMIT_MS, 2 * seconds * 1_000);

/** `would replay 1,200,000 records, about 3 minutes` */
export function replayText({ records, seconds }: ReplayEstimate): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  return `would replay ${counted(records, 'record')}, about ${counted(minutes, 'minute')}`;
}

export const counted = (count: number, what: string): string =>
  `${count.toLocaleString('en-GB')} ${what}${count === 1 ? '' : 's'}`;
