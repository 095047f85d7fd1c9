/** `hourglass backfill plan`: shows what a backfill would load and why it would not load the rest, and stores the plan. */
import { readBackfillDays } from '../../clients/backfill-days.ts';
import { storePlan } from '../../clients/backfill-ledger.ts';
import { loadConfig } from '../../config/load.ts';
import { type JudgedDay, judgeDays } from '../../domain/backfill-plan.ts';
import {
  BeyondHorizonError,
  EmptyBackfillError,
  OverlappingBackfillError,
} from '../../domain/backfill-refusals.ts';
import { withDatabase } from '../with-database.ts';
import { dayDocument, dayLine, planDocument, planText } from './plan-text.ts';
import { type Planned, planned } from './planning.ts';
import type { RequestOptions } from './request.ts';

export interface PlanOptions extends RequestOptions {
  readonly windows?: boolean;
  readonly json?: boolean;
}

export async function planBackfills({ windows, json, ...options }: PlanOptions): Promise<void> {
  await withDatabase(async (database) => {
    const known = await planned(database, loadConfig(), options);
    const { plan, refusal } = known;
    const days = windows ? judged(await readBackfillDays(database, plan.request), known) : undefined;
    const isStored = refusal === undefined && plan.attachTo === undefined;
    if (isStored) await storePlan(database, plan);
    if (json) {
      const document = { ...planDocument(known), isStored };
      print(days === undefined ? document : { ...document, days: [...days].map(dayDocument) });
    } else {
      if (tellsMore(known)) console.log(planText(known));
      for (const day of days ?? []) console.log(dayLine(day));
      if (refusal === undefined) console.log(`\n${nextStep(known)}`);
    }
    if (refusal !== undefined) throw refusal;
  });
}

/** Where the refusal itself says all, the plan is not shown. */
export const tellsMore = ({ refusal }: Planned): boolean =>
  refusal === undefined ||
  [EmptyBackfillError, OverlappingBackfillError, BeyondHorizonError].some((kind) => refusal instanceof kind);

const judged = (
  days: Awaited<ReturnType<typeof readBackfillDays>>,
  { plan: { request }, facts, now }: Planned,
): Iterable<JudgedDay> => judgeDays({ request, days, now, facts });

const nextStep = ({ plan: { id, attachTo } }: Planned): string =>
  attachTo === undefined
    ? `The plan is stored: \`npx hourglass backfill start --plan ${id}\` runs it.`
    : `The same is being loaded already: \`npx hourglass backfill show ${attachTo}\`.`;

function print(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}
