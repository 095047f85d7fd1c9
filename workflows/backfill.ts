/**
 * A backfill: plans it unless that was done, loads exactly what is planned, and says honestly how it ended. What is planned is decided
 * in `domain/backfill-plan.ts`; the ledger (`clients/backfill-ledger.ts`) knows how far each chunk is.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  makeContinueAsNewFunc,
  workflowInfo,
} from '@temporalio/workflow';
import type { BackfillEnding, BeginInput, Beginning } from '../activities/backfills.ts';
import {
  type BackfillInput,
  type BackfillInputOfWorkflow,
  backfillPlanInputSchema,
  backfillPolicySchema,
  backfillRequestSchema,
} from '../schemas/backfill.ts';
import { beginBackfill, endBackfill, failChunks, reasonIn, recordBackfill } from './backfill/calls.ts';
import { takeCommands } from './backfill/commands.ts';
import { backfillFromFile } from './backfill/file.ts';
import { backfillFromHistory } from './backfill/history.ts';
import { backfillFromLog } from './backfill/log.ts';
import { BackfillRun } from './backfill/run.ts';

/** What it has come to; of one that another workflow runs, or that has ended before, only where to look. */
export type BackfillResult = BackfillEnding | Exclude<Beginning, { readonly kind: 'begun' }>;

const LOADERS: Readonly<Record<BackfillInput, (run: BackfillRun) => Promise<void>>> = {
  history: backfillFromHistory,
  file: backfillFromFile,
  kafka: backfillFromLog,
};

export async function backfill(given: BackfillInputOfWorkflow): Promise<BackfillResult> {
  const { start, policy, carried } = parse(given);
  const begun = await begin(start);
  if (begun.kind !== 'begun') return begun;
  const run = new BackfillRun(begun, policy, carried);
  takeCommands(run);
  const isCancelled = await work(run);
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (run.hasMore && !run.isEnding && !isCancelled) {
    const next = { plan: run.id, policy, ...(run.file === undefined ? {} : { carried: run.file }) };
    await makeContinueAsNewFunc<typeof backfill>({ initialVersioningBehavior: 'AUTO_UPGRADE' })(next);
  }
  const ending = await CancellationScope.nonCancellable(() => end(run, isCancelled));
  if (run.refusal !== undefined)
    throw ApplicationFailure.nonRetryable(run.refusal, 'BACKFILL_FAILED', ending);
  return ending;
}

/** What cannot be planned or begun is told by the workflow's own failure. */
async function begin(start: BeginInput['start']): Promise<Beginning> {
  try {
    return await beginBackfill({ start, workflowId: workflowInfo().workflowId });
  } catch (error) {
    if (isCancellation(error)) throw error;
    throw ApplicationFailure.nonRetryable(reasonIn(error), 'BACKFILL_REFUSED');
  }
}

/** @returns whether somebody cancelled the workflow itself */
async function work(run: BackfillRun): Promise<boolean> {
  try {
    await run.scope.run(() => LOADERS[run.begun.request.input](run));
  } catch (error) {
    if (isCancellation(error) && run.scope.consideredCancelled) return run.state !== 'cancelling';
    // What is loaded as a whole fails as a whole; and nothing of it goes on beside the end.
    run.scope.cancel();
    const reason = reasonIn(error);
    run.giveUp(reason);
    await failChunks({ id: run.id, reason });
  }
  return false;
}

async function end(run: BackfillRun, isCancelled: boolean): Promise<BackfillEnding> {
  const { id, refusal } = run;
  if (isCancelled) await recordBackfill({ id, event: 'cancelAsked' });
  const ending = await endBackfill({ id, ...(refusal === undefined ? {} : { error: refusal }) });
  run.enter(ending.state, ending.chunks);
  return ending;
}

function parse(given: BackfillInputOfWorkflow) {
  const isPlanned = typeof given === 'object' && given !== null && 'plan' in given;
  if (isPlanned) {
    const { policy, carried, ...start } = parsed(backfillPlanInputSchema, given);
    return { start, policy, carried };
  }
  const start: BeginInput['start'] = { request: parsed(backfillRequestSchema, given) };
  return { start, policy: backfillPolicySchema.parse({}), carried: undefined };
}

type Schema<T> = {
  safeParse(given: unknown): {
    readonly data?: T;
    readonly error?: { readonly issues: readonly Issue[] } | undefined;
  };
};
interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function parsed<T>(schema: Schema<T>, given: unknown): T {
  const { data, error } = schema.safeParse(given);
  if (error === undefined) return data as T;
  const issues = error.issues.map(({ path, message }) => [...path.map(String), message].join(': '));
  throw ApplicationFailure.nonRetryable(`the input is not valid: ${issues.join('; ')}`, 'INVALID_INPUT');
}
