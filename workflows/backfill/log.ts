/** The input kafka: what the live topic still holds is loaded by batch, all of it at once. */
import { beginAllChunks, finishChunks, planLogLoad } from './calls.ts';
import { load, recompute } from './load.ts';
import type { BackfillRun } from './run.ts';

export async function backfillFromLog(run: BackfillRun): Promise<void> {
  const { id } = run;
  if (!(await run.mayBegin())) return;
  await beginAllChunks({ id });
  const planned = await planLogLoad({ id });
  await load(run, planned);
  await recompute(run, planned.hours);
  await finishChunks({ id });
}
