/** The door to what a person is to be told of checks, and was told. When that is, and in which words, is decided in `domain/completeness-alerts.ts`. */
import { ALARMING_VERDICTS, type Finding, TROUBLED_VERDICTS } from '../domain/completeness-alerts.ts';
import { type CompletenessVerdict, WAITING_VERDICTS } from '../domain/completeness-verdicts.ts';
import type { Alert } from '../schemas/alert.ts';
import type { Queries } from './postgres.ts';

interface FindingRow {
  readonly verdict: CompletenessVerdict;
  readonly windows: number;
  readonly first_hour: Date;
  readonly last_hour: Date;
}

/** Windows that came to an alarming verdict since an instant, whoever judged them; not those that only came back to it. */
export async function findingsSince(
  database: Queries,
  pipeline: string,
  since: Date,
): Promise<readonly Finding[]> {
  const rows = await database.query<FindingRow>('completeness-findings', [
    pipeline,
    ALARMING_VERDICTS,
    since,
    WAITING_VERDICTS,
  ]);
  return rows.map((row) => ({
    verdict: row.verdict,
    windows: row.windows,
    firstHour: row.first_hour,
    lastHour: row.last_hour,
  }));
}

/** Whether any window is in trouble now. */
export async function isTroubled(database: Queries, pipeline: string): Promise<boolean> {
  const [row] = await database.query<{ has_any: boolean }>(
    'has-windows-of',
    [pipeline, TROUBLED_VERDICTS],
    pipeline,
  );
  return row?.has_any ?? false;
}

/** When the last check ended, this one left out; undefined when none did. */
export async function previousEnd(
  database: Queries,
  pipeline: string,
  checkId: string,
): Promise<Date | undefined> {
  const [row] = await database.query<{ ended_at: Date }>('previous-completeness-check', [pipeline, checkId]);
  return row?.ended_at;
}

/**
 * When the last check ended; before the first, since when one could have. Undefined where there is nothing to check.
 * @param checkId a check that is left out
 */
export async function silentSince(
  database: Queries,
  pipeline: string,
  checkId?: string,
): Promise<Date | undefined> {
  const [row] = await database.query<{ since: Date | null }>('silence-of-checks', [
    pipeline,
    checkId ?? null,
  ]);
  return row?.since ?? undefined;
}

/** The last notice that was given of windows; undefined before the first. */
export async function latestAlert(database: Queries, pipeline: string): Promise<Alert | undefined> {
  const [row] = await database.query<{ alert: Alert }>('latest-completeness-alert', [pipeline]);
  return row?.alert;
}

export async function recordAlert(
  database: Queries,
  pipeline: string,
  checkId: string,
  alert: Alert,
): Promise<void> {
  await database.query('record-completeness-alert', [pipeline, checkId, JSON.stringify(alert)]);
}
