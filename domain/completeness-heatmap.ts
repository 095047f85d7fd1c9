/**
 * Lays the verdicts of windows out as a map, locations × hours, in blocks that fit a width: one cell a window, older hours in earlier
 * blocks. How it is written and coloured is `cli/completeness/heatmap-text.ts`'s.
 */
import { DAY_MS, dayOf, HOUR_MS, HOURS_PER_DAY } from './backfill-windows.ts';
import type { CompletenessVerdict } from './completeness-verdicts.ts';

export interface HeatmapWindow {
  readonly entityId: number;
  readonly windowStart: Date;
  readonly verdict: CompletenessVerdict;
}

export interface HeatmapLocation {
  readonly entityId: number;
  readonly name: string;
}

/** Consecutive hours of one day; between two of them stands a space. */
export interface HeatmapStretch {
  /** `YYYY-MM-DD`, UTC. */
  readonly day: string;
  readonly firstHour: number;
  readonly hours: number;
}

/** Undefined for a window that was never judged, or that nobody expects. */
type Cell = CompletenessVerdict | undefined;

interface HeatmapRow extends HeatmapLocation {
  /** For each stretch of the block its cells, in the order of their hours. */
  readonly cells: readonly (readonly Cell[])[];
}

export interface HeatmapBlock {
  readonly stretches: readonly HeatmapStretch[];
  readonly rows: readonly HeatmapRow[];
}

export interface HeatmapQuestion {
  /** Whole hours; the end does not belong to it. */
  readonly from: Date;
  readonly to: Date;
  /** In the order in which they are shown. */
  readonly locations: readonly HeatmapLocation[];
  readonly windows: Iterable<HeatmapWindow>;
  /** So many characters a row of cells may have. */
  readonly columns: number;
}

/** Parts of a day that still begin at hours one would look for; the last one is taken however narrow it is. */
const STRETCHES = [HOURS_PER_DAY, 12, 6] as const;

export function heatmapBlocks({
  from,
  to,
  locations,
  windows,
  columns,
}: HeatmapQuestion): readonly HeatmapBlock[] {
  const verdicts = new Map<string, CompletenessVerdict>();
  for (const { entityId, windowStart, verdict } of windows)
    verdicts.set(`${entityId}/${windowStart.getTime()}`, verdict);
  const cellsOf = (entityId: number, { day, firstHour, hours }: HeatmapStretch): readonly Cell[] => {
    const first = Date.parse(`${day}T00:00:00Z`) + firstHour * HOUR_MS;
    return Array.from({ length: hours }, (_, hour) => verdicts.get(`${entityId}/${first + hour * HOUR_MS}`));
  };
  return packed(stretchesOf(from, to, columns), columns).map((stretches) => ({
    stretches,
    rows: locations.map(({ entityId, name }) => ({
      ...{ entityId, name },
      cells: stretches.map((stretch) => cellsOf(entityId, stretch)),
    })),
  }));
}

function stretchesOf(from: Date, to: Date, columns: number): readonly HeatmapStretch[] {
  const most = STRETCHES.find((hours) => hours <= columns) ?? Math.min(...STRETCHES);
  const stretches: HeatmapStretch[] = [];
  const stretchMs = most * HOUR_MS;
  // Days begin at multiples of a day, so parts of them at multiples of the part.
  for (let at = from.getTime(); at < to.getTime(); ) {
    const end = Math.min(to.getTime(), (Math.floor(at / stretchMs) + 1) * stretchMs);
    const firstHour = (at % DAY_MS) / HOUR_MS;
    stretches.push({ day: dayOf(Math.floor(at / DAY_MS)), firstHour, hours: (end - at) / HOUR_MS });
    at = end;
  }
  return stretches;
}

/** As many in a block as stand beside each other. */
function packed(
  stretches: readonly HeatmapStretch[],
  columns: number,
): readonly (readonly HeatmapStretch[])[] {
  const blocks: HeatmapStretch[][] = [];
  let used = 0;
  for (const stretch of stretches) {
    const block = blocks.at(-1);
    if (block !== undefined && used + 1 + stretch.hours <= columns) {
      block.push(stretch);
      used += 1 + stretch.hours;
    } else {
      blocks.push([stretch]);
      used = stretch.hours;
    }
  }
  return blocks;
}
