/** Writes the map of windows for a terminal: a character a window, hours as heads, and a legend with counts. Colour only adds to it. */
import pc from 'picocolors';
import type { HeatmapBlock, HeatmapLocation, HeatmapStretch } from '../../domain/completeness-heatmap.ts';
import {
  COMPLETENESS_VERDICTS,
  type CompletenessVerdict,
  completenessVerdicts,
} from '../../domain/completeness-verdicts.ts';
import { shown } from '../backfill/plan-text.ts';

/** Colours a text by the verdict it stands for. */
export type Paint = (text: string, verdict: CompletenessVerdict) => string;

/** None without a terminal, and with NO_COLOR. Blue, yellow and inverse are told apart by eyes that do not see red and green. */
export const paint: Paint = (text, verdict) => {
  const { isGood, needsRepair } = completenessVerdicts[verdict];
  if (verdict === 'open') return pc.dim(text);
  if (isGood) return pc.blue(text);
  if (needsRepair) return pc.bold(pc.yellow(text));
  return verdict === 'unrepairable' ? pc.inverse(pc.bold(text)) : pc.cyan(text);
};

const MOST_NAME = 24;
const GAP = '  ';

/** So many characters the names take, with the gap behind them. */
export function nameWidth(locations: readonly HeatmapLocation[]): number {
  return Math.min(MOST_NAME, Math.max(0, ...locations.map(({ name }) => name.length))) + GAP.length;
}

export function blockLines(block: HeatmapBlock, painted: Paint): readonly string[] {
  const { stretches, rows } = block;
  const width = nameWidth(rows);
  const head = (write: (stretch: HeatmapStretch) => string): string =>
    `${' '.repeat(width)}${stretches.map(write).join(' ')}`.trimEnd();
  return [
    head((stretch) => dayText(stretch).padEnd(stretch.hours)),
    head((stretch) => digits(stretch, 0)),
    head((stretch) => digits(stretch, 1)),
    ...rows.map(({ name, cells }) =>
      `${cut(name).padEnd(width)}${cells.map((some) => cellsText(some, painted)).join(' ')}`.trimEnd(),
    ),
  ];
}

/** As much of the date as stands above its hours. */
function dayText({ day, hours }: HeatmapStretch): string {
  return [day, day.slice(5), day.slice(8)].find(({ length }) => length <= hours) ?? '';
}

/** The hours' first or second digits, one above the other. */
const digits = ({ firstHour, hours }: HeatmapStretch, place: 0 | 1): string =>
  Array.from({ length: hours }, (_, hour) => String(firstHour + hour).padStart(2, '0')[place]).join('');

const cut = (name: string): string => (name.length > MOST_NAME ? `${name.slice(0, MOST_NAME - 1)}…` : name);

/** Neighbours of one verdict are coloured together. */
function cellsText(cells: readonly (CompletenessVerdict | undefined)[], painted: Paint): string {
  const runs: { verdict: CompletenessVerdict | undefined; length: number }[] = [];
  for (const verdict of cells) {
    const last = runs.at(-1);
    if (last !== undefined && last.verdict === verdict) last.length += 1;
    else runs.push({ verdict, length: 1 });
  }
  return runs
    .map(({ verdict, length }) =>
      verdict === undefined
        ? ' '.repeat(length)
        : painted(completenessVerdicts[verdict].symbol.repeat(length), verdict),
    )
    .join('');
}

/** A line for each verdict that there is, with its count and what it means. */
export function legendLines(
  counts: Readonly<Partial<Record<CompletenessVerdict, number>>>,
  painted: Paint,
): readonly string[] {
  const lines = COMPLETENESS_VERDICTS.flatMap((verdict) => {
    const count = counts[verdict] ?? 0;
    return count === 0 ? [] : [{ verdict, count: shown(count) }];
  });
  const width = Math.max(0, ...lines.map(({ count }) => count.length));
  const names = Math.max(0, ...lines.map(({ verdict }) => verdict.length));
  return lines.map(({ verdict, count }) => {
    const { symbol, description } = completenessVerdicts[verdict];
    return `${painted(symbol, verdict)} ${verdict.padEnd(names)}  ${count.padStart(width)}  ${description}`;
  });
}
