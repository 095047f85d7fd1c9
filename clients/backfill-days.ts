/** Reads what a backfill is planned from: the registry, the calendar, what is stored and what earlier backfills have done. */
import { OPEN_STATES } from '../domain/backfill-states.ts';
import type { EntityDay } from '../domain/backfill-windows.ts';
import type { BackfillRequest } from '../schemas/backfill.ts';
import { ENDED_CHUNKS } from './chunk-ledger.ts';
import type { Queries } from './postgres.ts';

interface DayRow {
  readonly entity_id: number;
  readonly day: string;
  readonly expected: number;
  readonly complete: number;
  readonly failed: number;
  readonly under_repair: number;
}

/**
 * Each location on each day of the range. Which hours are complete is told within the range alone; an id
 * that the registry does not hold has no day.
 */
export async function readBackfillDays(
  database: Queries,
  {
    pipeline,
    from,
    to,
    entities,
    input,
  }: Pick<BackfillRequest, 'pipeline' | 'from' | 'to' | 'entities' | 'input'>,
): Promise<readonly EntityDay[]> {
  const rows = await database.query<DayRow>(
    'backfill-days',
    [pipeline, from, to, entities ?? null, OPEN_STATES, ENDED_CHUNKS, input === 'history'],
    pipeline,
  );
  return rows.map((row) => ({
    entityId: row.entity_id,
    day: row.day,
    expected: row.expected,
    complete: row.complete,
    failed: row.failed,
    underRepair: row.under_repair,
  }));
}
