/** What a backfill of a pipeline is planned with: who owns an hour, how far back each input reaches, and which calls it may make. */

import type { BackfillFacts } from '../domain/backfill-plan.ts';
import { HOUR_MS } from '../domain/backfill-windows.ts';
import type { LeaseTerms } from '../domain/call-budget.ts';
import type { PipelineDefinition, PipelineHistory } from '../schemas/pipeline.ts';

/**
 * An hour is the stream's until so long after its end. The stream keeps an hour for 48 h after its last change: half a day is left
 * for what is published just before the hour passes to the workflows.
 */
const STREAM_OWNS_MS = 36 * HOUR_MS;

/** Inputs that are read without calls are cut as if by weeks. */
const HOURS_PER_SPAN_WITHOUT_CALLS = 7 * 24;

/** @param history undefined for a source that knows the present alone: there is nothing within its reach */
export function backfillFacts(
  { topics }: Pick<PipelineDefinition, 'topics'>,
  history: Pick<PipelineHistory, 'longestSpanMs' | 'horizonMs' | 'callsPerSpan'> | undefined,
  terms: LeaseTerms,
): BackfillFacts {
  return {
    streamOwnsMs: STREAM_OWNS_MS,
    horizonMs: {
      history: history === undefined ? 0 : (history.horizonMs ?? null),
      kafka: topics.live.retentionMs,
      file: null,
    },
    hoursPerSpan:
      history === undefined ? HOURS_PER_SPAN_WITHOUT_CALLS : Math.floor(history.longestSpanMs / HOUR_MS),
    callsPerSpan: history?.callsPerSpan ?? 0,
    callsPerMinute: callsPerMinute(terms),
  };
}

/** What the budget lets backfills have, as `domain/call-budget.ts` counts it: whole calls, and at least one. */
function callsPerMinute({ limits, shares }: LeaseTerms): number {
  const part = Math.min(shares.others, shares.backfill);
  return Math.max(1, Math.floor(limits.callsPerMinute * part));
}
