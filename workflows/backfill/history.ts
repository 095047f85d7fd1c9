/** The input history: chunks are fetched and published in a sliding window, and loaded by batch whenever enough of them are. */
import { condition, isCancellation } from '@temporalio/workflow';
import { chunkWorkflowId } from '../../domain/backfill-identities.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import type { BackfillChunkInput } from '../../schemas/backfill.ts';
import type { ChunkEnding } from '../backfill-chunk.ts';
import {
  childWhenFree,
  chunksToLoad,
  failChunks,
  finishChunks,
  isRefusalOfSource,
  nextChunks,
  planLoad,
  priorityOf,
  reasonIn,
} from './calls.ts';
import { load, recompute } from './load.ts';
import type { BackfillRun } from './run.ts';

type Chunk = Awaited<ReturnType<typeof nextChunks>>[number];

/** Outlines are small, and some more of them than are loaded at once spare a question each. */
const CHUNKS_ASKED_FOR = 50;
const MOST_CHUNKS_OF_A_LOAD = 100;

export async function backfillFromHistory(run: BackfillRun): Promise<void> {
  const drain = { isOver: false };
  await Promise.all([publishChunks(run).finally(() => (drain.isOver = true)), loadPublished(run, drain)]);
}

async function publishChunks(run: BackfillRun): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const { maxConcurrency } = run.begun.request;
  let waiting: readonly Chunk[] = [];
  let after = -1;
  const beginAll = async (): Promise<void> => {
    for (let begun = 0; await run.mayBegin(() => underWay.size < maxConcurrency); begun += 1) {
      if (waiting.length === 0)
        waiting = await nextChunks({ backfillId: run.id, after, limit: CHUNKS_ASKED_FOR });
      const [chunk, ...rest] = waiting;
      if (chunk === undefined) break;
      run.hasMore = begun > 0 && run.isTimeToMoveOn(begun);
      if (run.hasMore) break;
      waiting = rest;
      after = chunk.position;
      const work = publishChunk(run, chunk).finally(() => underWay.delete(work));
      // It is thrown where all are waited for, unless something else has been before.
      work.catch(() => undefined);
      underWay.add(work);
    }
  };
  // What is begun comes to its end, whatever befalls those that are still to be begun.
  await beginAll().finally(() => Promise.allSettled(underWay));
}

async function publishChunk(run: BackfillRun, { key, path }: Chunk): Promise<void> {
  run.moved('pending', 'fetching');
  const { pipeline, purpose } = run.begun.request;
  const { streamWaitMinutes } = run.policy;
  const { id: backfillId, jobs } = run;
  const input: BackfillChunkInput = { backfillId, key, path, pipeline, purpose, jobs, streamWaitMinutes };
  try {
    const ending = await childWhenFree<ChunkEnding>('backfillChunk', {
      workflowId: chunkWorkflowId(run.id, key),
      args: [input],
      staticSummary: `Chunk ${key}`,
      priority: priorityOf(purpose, run.id),
      typedSearchAttributes: [
        { key: searchAttributes.pipeline, value: pipeline },
        { key: searchAttributes.backfill, value: run.id },
      ],
    });
    run.moved('fetching', ending);
  } catch (error) {
    if (isCancellation(error) && run.scope.consideredCancelled) throw error;
    const reason = reasonIn(error);
    await failChunks({ id: run.id, keys: [key], reason });
    run.moved('fetching', 'failed');
    if (isRefusalOfSource(error)) run.giveUp(reason);
  }
}

/** Until nothing is published any more, and nothing is left. */
async function loadPublished(run: BackfillRun, drain: { readonly isOver: boolean }): Promise<void> {
  const { loadChunks, loadEverySeconds } = run.policy;
  for (;;) {
    await condition(() => run.toLoad > 0 || drain.isOver);
    await condition(() => run.toLoad >= loadChunks || drain.isOver, loadEverySeconds * 1_000);
    const isLast = drain.isOver;
    if ((await loadOnce(run)) === 0 && isLast) return;
  }
}

/** @returns how many chunks it was for */
async function loadOnce(run: BackfillRun): Promise<number> {
  const keys = await chunksToLoad({ id: run.id, most: MOST_CHUNKS_OF_A_LOAD });
  run.loading(keys.length);
  if (keys.length === 0) return 0;
  try {
    const planned = await planLoad({ id: run.id, keys });
    await load(run, planned);
    await recompute(run, planned.hours);
    const failed = await finishChunks({ id: run.id, keys });
    run.moved('published', 'failed', failed);
    run.moved('published', 'done', keys.length - failed);
  } catch (error) {
    if (isCancellation(error) && run.scope.consideredCancelled) throw error;
    await failChunks({ id: run.id, keys, reason: reasonIn(error) });
    run.moved('published', 'failed', keys.length);
  }
  return keys.length;
}
