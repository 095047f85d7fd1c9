/** Runs a backfill from a file as the command line does, and tells what it took. What it has stored is checked by `totals.ts`. */
import { startBackfill } from '../../clients/backfill-control.ts';
import { backfillOf } from '../../clients/backfill-ledger.ts';
import { backfillId } from '../../domain/backfill-identities.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { backfillRequestSchema } from '../../schemas/backfill.ts';
import { type StepTime, stepTimes } from './backfill-steps.ts';
import { ContestantFailedError } from './errors.ts';
import type { RecordFile } from './record-file.ts';
import { FIRST_ID } from './records.ts';
import { checkTotals } from './totals.ts';
import type { WholeStack } from './whole-stack.ts';

export interface MeasuredBackfill {
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** From the request to the last hour, planning included. */
  readonly seconds: number;
  readonly windows: number;
  readonly chunks: number;
  readonly steps: readonly StepTime[];
}

/** @throws ContestantFailedError when it does not complete, WrongResultError, and what its workflow failed with */
export async function measureBackfill(stack: WholeStack, file: RecordFile): Promise<MeasuredBackfill> {
  const { temporal, database } = stack;
  const { path, from, to, totals } = file;
  const request = backfillRequestSchema.parse({
    ...{ pipeline: weather.name, from, to, input: 'file', file: path, reason: 'bench' },
  });
  const id = backfillId(request, 1);
  const startedAt = new Date();
  await (await startBackfill(temporal, { id, request, input: request })).ended();
  const endedAt = new Date();
  const record = await backfillOf(database, id);
  const { published, skipped, malformed } = record.file ?? {};
  if (record.status !== 'completed' || published !== totals.observations)
    throw new ContestantFailedError(
      `the backfill ${id}`,
      `it is ${record.status}: ${published} records published, ${skipped} skipped, ${malformed} malformed`,
    );
  await checkTotals(stack, { firstId: FIRST_ID, from, to }, `what the backfill ${id} has stored`, totals);
  const history = await temporal.workflow.getHandle(record.workflowId).fetchHistory();
  return {
    ...{ startedAt, endedAt, seconds: (endedAt.getTime() - startedAt.getTime()) / 1_000 },
    ...{ windows: record.windows, chunks: record.chunks, steps: stepTimes(history) },
  };
}
