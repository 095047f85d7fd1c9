/** The input file: it is published stretch by stretch, and each stretch is loaded while the next one is being published. */
import { NO_RANGES, type OffsetRanges, unionOf } from '../../domain/backfill-offsets.ts';
import type { CarriedFile } from '../../schemas/backfill.ts';
import {
  awaitStreamOf,
  beginAllChunks,
  finishChunks,
  hoursOfBackfill,
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
  const priority = priorityOf(run.purpose, id);
  const { publishFile } = sourceCallsOf(priority);
  await beginAllChunks({ id });
  let { at, stream }: { at: CarriedFile['at']; stream: OffsetRanges } = run.file ?? BEGINNING;
  let loading = Promise.resolve();
  for (let stretches = 1; ; stretches += 1) {
    if (!(await run.mayBegin())) return loading;
    const stretch = await publishFile({ backfillId: id, from: at });
    await loading;
    at = stretch.at;
    stream = unionOf([stream, stretch.stream]);
    run.tell(`${at.line} lines: ${at.published} published, ${at.skipped} skipped, ${at.malformed} malformed`);
    loading = loadStretch(run, stretch.batch);
    if (stretch.isEnd) break;
    if (stretches < STRETCHES_PER_RUN && !run.isTimeToMoveOn(0)) continue;
    await loading;
    run.file = { at, stream: [...stream] };
    run.hasMore = true;
    return;
  }
  await loading;
  await awaitStreamOf(
    priority,
    policy.streamWaitMinutes,
  )({
    pipeline: begun.request.pipeline,
    offsets: stream,
    minutes: policy.streamWaitMinutes,
  });
  await load(run, await planSwallowed({ id, offsets: stream }));
  await recompute(run, await hoursOfBackfill({ id }));
  await finishChunks({ id });
}

async function loadStretch(run: BackfillRun, offsets = NO_RANGES): Promise<void> {
  if (offsets.length > 0) await load(run, await planFileLoad({ id: run.id, offsets }));
}
