/** How a plan is shown: as text for a person, and as data. */
import { existsSync } from 'node:fs';
import { type JudgedDay, SKIP_REASONS, type SkipReason, skipReasons } from '../../domain/backfill-plan.ts';
import { listHours } from '../../domain/backfill-windows.ts';
import { backfillInputs, backfillOrders, reprocessModes } from '../../schemas/backfill.ts';
import { renderFacts, stretch } from '../job/format.ts';
import { locationText, type NamedLocation } from '../named-locations.ts';
import type { Planned } from './planning.ts';

export const shown = (count: number): string => count.toLocaleString('en-US');

/** `1 window`, `1,234 windows`. */
export const counted = (count: number, noun: string): string =>
  `${shown(count)} ${noun}${count === 1 ? '' : 's'}`;

export function planText({ plan, facts, locations }: Planned): string {
  const { request, created, skipped, chunks, calls, seconds, overlaps } = plan;
  const all = created.stream + created.batch;
  const skippedAll = SKIP_REASONS.reduce((sum, reason) => sum + skipped[reason], 0);
  return [
    `Plan ${plan.id}`,
    '',
    renderFacts([
      ['Range', `${request.from} to ${request.to}`],
      ['Locations', locationsText(locations)],
      ['Input', inputText(plan)],
      ['Load', `${request.reprocess}: ${reprocessModes[request.reprocess]}`],
      ['Reason', request.reason === '' ? undefined : request.reason],
      [
        'To load',
        `${counted(all, 'window')}: ${shown(created.stream)} via the stream, ${shown(created.batch)} by batch`,
      ],
      [
        'Chunks',
        `${shown(chunks.length)}, ${request.maxConcurrency} at a time, ${backfillOrders[request.order]}`,
      ],
      [
        'API calls',
        calls === 0
          ? 'none'
          : `${shown(calls)} at most, ${stretch(Math.ceil(seconds) * 1_000)} at ${shown(facts.callsPerMinute)} a minute`,
      ],
      ['To skip', counted(skippedAll, 'window')],
    ]),
    ...skippedLines(skipped),
    ...overlaps.map(
      ({ id, windows }) => `Conflict: ${id} is to load ${counted(windows, 'window')} of these.`,
    ),
  ].join('\n');
}

const MOST_NAMED = 10;

export function locationsText(locations: readonly NamedLocation[] | undefined): string {
  if (locations === undefined) return 'all of the registry';
  const more = locations.length > MOST_NAMED ? ` and ${locations.length - MOST_NAMED} more` : '';
  return `${locations.slice(0, MOST_NAMED).map(locationText).join('; ')}${more}`;
}

export function inputText({ request: { input, file, units } }: Pick<Planned['plan'], 'request'>): string {
  if (file === undefined) return `${input}: ${backfillInputs[input]}`;
  const unread = existsSync(file) ? '' : '; it is not on this machine: a worker must be able to read it';
  return `${input}: ${file}, ${units ?? 'metric'} units${unread}`;
}

function skippedLines(skipped: Readonly<Record<SkipReason, number>>): readonly string[] {
  const counts = SKIP_REASONS.filter((reason) => skipped[reason] > 0).map(
    (reason) => [reason, shown(skipped[reason])] as const,
  );
  const width = Math.max(0, ...counts.map(([, count]) => count.length));
  const names = Math.max(0, ...counts.map(([reason]) => reason.length));
  return counts.map(
    ([reason, count]) =>
      `  ${count.padStart(width)}  ${reason.padEnd(names)}  ${skipReasons[reason].description}`,
  );
}

/** What `--json` prints of a plan. */
export function planDocument({ plan, refusal }: Planned) {
  const { id, request, repeat, created, skipped, chunks, calls, seconds, attachTo, overlaps } = plan;
  return {
    id,
    request,
    repeat,
    windows: { create: created, skip: skipped },
    chunks: chunks.length,
    calls,
    seconds,
    attachTo: attachTo ?? null,
    conflicts: overlaps,
    refusal: refusal === undefined ? null : { code: refusal.code, message: refusal.message },
  };
}

/** Each location and day with its hours: `2026-01-31 3143244  by batch 00–05, 07; complete 06`. */
export function dayLine({ day, entityId, create, skip }: JudgedDay): string {
  const parts = [
    ['via the stream', create.stream] as const,
    ['by batch', create.batch] as const,
    ...SKIP_REASONS.map((reason) => [reason, skip[reason]] as const),
  ].filter(([, hours]) => hours !== 0);
  return `${day} ${entityId}  ${parts.map(([what, hours]) => `${what} ${hoursText(listHours(hours))}`).join('; ')}`;
}

export function dayDocument({ day, entityId, create, skip }: JudgedDay) {
  const reasons = SKIP_REASONS.filter((reason) => skip[reason] !== 0);
  return {
    ...{ day, entityId },
    create: { stream: listHours(create.stream), batch: listHours(create.batch) },
    skip: Object.fromEntries(reasons.map((reason) => [reason, listHours(skip[reason])])),
  };
}

/** `00–05, 07`. */
function hoursText(hours: readonly number[]): string {
  const text = (hour: number): string => String(hour).padStart(2, '0');
  const runs: [number, number][] = [];
  for (const hour of hours) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === hour - 1) last[1] = hour;
    else runs.push([hour, hour]);
  }
  return runs
    .map(([first, last]) => (first === last ? text(first) : `${text(first)}–${text(last)}`))
    .join(', ');
}
