/**
 * The door to the ledger of completeness: has windows judged, and reads what they were judged. Which verdict follows from which facts is
 * `domain/completeness-verdicts.ts`'s; rows are looked at in the database alone, and only counts come here.
 */

import { OPEN_STATES } from '../domain/backfill-states.ts';
import type { LogReading, WindowEvidence } from '../domain/completeness-evidence.ts';
import {
  COMPLETENESS_VERDICTS,
  type CompletenessReason,
  type CompletenessVerdict,
  completenessVerdicts,
  rulingTable,
} from '../domain/completeness-verdicts.ts';
import { ENDED_CHUNKS } from './chunk-ledger.ts';
import type { Database, Queries } from './postgres.ts';

/** A record of which the log is known to hold it, and the fact table not. */
export interface PublishedRecord {
  readonly entityId: number;
  readonly windowStart: Date;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface JudgingQuestion {
  readonly pipeline: string;
  /** Of whose ingestion runs the polls are read. */
  readonly source: string;
  /** Whole hours; the end does not belong to it. */
  readonly from: Date;
  readonly to: Date;
  /** Every location of the registry when left out. */
  readonly entities?: readonly number[];
  /** Hours that end later are open. */
  readonly overUntil: Date;
  /** Into how many parts ingestion cuts the registry. */
  readonly shards: number;
  /** Whether the stream has not read up to the log's end; `reading` is the proof, and tells which rows it may be about to add. */
  readonly isBehind: boolean;
  readonly reading: readonly LogReading[];
  readonly publishedNotStored: readonly PublishedRecord[];
  /** How often a repair is tried before a window is unrepairable. */
  readonly mostAttempts: number;
  /** From where on the source's history reaches; null when it has none, or the plan does not include it. */
  readonly historyFrom: Date | null;
  /** Ids of workflows that repair at this moment, beside the backfills, of which the ledger knows. */
  readonly openRepairs: readonly string[];
  /** When the ends of the log were taken; rows that the stream has written since may be only half there. */
  readonly begunAt: Date;
  /** Topics whose dead letters are the pipeline's. */
  readonly letterTopics: readonly string[];
}

export type CountsByVerdict = Readonly<Record<CompletenessVerdict, number>>;

export interface JudgingResult {
  readonly byVerdict: CountsByVerdict;
  /** How many rows of the ledger were written; 0 when everything was as before. */
  readonly changed: number;
}

interface CountRow {
  readonly verdict: CompletenessVerdict;
  readonly windows: number;
  readonly changed: number;
}

/** Judges each expected window of the range and writes down what is new. Of two at once the second sees what the first wrote. */
export function judgeWindows(database: Database, question: JudgingQuestion): Promise<JudgingResult> {
  return database.transaction(async ({ query }) => {
    await query('begin-judging', [question.pipeline]);
    const rows = await query<CountRow>('judge-windows', judgingParameters(question), question.pipeline);
    return {
      byVerdict: countsOf(rows),
      changed: rows.reduce((sum, { changed }) => sum + changed, 0),
    };
  });
}

/** As the query takes it: made once, as it has an entry for each set of facts. */
const { rulings, placeByMask } = rulingTable();
const RULINGS = [
  placeByMask,
  rulings.map(({ verdict }) => verdict),
  rulings.map(({ reason }) => reason),
  rulings.map(({ verdict }) => completenessVerdicts[verdict].isGood),
];

/** What `judge-windows` is asked with. */
export function judgingParameters(question: JudgingQuestion): readonly unknown[] {
  const { pipeline, source, from, to, entities, publishedNotStored: published } = question;
  return [
    ...[pipeline, source, from, to, entities ?? null],
    ...RULINGS,
    ...[question.overUntil, question.shards, question.isBehind, JSON.stringify(question.reading)],
    published.map(({ entityId }) => entityId),
    published.map(({ windowStart }) => windowStart),
    published.map(({ topic }) => topic),
    published.map(({ partition }) => partition),
    published.map(({ offset }) => offset),
    ...[question.mostAttempts, question.historyFrom, OPEN_STATES, ENDED_CHUNKS, question.openRepairs],
    question.begunAt,
    question.letterTopics,
  ];
}

const countsOf = (rows: readonly CountRow[]): CountsByVerdict => ({
  ...noCounts(),
  ...Object.fromEntries(rows.map(({ verdict, windows }) => [verdict, windows])),
});

const noCounts = (): CountsByVerdict =>
  Object.fromEntries(COMPLETENESS_VERDICTS.map((verdict) => [verdict, 0])) as CountsByVerdict;

export interface WindowsQuestion {
  readonly pipeline: string;
  readonly from: Date;
  readonly to: Date;
  readonly entities?: readonly number[];
  readonly verdicts?: readonly CompletenessVerdict[];
  readonly limit: number;
  /** The last window of the page before. */
  readonly after?: Pick<JudgedWindow, 'windowStart' | 'entityId'>;
}

/** A window as it was judged last. */
export interface JudgedWindow {
  readonly entityId: number;
  readonly name: string;
  readonly windowStart: Date;
  /** So many observations the location is to have, at least; so many are stored. */
  readonly expected: number;
  readonly observed: number;
  /** So many the hour's row counts; null when it has no row. */
  readonly aggregated: number | null;
  readonly verdict: CompletenessVerdict;
  readonly reason: CompletenessReason | null;
  /** Null for a good verdict. */
  readonly evidence: WindowEvidence | null;
  /** When that was found first. */
  readonly checkedAt: Date;
  readonly repairWorkflowId: string | null;
  /** How often its repair was begun since it was good last. */
  readonly attempts: number;
}

interface WindowRow {
  readonly entity_id: number;
  readonly name: string;
  readonly window_start: Date;
  readonly expected: number;
  readonly observed: number;
  readonly aggregated: number | null;
  readonly verdict: CompletenessVerdict;
  readonly reason: CompletenessReason | null;
  readonly evidence: WindowEvidence | null;
  readonly checked_at: Date;
  readonly repair_workflow_id: string | null;
  readonly attempts: number;
}

/** In the order of their hours, then of their locations. Windows that were never judged, or are expected no more, are left out. */
export async function judgedWindows(
  database: Queries,
  { pipeline, from, to, entities, verdicts, limit, after }: WindowsQuestion,
): Promise<readonly JudgedWindow[]> {
  const rows = await database.query<WindowRow>(
    'judged-windows',
    [
      ...[pipeline, from, to, entities ?? null, verdicts ?? null, limit],
      ...[after?.windowStart ?? null, after?.entityId ?? null],
    ],
    pipeline,
  );
  return rows.map((row) => ({
    entityId: row.entity_id,
    name: row.name,
    windowStart: row.window_start,
    expected: row.expected,
    observed: row.observed,
    aggregated: row.aggregated,
    verdict: row.verdict,
    reason: row.reason,
    evidence: row.evidence,
    checkedAt: row.checked_at,
    repairWorkflowId: row.repair_workflow_id,
    attempts: row.attempts,
  }));
}

/** A change of a window's verdict or reason; before the first judgement there was none. */
export interface WindowChange {
  readonly windowStart: Date;
  readonly changedAt: Date;
  readonly previousVerdict: CompletenessVerdict | null;
  readonly previousReason: CompletenessReason | null;
  readonly verdict: CompletenessVerdict;
  readonly reason: CompletenessReason | null;
}

interface ChangeRow {
  readonly window_start: Date;
  readonly changed_at: Date;
  readonly previous_verdict: CompletenessVerdict | null;
  readonly previous_reason: CompletenessReason | null;
  readonly verdict: CompletenessVerdict;
  readonly reason: CompletenessReason | null;
}

/** What became of a location's windows, hour by hour, the oldest change first. */
export async function windowChanges(
  database: Queries,
  { pipeline, entityId, from, to }: { pipeline: string; entityId: number; from: Date; to: Date },
): Promise<readonly WindowChange[]> {
  const rows = await database.query<ChangeRow>('window-changes', [pipeline, entityId, from, to]);
  return rows.map((row) => ({
    windowStart: row.window_start,
    changedAt: row.changed_at,
    previousVerdict: row.previous_verdict,
    previousReason: row.previous_reason,
    verdict: row.verdict,
    reason: row.reason,
  }));
}
