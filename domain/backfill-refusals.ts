/** Says no to a plan that cannot be run, in the words for whoever asked for it. The plan itself is made in `domain/backfill-plan.ts`. */
import {
  type BackfillFacts,
  type BackfillPlan,
  horizonStartMs,
  type Overlap,
  SKIP_REASONS,
  type SkipReason,
} from './backfill-plan.ts';
import { HOUR_MS } from './backfill-windows.ts';
import { HourglassError } from './errors.ts';

/** Thrown for a range that ends where it begins, or before. */
export class InvertedRangeError extends HourglassError {
  constructor(from: string, to: string) {
    super(
      'BACKFILL_RANGE_INVERTED',
      `The range from ${from} to ${to} holds no hour: the end does not belong to it and must lie after the beginning.`,
    );
  }
}

/** Thrown for a range of which no hour is over. A range that is partly over is planned as far as it is. */
export class FutureRangeError extends HourglassError {
  constructor(from: string, now: Date) {
    super(
      'BACKFILL_RANGE_IN_FUTURE',
      `No hour from ${from} on is over, it is ${now.toISOString()}: give an earlier beginning.`,
    );
  }
}

/** Thrown for ids that the registry does not hold. */
export class UnknownEntitiesError extends HourglassError {
  readonly entityIds: readonly number[];

  constructor(entityIds: readonly number[]) {
    const shown = entityIds.slice(0, 10).join(', ');
    const more = entityIds.length > 10 ? ` and ${entityIds.length - 10} more` : '';
    super(
      'BACKFILL_ENTITY_UNKNOWN',
      `The registry has no location with the id ${shown}${more}: correct the id, or register it first.`,
    );
    this.entityIds = entityIds;
  }
}

/** Thrown for a range that ends before what the input still holds. A range that is partly in reach is planned as far as it is. */
export class BeyondHorizonError extends HourglassError {
  constructor(to: string, input: string, horizon: Date) {
    super(
      'BACKFILL_BEYOND_HORIZON',
      `The input ${input} reaches back to ${horizon.toISOString()}, the range ends at ${to}: give a later range or another input.`,
    );
  }
}

/** Thrown when nothing is left to load. It does not mean that something went wrong: most often all is complete. */
export class EmptyBackfillError extends HourglassError {
  constructor(skipped: Readonly<Record<SkipReason, number>>) {
    const counted = SKIP_REASONS.filter((reason) => skipped[reason] > 0).map(
      (reason) => `${skipped[reason]} ${reason.replaceAll('_', ' ')}`,
    );
    const why = counted.length === 0 ? 'the registry holds no location' : counted.join(', ');
    super(
      'BACKFILL_EMPTY',
      `No window of the range is to be loaded: ${why}. Choose another range or other locations, or load complete hours anew (reprocess all).`,
    );
  }
}

/** Thrown when running backfills are to load some of the same windows. */
export class OverlappingBackfillError extends HourglassError {
  readonly overlaps: readonly Overlap[];

  constructor(overlaps: readonly Overlap[]) {
    const others = overlaps.map(({ id, windows }) => `${id} (${windows} windows)`).join(', ');
    super(
      'BACKFILL_OVERLAPS',
      `Some of the windows are being loaded already, by ${others}: wait until it has ended, cancel it, or choose another range.`,
    );
    this.overlaps = overlaps;
  }
}

/** @returns why the plan cannot be run, the most telling reason first; undefined when it can, or is to be attached to another */
export function refusalOf(plan: BackfillPlan, now: Date, facts: BackfillFacts): HourglassError | undefined {
  const { from, to, input } = plan.request;
  const horizonMs = horizonStartMs(input, now.getTime(), facts);
  if (Date.parse(from) >= Date.parse(to)) return new InvertedRangeError(from, to);
  if (Date.parse(from) + HOUR_MS > now.getTime()) return new FutureRangeError(from, now);
  if (plan.unknownEntities.length > 0) return new UnknownEntitiesError(plan.unknownEntities);
  if (plan.attachTo !== undefined) return undefined;
  if (Date.parse(to) - HOUR_MS < horizonMs) return new BeyondHorizonError(to, input, new Date(horizonMs));
  if (plan.chunks.length === 0) return new EmptyBackfillError(plan.skipped);
  return plan.overlaps.length > 0 ? new OverlappingBackfillError(plan.overlaps) : undefined;
}
