/**
 * The door to the repairs in the ledger of completeness: which windows need one, that one was begun, and which hours await the end of
 * one. How a window is repaired is decided in `domain/completeness-repairs.ts`.
 */
import { type WindowBlock, windowKey } from '../domain/completeness-blocks.ts';
import type { WindowToRepair } from '../domain/completeness-repairs.ts';
import {
  type CompletenessReason,
  type CompletenessVerdict,
  VERDICTS_TO_REPAIR,
  WAITING_VERDICTS,
} from '../domain/completeness-verdicts.ts';
import type { Queries } from './postgres.ts';

export interface RepairsQuestion {
  readonly pipeline: string;
  readonly mostAttempts: number;
  /** The whole ledger when left out. */
  readonly within?: { readonly from: Date; readonly to: Date; readonly entities?: readonly number[] };
  readonly limit: number;
  /** The last window of the page before. */
  readonly after?: Pick<WindowToRepair, 'windowStart' | 'entityId'>;
}

interface Row {
  readonly entity_id: number;
  readonly window_start: Date;
  readonly verdict: CompletenessVerdict;
  readonly reason: CompletenessReason | null;
  readonly expected: number;
  readonly observed: number;
  readonly aggregated: number | null;
  readonly attempts: number;
  readonly repair_begun_at: Date | null;
}

/** Windows whose verdict asks for a repair and that have an attempt left, the oldest hours first. */
export async function windowsToRepair(
  database: Queries,
  { pipeline, mostAttempts, within, limit, after }: RepairsQuestion,
): Promise<readonly WindowToRepair[]> {
  const rows = await database.query<Row>(
    'windows-to-repair',
    [
      ...[pipeline, VERDICTS_TO_REPAIR, mostAttempts],
      ...[within?.from ?? null, within?.to ?? null, within?.entities ?? null, limit],
      ...[after?.windowStart ?? null, after?.entityId ?? null],
    ],
    pipeline,
  );
  return rows.map((row) => ({
    entityId: row.entity_id,
    windowStart: row.window_start,
    verdict: row.verdict,
    reason: row.reason,
    expected: row.expected,
    observed: row.observed,
    aggregated: row.aggregated,
    attempts: row.attempts,
    repairBegunAt: row.repair_begun_at,
  }));
}

/** So many are held in memory without a second thought. */
const MOST_INCOMPLETE = 100_000;

/** Keys (`domain/completeness-blocks.ts`) of all windows of these hours that lack observations; undefined when they are very many. */
export async function incompleteWindows(
  database: Queries,
  pipeline: string,
  hours: readonly Date[],
): Promise<ReadonlySet<string> | undefined> {
  const rows = await database.query<Pick<Row, 'entity_id' | 'window_start'>>('incomplete-windows', [
    ...[pipeline, hours, MOST_INCOMPLETE + 1],
  ]);
  if (rows.length > MOST_INCOMPLETE) return undefined;
  return new Set(rows.map((row) => windowKey({ entityId: row.entity_id, windowStart: row.window_start })));
}

export interface BegunRepair {
  readonly pipeline: string;
  /** Who repairs: recording it once more changes nothing. */
  readonly workflowId: string;
  readonly blocks: readonly WindowBlock[];
  readonly at: Date;
}

/** To be called when the repair has begun, and not before: one that is refused uses up no attempt. @returns how many windows it has */
export async function recordRepair(
  database: Queries,
  { pipeline, workflowId, blocks, at }: BegunRepair,
): Promise<number> {
  const [row] = await database.query<{ windows: number }>('record-window-repair', [
    ...[pipeline, workflowId, at, JSON.stringify(blocks), VERDICTS_TO_REPAIR],
  ]);
  return row?.windows ?? 0;
}

/** Windows that nothing can repair: judged again, they are unrepairable. */
export async function giveUpWindows(
  database: Queries,
  pipeline: string,
  blocks: readonly WindowBlock[],
  mostAttempts: number,
): Promise<void> {
  if (blocks.length === 0) return;
  await database.query('give-up-windows', [
    ...[pipeline, mostAttempts, JSON.stringify(blocks), VERDICTS_TO_REPAIR],
  ]);
}

/** Hours before an instant whose verdicts may be others by now although nothing was stored: they await the stream, or a repair. */
export async function unsettledHours(
  database: Queries,
  pipeline: string,
  before: Date,
): Promise<readonly Date[]> {
  const rows = await database.query<{ window_start: Date }>(
    'unsettled-hours',
    [...[pipeline, before, WAITING_VERDICTS, VERDICTS_TO_REPAIR]],
    pipeline,
  );
  return rows.map(({ window_start: windowStart }) => windowStart);
}

const MOST_REPAIRS = 200;

/** Workflows that were to repair windows which are not good, beside backfills. They may have ended. */
export async function repairsOfWindows(database: Queries, pipeline: string): Promise<readonly string[]> {
  const rows = await database.query<{ repair_workflow_id: string }>(
    'repairs-of-windows',
    [...[pipeline, [...WAITING_VERDICTS, ...VERDICTS_TO_REPAIR], MOST_REPAIRS]],
    pipeline,
  );
  return rows.map(({ repair_workflow_id: workflowId }) => workflowId);
}
