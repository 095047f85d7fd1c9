/**
 * Decides when a person is told that windows are not complete, or that nobody checks them, and in which words: one notice a check, however
 * many windows it is about.
 */
import type { Alert } from '../schemas/alert.ts';
import { type CompletenessVerdict, WAITING_VERDICTS } from './completeness-verdicts.ts';
import { completenessScheduleId } from './identities.ts';

/** What a person is told of. */
export const ALARMING_VERDICTS: readonly CompletenessVerdict[] = ['missing', 'mismatched', 'unrepairable'];
/** As long as a window has one of these, it is not over. One that was given up is told once: it stays as it is. */
export const TROUBLED_VERDICTS: readonly CompletenessVerdict[] = [
  'missing',
  'mismatched',
  ...WAITING_VERDICTS,
];

/** Windows that came to a verdict since the last check. */
export interface Finding {
  readonly verdict: CompletenessVerdict;
  readonly windows: number;
  readonly firstHour: Date;
  readonly lastHour: Date;
}

export interface CheckFindings {
  readonly pipeline: string;
  readonly findings: readonly Finding[];
  /** Whether any window of the ledger has one of the troubled verdicts. */
  readonly isTroubled: boolean;
  /** The last notice that was given. */
  readonly told: Alert | undefined;
  readonly begunAt: Date;
  readonly now: Date;
}

/** The notice that follows; undefined when there is nothing new, and nothing is over. */
export function alertOfCheck({
  pipeline,
  findings,
  isTroubled,
  told,
  begunAt,
  now,
}: CheckFindings): Alert | undefined {
  const subject = completenessScheduleId(pipeline);
  const open = told?.status === 'raised' ? told : undefined;
  if (findings.length === 0 && (open === undefined || isTroubled)) return undefined;
  const since = open?.since ?? begunAt.toISOString();
  return {
    status: findings.length > 0 ? 'raised' : 'resolved',
    id: open?.id ?? `${subject}/windows-incomplete/${begunAt.getTime()}`,
    kind: 'windows-incomplete',
    subject,
    reason:
      findings.length > 0
        ? reasonOf(findings)
        : 'No window is missing, mismatched or waiting for a repair any more; what is unrepairable stays so.',
    since,
    at: now.toISOString(),
  };
}

function reasonOf(findings: readonly Finding[]): string {
  const counts = findings.map(({ verdict, windows }) => `${windows} ${verdict}`).join(', ');
  const first = findings.reduce(
    (found, { firstHour }) => (firstHour < found ? firstHour : found),
    new Date(8.64e15),
  );
  const last = findings.reduce((found, { lastHour }) => (lastHour > found ? lastHour : found), new Date(0));
  const hours =
    first.getTime() === last.getTime()
      ? `in the hour ${shown(first)}`
      : `in hours from ${shown(first)} to ${shown(last)}`;
  return `Windows were found to be not complete ${hours}: ${counts}. See \`npx hourglass completeness show\`.`;
}

const shown = (hour: Date): string => hour.toISOString().replace(':00.000Z', 'Z');

const HOUR_MS = 3_600_000;
/** A check that is an hour late may only have been slow. */
export const LATE_AFTER_HOURS = 3;

/**
 * The notice that no check has ended for hours, told when they are three and again each time that they are twice as many. To be asked
 * once an hour.
 * @param endedAt when the last check ended, or since when the first one is waited for; undefined where there is nothing to check
 */
export function alertOfSilence(pipeline: string, endedAt: Date | undefined, now: Date): Alert | undefined {
  if (endedAt === undefined) return undefined;
  const hours = Math.floor((now.getTime() - endedAt.getTime()) / HOUR_MS);
  if (hours < LATE_AFTER_HOURS || !Number.isInteger(Math.log2(hours / LATE_AFTER_HOURS))) return undefined;
  return silence(pipeline, endedAt, now, {
    status: 'raised',
    reason: `No completeness check has ended for ${hours} hours: see whether its schedule is paused, and why its last run failed.`,
  });
}

/** The notice that checks end again, if one did not for so long that it was told. */
export function alertOfReturn(pipeline: string, endedAt: Date | undefined, now: Date): Alert | undefined {
  if (endedAt === undefined || now.getTime() - endedAt.getTime() < LATE_AFTER_HOURS * HOUR_MS)
    return undefined;
  return silence(pipeline, endedAt, now, {
    status: 'resolved',
    reason: 'A completeness check has ended again, and has judged the hours since the last one.',
  });
}

const silence = (
  pipeline: string,
  endedAt: Date,
  now: Date,
  notice: Pick<Alert, 'status' | 'reason'>,
): Alert => ({
  ...notice,
  id: `${completenessScheduleId(pipeline)}/check-missing/${endedAt.getTime()}`,
  kind: 'check-missing',
  subject: completenessScheduleId(pipeline),
  since: endedAt.toISOString(),
  at: now.toISOString(),
});
