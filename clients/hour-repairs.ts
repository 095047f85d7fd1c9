/** What a repair of hours must know before it makes them anew or begins another: what their rows count, and which repairs are under way. */
import { type BackfillState, OPEN_STATES } from '../domain/backfill-states.ts';
import type { Queries } from './postgres.ts';

/** Those of the hours in which some location's row was judged to count more observations than are stored, in milliseconds. */
export async function hoursCountingMore(
  database: Queries,
  pipeline: string,
  hours: readonly Date[],
): Promise<ReadonlySet<number>> {
  const rows = await database.query<{ window_start: Date }>('hours-counting-more', [pipeline, hours]);
  return new Set(rows.map(({ window_start: windowStart }) => windowStart.getTime()));
}

/** How many rows from one instant to another count more observations than are stored at this moment. */
export async function countHoursCountingMore(
  database: Queries,
  pipeline: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<number> {
  const [row] = await database.query<{ hours: number }>('count-hours-counting-more', [from, to], pipeline);
  return row?.hours ?? 0;
}

export interface OpenRepair {
  readonly id: string;
  readonly status: BackfillState;
  readonly workflowId: string;
}

/** Backfills that hold their windows and were begun by a completeness check. The workflow of one may be gone. */
export async function openRepairs(database: Queries, pipeline: string): Promise<readonly OpenRepair[]> {
  const rows = await database.query<{ backfill_id: string; status: BackfillState; workflow_id: string }>(
    'open-repairs',
    [pipeline, OPEN_STATES],
  );
  return rows.map(({ backfill_id: id, status, workflow_id: workflowId }) => ({ id, status, workflowId }));
}
