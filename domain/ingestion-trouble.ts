/** Decides when a person is told that a source gives nothing, and in which words, and when its schedule stops asking. */
import type { Alert } from '../schemas/alert.ts';

export interface TroublePolicy {
  /** So many runs in a row that failed are worth a notice. */
  readonly alertAfter: number;
  /** After so many, and as many again, the schedule is paused until somebody unpauses it; undefined never does. */
  readonly pauseAfter: number | undefined;
}

export interface TroubleVerdict {
  /** What to tell: that it began, or goes on; that it is over; or nothing. */
  readonly notice: 'raised' | 'resolved' | 'none';
  readonly pause: boolean;
}

/**
 * @param failuresBefore runs that failed in a row before this one
 * @param hasFailed whether this one did
 */
export function judgeTrouble(
  failuresBefore: number,
  hasFailed: boolean,
  { alertAfter, pauseAfter }: TroublePolicy,
): TroubleVerdict {
  if (!hasFailed) {
    const wasTold = failuresBefore >= Math.min(alertAfter, pauseAfter ?? alertAfter);
    return { notice: wasTold ? 'resolved' : 'none', pause: false };
  }
  const failures = failuresBefore + 1;
  // Again, too: the first pause may have failed, and whoever unpaused it may have hoped in vain.
  const pause = pauseAfter !== undefined && failures % pauseAfter === 0;
  // Told again each time it has lasted twice as long: the first notice may not have arrived.
  const isWorthANotice = failures >= alertAfter && Number.isInteger(Math.log2(failures / alertAfter));
  return { notice: isWorthANotice || pause ? 'raised' : 'none', pause };
}

/** What is known of a schedule's trouble when one of its runs has ended. */
export interface Trouble {
  readonly scheduleId: string;
  readonly failuresBefore: number;
  /** When the first of the runs that failed in a row was due. */
  readonly since: Date;
  /** Why this run failed; null when it did not. */
  readonly error: string | null;
  readonly at: Date;
}

/** Stands in the alert, and as the note of a schedule that is paused. */
export function troubleNote({ failuresBefore, error }: Trouble): string {
  const runs = failuresBefore === 0 ? 'One run' : `${failuresBefore + 1} runs in a row`;
  return `${runs} failed, the last one because: ${error}`;
}

/** The notice that the verdict asks for; undefined when it asks for none. */
export function troubleAlert(trouble: Trouble, { notice, pause }: TroubleVerdict): Alert | undefined {
  if (notice === 'none') return undefined;
  const { scheduleId, failuresBefore, since, at } = trouble;
  const unpause = pause ? ` The schedule is paused: unpause ${scheduleId} when it is mended.` : '';
  return {
    status: notice,
    id: `${scheduleId}/ingestion-failing/${since.getTime()}`,
    kind: 'ingestion-failing',
    subject: scheduleId,
    reason:
      notice === 'raised'
        ? `${troubleNote(trouble)}${unpause}`
        : `It brings observations again, after ${failuresBefore} runs that failed.`,
    since: since.toISOString(),
    at: at.toISOString(),
  };
}
