/** Asks a source for many locations, each call within the budget; what becomes of the answers is for the run's record. */
import { setTimeout as delay } from 'node:timers/promises';
import pMap from 'p-map';
import { BudgetExhaustedError, type CallBudget } from '../clients/call-budget.ts';
import { HourglassError } from '../domain/errors.ts';
import { callDelayMs, isDue, type PollCandidate, retryDelayMs } from '../domain/polling.ts';
import type { PipelineSource, PollAnswer, RegisteredLocation } from '../schemas/pipeline.ts';

export interface ShardLocation extends PollCandidate, RegisteredLocation {
  /** Times of the observations that were published last. */
  readonly recent: readonly Date[];
}

export interface PollOutcome {
  readonly location: ShardLocation;
  /** `skipped`: the run ended before it was called. */
  readonly answer: PollAnswer | { readonly kind: 'skipped'; readonly reason: string };
  readonly at: Date;
  readonly calls: number;
}

/** Thrown when none of several locations could be had: the trouble is the source's. The next run asks again. */
export class SourceAwayError extends HourglassError {
  constructor(called: number, reason: string) {
    super('SOURCE_AWAY', `None of the ${called} locations called last could be had; the last one: ${reason}`);
  }
}

export interface PollerOptions {
  readonly source: PipelineSource;
  readonly budget: CallBudget;
  readonly concurrency: number;
  readonly now: () => Date;
  /** The run's nominal time, from which the calls spread. */
  readonly scheduledAt: Date;
  readonly startedAt: Date;
  readonly spreadMs: number;
  /** After this time, in milliseconds of `performance.now()`, nobody is called any more. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** May throw, which ends the polling. */
  onOutcome(outcome: PollOutcome): void;
}

/** So many times the concurrency may fail in a row before the source is taken to be away. */
const AWAY_ROUNDS = 3;
/** Fewer that all fail say nothing of their source, unless there are no more: in a quiet minute only broken ones may be due. */
const LEAST_CALLED = 5;
const TIME_IS_UP = "The run's time was up before it was called.";

/**
 * Polls the due ones among the locations. Each of them has exactly one outcome, also those that are no longer called because
 * the source refuses everybody, is away, or no call is left.
 * @returns why it ended early: what the source threw, a SourceAwayError or a BudgetExhaustedError
 * @throws what the budget's store or `onOutcome` threw, and the signal's reason: some locations have no outcome then
 */
export async function pollLocations(
  locations: readonly ShardLocation[],
  options: PollerOptions,
): Promise<HourglassError | undefined> {
  const { concurrency, deadlineMs, onOutcome, now, signal } = options;
  const row = failureRow(locations.length, AWAY_ROUNDS * concurrency);
  let refusal: HourglassError | undefined;
  await pMap(
    inTurn(locations, options),
    async ({ location, delayMs }) => {
      const skip = (reason: string): void =>
        onOutcome({ location, answer: { kind: 'skipped', reason }, at: now(), calls: 0 });
      refusal ??= row.away();
      if (refusal !== undefined) return skip(refusal.message);
      await untilTurn(options, delayMs);
      if (performance.now() > deadlineMs) return skip(TIME_IS_UP);
      const { ends, ...outcome } = await pollOne(location, options);
      refusal ??= ends;
      if (ends === undefined) row.add(outcome);
      onOutcome(outcome);
    },
    { concurrency, signal },
  );
  return refusal ?? row.awayAtTheEnd();
}

function inTurn(
  locations: readonly ShardLocation[],
  { startedAt, scheduledAt, spreadMs }: PollerOptions,
): { location: ShardLocation; delayMs: number }[] {
  return locations
    .filter((location) => isDue(location, startedAt))
    .map((location) => ({ location, delayMs: callDelayMs(location, scheduledAt, spreadMs) }))
    .sort((a, b) => a.delayMs - b.delayMs);
}

async function untilTurn({ startedAt, now, signal }: PollerOptions, delayMs: number): Promise<void> {
  const waitMs = startedAt.getTime() + delayMs - now().getTime();
  if (waitMs > 0) await delay(waitMs, undefined, { signal });
}

/** `ends`: nobody is called any more, and why. */
type Polled = PollOutcome & { readonly ends?: HourglassError };

/** Calls for one location until it is answered, or trying again within the run is of no use. */
async function pollOne(location: ShardLocation, options: PollerOptions): Promise<Polled> {
  const { source, budget, now, signal, deadlineMs } = options;
  let answer: PollAnswer | undefined;
  for (let calls = 1; ; calls += 1) {
    try {
      await budget.take('live', { signal, deadlineMs });
    } catch (ends) {
      if (!(ends instanceof BudgetExhaustedError)) throw ends;
      // Once it was called it was not skipped: what it said last counts.
      const last = answer ?? ({ kind: 'skipped', reason: ends.message } as const);
      return { location, answer: last, at: now(), calls: calls - 1, ends };
    }
    try {
      answer = await source.poll(location, signal);
    } catch (ends) {
      if (!(ends instanceof HourglassError)) throw ends;
      // Whatever it is, it is not this location's: it stays due.
      answer = { kind: 'failed', reason: ends.message, retryable: true };
      return { location, answer, at: now(), calls, ends };
    }
    if (answer.kind === 'limited') await budget.refused(answer.retryAfterMs);
    else if (answer.kind !== 'failed') await budget.answered();
    const retryMs = retryDelayMs(answer, calls);
    if (retryMs === undefined || performance.now() + retryMs > deadlineMs)
      return { location, answer, at: now(), calls };
    await delay(retryMs, undefined, { signal });
  }
}

/** Counts the locations that failed in a row, to tell a source that is away from locations that have a trouble of their own. */
function failureRow(locations: number, mostFailures: number) {
  let called = 0;
  let observed = 0;
  let failures = 0;
  let reason = '';
  const away = (isAway: boolean): SourceAwayError | undefined =>
    isAway ? new SourceAwayError(called, reason) : undefined;
  return {
    add({ answer }: PollOutcome): void {
      called += 1;
      if (answer.kind === 'observation') observed += 1;
      else ({ reason } = answer);
      const isFailure = answer.kind === 'limited' || (answer.kind === 'failed' && answer.retryable);
      failures = isFailure ? failures + 1 : 0;
    },
    away: () => away(failures >= mostFailures),
    // Whatever it answers to each of many, also that it knows none of them, is about the source.
    awayAtTheEnd: () => away(observed === 0 && called > 0 && called >= Math.min(LEAST_CALLED, locations)),
  };
}
