/** The door to the record of completeness checks: what each judged, and from where the next one goes on. */
import type { LogReading } from '../domain/completeness-evidence.ts';
import type { CountsByVerdict, JudgingResult } from './completeness-ledger.ts';
import type { Queries } from './postgres.ts';

export interface CompletenessCheck {
  readonly id: string;
  /** Whole hours; the end does not belong to it. */
  readonly judgedFrom: Date;
  readonly judgedTo: Date;
  readonly beganAt: Date;
  /** Null while it is under way, and when it broke off. */
  readonly endedAt: Date | null;
  /** Rows stored or changed until then were taken into account. */
  readonly storedUntil: Date;
  readonly logEnds: readonly LogReading[] | null;
  readonly counts: CountsByVerdict | null;
  readonly changed: number | null;
}

interface CheckRow {
  readonly check_id: string;
  readonly judged_from: Date;
  readonly judged_to: Date;
  readonly began_at: Date;
  readonly ended_at: Date | null;
  readonly stored_until: Date;
  readonly log_ends: readonly LogReading[] | null;
  readonly counts: CountsByVerdict | null;
  readonly changed: number | null;
}

const checkOf = (row: CheckRow): CompletenessCheck => ({
  id: row.check_id,
  judgedFrom: row.judged_from,
  judgedTo: row.judged_to,
  beganAt: row.began_at,
  endedAt: row.ended_at,
  storedUntil: row.stored_until,
  logEnds: row.log_ends,
  counts: row.counts,
  changed: row.changed,
});

export interface CheckBeginning {
  readonly pipeline: string;
  readonly id: string;
  readonly from: Date;
  readonly to: Date;
  readonly logEnds: readonly LogReading[] | null;
}

/** A check that is begun once more keeps its beginning; its range becomes the wider one. */
export async function beginCheck(
  database: Queries,
  { pipeline, id, from, to, logEnds }: CheckBeginning,
): Promise<CompletenessCheck> {
  const ends = logEnds === null ? null : JSON.stringify(logEnds);
  const [row] = await database.query<CheckRow>('begin-completeness-check', [pipeline, id, from, to, ends]);
  if (row === undefined) throw new Error(`the check ${id} has no row`);
  return checkOf(row);
}

export async function endCheck(
  database: Queries,
  { pipeline, id, byVerdict, changed }: JudgingResult & { readonly pipeline: string; readonly id: string },
): Promise<void> {
  await database.query('end-completeness-check', [pipeline, id, JSON.stringify(byVerdict), changed]);
}

/** The one that ended last; undefined before the first. */
export async function latestCheck(
  database: Queries,
  pipeline: string,
): Promise<CompletenessCheck | undefined> {
  const [row] = await database.query<CheckRow>('latest-completeness-check', [pipeline]);
  return row === undefined ? undefined : checkOf(row);
}

/** Hours that begin before an instant with rows stored or made anew since another; ascending. */
export async function changedHoursSince(
  database: Queries,
  { pipeline, since, before }: { readonly pipeline: string; readonly since: Date; readonly before: Date },
): Promise<readonly Date[]> {
  const rows = await database.query<{ window_start: Date }>('changed-hours', [since, before], pipeline);
  return rows.map(({ window_start: windowStart }) => windowStart);
}
