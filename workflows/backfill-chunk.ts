/**
 * One chunk of a backfill: fetches its records and publishes them. Of hours that the stream owns it waits until the stream has read
 * them; those of older hours are loaded by its parent, together with others.
 */
import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import { type BackfillChunkInput, backfillChunkInputSchema } from '../schemas/backfill.ts';
import {
  awaitStreamOf,
  finishChunks,
  isRefusalOfSource,
  outgrownHours,
  planSwallowed,
  priorityOf,
  reasonIn,
  SOURCE_REFUSES,
  sourceCallsOf,
} from './backfill/calls.ts';
import { load, recompute } from './backfill/load.ts';

/** `failed`: some of its locations could not be had, and are named in the ledger. */
export type ChunkEnding = 'published' | 'done' | 'failed';

export async function backfillChunk(given: BackfillChunkInput): Promise<ChunkEnding> {
  const { backfillId, key, path, pipeline, purpose, jobs, streamWaitMinutes } =
    backfillChunkInputSchema.parse(given);
  const priority = priorityOf(purpose, backfillId);
  setCurrentDetails('Its records are being fetched and published.');
  const { offsets, records, failures } = await fetchChunk({ backfillId, key, priority });
  setCurrentDetails(`${records} records are published, ${failures} locations could not be had.`);
  if (path === 'batch') return 'published';

  const awaitStream = awaitStreamOf(priority, streamWaitMinutes);
  await awaitStream({ pipeline, offsets, minutes: streamWaitMinutes });
  const run = { id: backfillId, purpose, jobs };
  const swallowed = await planSwallowed({ id: backfillId, offsets, key });
  await load(run, swallowed);
  await recompute(run, [...swallowed.hours, ...(await outgrownHours({ id: backfillId, key }))]);
  await finishChunks({ id: backfillId, keys: [key] });
  return failures > 0 ? 'failed' : 'done';
}

async function fetchChunk({ priority, ...chunk }: ChunkCall) {
  try {
    return await sourceCallsOf(priority).fetchChunk.executeWithOptions(
      { summary: 'Fetch from the source, publish' },
      [chunk],
    );
  } catch (error) {
    if (isRefusalOfSource(error)) throw ApplicationFailure.nonRetryable(reasonIn(error), SOURCE_REFUSES);
    throw error;
  }
}

interface ChunkCall {
  readonly backfillId: string;
  readonly key: string;
  readonly priority: ReturnType<typeof priorityOf>;
}
