/** Plans a backfill from what is known at this moment. What is planned is decided in `domain/backfill-plan.ts`, whether it may run in `domain/backfill-refusals.ts`. */
import { type BackfillFacts, type BackfillPlan, planBackfill } from '../domain/backfill-plan.ts';
import type { BackfillRequest } from '../schemas/backfill.ts';
import { readBackfillDays } from './backfill-days.ts';
import { openBackfills, repeatOf } from './backfill-ledger.ts';
import type { Queries } from './postgres.ts';

/** Stores nothing. What is loaded meanwhile is told apart when the plan is stored, or begun. */
export async function planFor(
  database: Queries,
  request: BackfillRequest,
  facts: BackfillFacts,
  now: Date,
): Promise<BackfillPlan> {
  const repeat = await repeatOf(database, request);
  const running = await openBackfills(database, request.pipeline);
  const days = await readBackfillDays(database, request);
  return planBackfill({ request, days, now, facts, running, repeat });
}
