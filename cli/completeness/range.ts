/** Makes the range of a command from `--from` and `--to`: what is left out is filled in, and what cannot be is refused. */
import { DAY_MS, HOUR_MS } from '../../domain/backfill-windows.ts';
import { UsageError } from '../usage-error.ts';

export interface RangeOptions {
  readonly from?: Date;
  readonly to?: Date;
}

/** Whole hours; the end does not belong to it. */
export interface HourRange {
  readonly from: Date;
  readonly to: Date;
}

/** Thrown for a range that holds no hour. Nothing was asked or started. */
export class EmptyRangeError extends UsageError {
  constructor({ from, to }: HourRange) {
    super(
      'EMPTY_RANGE',
      `From ${from.toISOString()} to ${to.toISOString()} there is no hour: --from must lie before --to, whose hour does not belong to it.`,
    );
  }
}

/** Up to the hour that runs, and from a day before the end, unless told. @throws EmptyRangeError */
export function rangeOf({ from, to }: RangeOptions, now: Date): HourRange {
  const end = to ?? new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS);
  const range = { from: from ?? new Date(end.getTime() - DAY_MS), to: end };
  if (range.from.getTime() >= range.to.getTime()) throw new EmptyRangeError(range);
  return range;
}

/** `2026-01-31T17:00Z`. */
export const hourText = (at: Date): string => `${at.toISOString().slice(0, 16)}Z`;

/** `2026-01-30T17:00Z to 2026-01-31T17:00Z`. */
export const rangeText = ({ from, to }: HourRange): string => `${hourText(from)} to ${hourText(to)}`;
