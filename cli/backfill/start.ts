/** `hourglass backfill start` and `retry`: run a plan, or once more what failed of it, and follow it where that is asked. */
import type { Client } from '@temporalio/client';
import {
  BackfillRefusedError,
  type BackfillRun,
  backfillRun,
  retryBackfill,
  startBackfill,
} from '../../clients/backfill-control.ts';
import { type BackfillRecord, backfillOf, storePlan } from '../../clients/backfill-ledger.ts';
import type { Database } from '../../clients/postgres.ts';
import { loadConfig } from '../../config/load.ts';
import { backfillStates, isOpen } from '../../domain/backfill-states.ts';
import { HourglassError } from '../../domain/errors.ts';
import { isConfirmed } from '../confirm.ts';
import { withTemporal } from '../with-temporal.ts';
import { BackfillIncompleteError, createView, followRun } from './follow.ts';
import { tellsMore } from './plan.ts';
import { planText } from './plan-text.ts';
import { planned } from './planning.ts';
import { InvalidRequestError, type RequestOptions } from './request.ts';
import { standingDocument } from './standing.ts';

interface FollowOptions {
  readonly wait?: boolean;
  readonly json?: boolean;
}

export interface StartOptions extends RequestOptions, FollowOptions {
  readonly plan?: string;
  readonly yes?: boolean;
}

/** Thrown when nobody said yes to a plan. It is stored, and nothing was started. */
class NotConfirmedError extends HourglassError {
  constructor(id: string) {
    super(
      'NOT_CONFIRMED',
      `Nothing was started: the plan is stored, \`npx hourglass backfill start --plan ${id}\` runs it; with --yes nobody is asked.`,
    );
  }
}

export async function startBackfills({
  plan,
  yes = false,
  wait = false,
  json = false,
  ...request
}: StartOptions): Promise<void> {
  if (plan !== undefined) refuseBoth(request);
  await withTemporal(async (client, database) => {
    const id = plan ?? (await storedPlan(database, request, { yes, json }));
    const record = await backfillOf(database, id);
    const { run, result } = await startOf(client, record);
    await tell({ database, record, run, result }, { wait, json });
  });
}

export async function retryBackfills(id: string, options: FollowOptions): Promise<void> {
  await withTemporal(async (client, database) => {
    const run = await retryBackfill(client, database, id);
    const record = await backfillOf(database, id);
    await tell({ database, record, run, result: 'retried' }, options);
  });
}

/** A plan says all that other options could say. @throws InvalidRequestError */
function refuseBoth({ pipeline: _, ...given }: RequestOptions): void {
  const names = Object.keys(given);
  if (names.length > 0)
    throw new InvalidRequestError([
      `--plan runs a stored plan as it is, and does not go with other options (${names.join(', ')})`,
    ]);
}

/** Plans it, shows it, and has it confirmed. @returns the id of what is to be run */
async function storedPlan(
  database: Database,
  request: RequestOptions,
  { yes, json }: Pick<StartOptions, 'yes' | 'json'>,
): Promise<string> {
  const known = await planned(database, loadConfig(), request);
  const { plan, refusal } = known;
  const tellPlan = json ? console.error : console.log;
  if (tellsMore(known)) tellPlan(planText(known));
  if (refusal !== undefined) throw refusal;
  if (plan.attachTo !== undefined) return plan.attachTo;
  const { id } = await storePlan(database, plan);
  if (!yes && !(await isConfirmed('Run this plan?'))) throw new NotConfirmedError(id);
  return id;
}

interface Started {
  readonly run: BackfillRun;
  readonly result: 'started' | 'attached' | 'retried';
}

/** One that is open and whose workflow is gone is gone on with. @throws BackfillRefusedError, BackfillNotAnsweringError */
async function startOf(client: Client, record: BackfillRecord): Promise<Started> {
  const { id, request, status } = record;
  if (backfillStates[status].terminal)
    throw new BackfillRefusedError(
      id,
      `has ended: it is ${status}`,
      status === 'completed'
        ? 'Plan it again to load what is missing since then.'
        : `\`npx hourglass backfill retry ${id}\` tries what failed once more; planned again it is a new one.`,
    );
  const known = backfillRun(client, record);
  if (isOpen(status) && (await known.isOpen())) return { run: known, result: 'attached' };
  return { run: await startBackfill(client, { id, request, input: { plan: id } }), result: 'started' };
}

interface Told extends Started {
  readonly database: Database;
  readonly record: BackfillRecord;
}

/** @throws BackfillNotAnsweringError, BackfillIncompleteError, BackfillFailedError */
async function tell(
  { database, record: { id }, run, result }: Told,
  { wait, json }: FollowOptions,
): Promise<void> {
  const { workflowId } = run;
  // A workflow is started whether or not a worker is there; its answer shows that one is.
  await run.answers();
  if (!json) console.log(`${TOLD[result]} ${id}, as workflow ${workflowId}.`);
  if (!wait) {
    if (json) print({ id, workflowId, result });
    else console.log(`\`npx hourglass backfill show ${id} --watch\` follows it.`);
    return;
  }
  const view = createView(process.stderr);
  const standing = await followRun(database, id, run, view).finally(() => view.close());
  if (json) print({ ...standingDocument(standing), result: 'ended' });
  if (standing.record.status !== 'completed') throw new BackfillIncompleteError(standing);
  if (!json) console.log(`${id} is completed.`);
}

const TOLD: Readonly<Record<Started['result'], string>> = {
  started: 'Started',
  attached: 'Attached to what is running already:',
  retried: 'Retrying',
};

function print(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2));
}
