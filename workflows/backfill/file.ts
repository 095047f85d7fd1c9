/** The input file: it is published stretch by stretch, and each stretch is loaded while the next one is being published. */
import { isCancellation } from '@temporalio/workflow';
import { NO_RANGES, type OffsetRanges, unionOf } from '../../domain/backfill-offsets.ts';
import type { CarriedFile } from '../../schemas/backfill.ts';
import {
  awaitStreamOf,
  beginAllChunks,
  finishChunks,
  hoursOfBackfill,
  outgrownHours,
  planFileLoad,
  planSwallowed,
  priorityOf,
  sourceCallsOf,
} from './calls.ts';
import { load, recompute } from './load.ts';
import type { BackfillRun } from './run.ts';

const BEGINNING: CarriedFile = { at: { line: 0, published: 0, skipped: 0, malformed: 0 }, stream: [] };

/** A stretch and its load make some forty events. */
const STRETCHES_PER_RUN = 50;

export async function backfillFromFile(run: BackfillRun): Promise<void> {
  const { id, policy, begun } = run;
  await beginAllChunks({ id });
  const read = await publishAndLoad(run).catch(async (error: unknown) => {
    if (!isCancellation(error)) await recomputeLoaded(run);
    throw error;
  });
  if (read === 'more') return;
  if (read === 'all') {
    const { at: _, stream: offsets } = run.file ?? BEGINNING;
    const awaitStream = awaitStreamOf(priorityOf(run.purpose, id), policy.streamWaitMinutes);
    await awaitStream({ pipeline: begun.request.pipeline, offsets, minutes: policy.streamWaitMinutes });
    const swallowed = await planSwallowed({ id, offsets });
    await load(run, swallowed);
    await recompute(run, [...swallowed.hours, ...(await outgrownHours({ id }))]);
  }
  await recomputeLoaded(run);
  if (read === 'all') await finishChunks({ id });
}

/** Also of a file that is read no further: what was loaded stays. */
const recomputeLoaded = async (run: BackfillRun): Promise<void> =>
  recompute(run, await hoursOfBackfill({ id: run.id }));

/** @returns whether all of the file was read, `more` is for another run, or the backfill is coming to its end */
async function publishAndLoad(run: BackfillRun): Promise<'all' | 'more' | 'ended'> {
  const { publishFile } = sourceCallsOf(priorityOf(run.purpose, run.id));
  let { at, stream }: { at: CarriedFile['at']; stream: OffsetRanges } = run.file ?? BEGINNING;
  let loading = Promise.resolve();
  try {
    for (let stretches = 1; await run.mayBegin(); stretches += 1) {
      const stretch = await publishFile({ backfillId: run.id, from: at });
      await loading;
      at = stretch.at;
      stream = unionOf([stream, stretch.stream]);
      run.file = { at, stream: [...stream] };
      run.tell(
        `${at.line} lines: ${at.published} published, ${at.skipped} skipped, ${at.malformed} malformed`,
      );
      loading = loadStretch(run, stretch.batch);
      // What fails meanwhile is thrown where it is waited for; until then nobody would have heard of it.
      loading.catch(() => undefined);
      run.hasMore = !stretch.isEnd && (stretches >= STRETCHES_PER_RUN || run.isTimeToMoveOn(0));
      if (!stretch.isEnd && !run.hasMore) continue;
      await loading;
      return run.hasMore ? 'more' : 'all';
    }
    await loading;
    return 'ended';
  } finally {
    await Promise.allSettled([loading]);
  }
}

async function loadStretch(run: BackfillRun, offsets = NO_RANGES): Promise<void> {
  if (offsets.length > 0) await load(run, await planFileLoad({ id: run.id, offsets }));
}
