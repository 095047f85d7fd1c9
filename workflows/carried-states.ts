/**
 * The form of what each workflow that goes on as a new run carries over, by its type. A deploy reads it out of the bundle: such a
 * run moves to another build just there, so both builds must read what either of them carries.
 */
import { backfillPlanInputSchema } from '../schemas/backfill.ts';
import { completenessInputSchema } from '../schemas/completeness.ts';
import { jobStateSchema } from '../schemas/job.ts';

export const carriedStates = {
  flinkJob: jobStateSchema,
  backfill: backfillPlanInputSchema,
  checkCompleteness: completenessInputSchema,
} as const;
