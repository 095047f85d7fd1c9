/** Decides to which chunk an observation belongs, among the windows of several; which windows those are is the plan's. */
import type { BackfillChunk, WindowPath } from './backfill-chunks.ts';
import { DAY_MS, dayNumberOf, HOUR_MS, type Hours } from './backfill-windows.ts';

export interface WantedChunk {
  readonly key: string;
  readonly path: WindowPath;
}

interface Row {
  readonly chunk: WantedChunk;
  readonly firstDay: number;
  readonly hours: readonly Hours[];
}

/**
 * The chunk whose windows hold an observation, undefined when none does. No window may be in two chunks.
 * It keeps what the chunks hold and no more: a year of 2,000 entities must fit in memory beside everything else.
 */
export function createWantedWindows(
  chunks: readonly Pick<BackfillChunk, 'key' | 'path' | 'windows'>[],
): (entityId: number, observedAt: Date) => WantedChunk | undefined {
  const rows = new Map<number, Row[]>();
  for (const { key, path, windows } of chunks) {
    const chunk = { key, path };
    const firstDay = dayNumberOf(windows.firstDay);
    for (const { id, hours } of windows.entities) {
      const row = { chunk, firstDay, hours };
      const known = rows.get(id);
      if (known === undefined) rows.set(id, [row]);
      else known.push(row);
    }
  }
  const last = new Map<number, Row>();
  return (entityId, observedAt) => {
    const ms = observedAt.getTime();
    const day = Math.floor(ms / DAY_MS);
    const hour = Math.floor((ms - day * DAY_MS) / HOUR_MS);
    const isIn = ({ firstDay, hours }: Row): boolean => (((hours[day - firstDay] ?? 0) >> hour) & 1) === 1;
    // Observations of one entity mostly come in the order of time.
    const before = last.get(entityId);
    if (before !== undefined && isIn(before)) return before.chunk;
    const found = rows.get(entityId)?.find(isIn);
    if (found !== undefined) last.set(entityId, found);
    return found?.chunk;
  };
}
