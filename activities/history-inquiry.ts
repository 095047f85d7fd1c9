/**
 * Asks a source for the past of several locations, each call within the budget, and waits for a source that is away; what becomes of the
 * answers is the caller's.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import pMap from 'p-map';
import type { CallBudget } from '../clients/call-budget.ts';
import type { CallPurpose } from '../domain/call-budget.ts';
import { HourglassError } from '../domain/errors.ts';
import { retryDelayMs } from '../domain/polling.ts';
import type {
  HistoryAnswer,
  HistoryRecord,
  PipelineHistory,
  RegisteredLocation,
} from '../schemas/pipeline.ts';

export interface InstantRange {
  readonly from: Date;
  readonly to: Date;
}

export interface PastQuestion {
  readonly location: RegisteredLocation;
  readonly ranges: readonly InstantRange[];
}

/** What was had of one location. */
export interface Past {
  readonly location: RegisteredLocation;
  /** Also of one that failed: what was answered before it did, or besides. */
  readonly records: readonly HistoryRecord[];
  /** Answers that are no history. */
  readonly refused: readonly { readonly reason: string; readonly body: string }[];
  /** Why there is not all of it. */
  readonly failure: string | undefined;
}

export interface InquiryOptions {
  readonly history: PipelineHistory;
  readonly budget: CallBudget;
  readonly purpose: CallPurpose;
  /** So many locations are asked for at once, at most. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** Thrown when locations could not be had for minutes, and no other was answered meanwhile: the source is away. It is asked again later. */
export class HistoryAwayError extends HourglassError {
  constructor(asked: number, reason: string) {
    super('HISTORY_AWAY', `The source answers for none of ${asked} locations; of the last one: ${reason}`, {
      retryable: true,
    });
  }
}

/** Thrown when the source refuses everybody, and will go on to do so: its own error is the cause. */
export class SourceRefusesError extends HourglassError {
  constructor(cause: HourglassError) {
    super('SOURCE_REFUSES', cause.message, { cause });
  }
}

/** How long to wait before those that failed are asked again, when it seems to be their own trouble … */
const OWN_PAUSES_MS = [2_000, 5_000, 15_000] as const;
/** … and when it seems to be the source's. */
const AWAY_PAUSES_MS = [2_000, 5_000, 10_000, 20_000, 40_000, 60_000, 60_000] as const;
/** Fewer that fail most often have a trouble of their own: they are not waited for as long. */
const LEAST_AWAY = 5;

/** How far one location is; it goes on where it was when it is asked again. */
interface Inquiry {
  readonly location: RegisteredLocation;
  readonly ranges: readonly InstantRange[];
  readonly records: HistoryRecord[];
  readonly refused: { readonly reason: string; readonly body: string }[];
  left: readonly InstantRange[];
  /** The source has said something of it, if only that it has nothing. */
  isAnswered: boolean;
  failure: string | undefined;
  /** Why it was not answered the last time; it may be soon. */
  trouble: Trouble | undefined;
}

interface Trouble {
  readonly reason: string;
  /** Thrown by the source, as it concerns every location. */
  readonly error?: HourglassError;
}

interface Round {
  /** Locations that could not be had since one was answered. */
  failuresInARow: number;
  trouble: Trouble | undefined;
}

/**
 * Each question has its answer, in the order of the questions; a location that cannot be had has its reason.
 * @param witness one that was answered before, when there is one
 * @throws HistoryAwayError, SourceRefusesError, what the budget's store throws, the signal's reason
 */
export async function fetchPasts(
  questions: readonly PastQuestion[],
  options: InquiryOptions,
  witness?: PastQuestion,
): Promise<readonly Past[]> {
  const inquiries = questions.map(
    ({ location, ranges }): Inquiry => ({
      ...{ location, ranges, left: ranges, records: [], refused: [] },
      ...{ isAnswered: false, failure: undefined, trouble: undefined },
    }),
  );
  for (let round = 0; ; round += 1) {
    const waiting = inquiries.filter(({ left }) => left.length > 0);
    if (waiting.length === 0) break;
    await askAll(waiting, options);
    const failed = waiting.filter(({ left }) => left.length > 0);
    if (failed.length === 0) break;
    const other = inquiries.find(({ isAnswered }) => isAnswered) ?? witness;
    const mayBeAway = failed.length >= LEAST_AWAY || other === undefined;
    const pauseMs = (mayBeAway ? AWAY_PAUSES_MS : OWN_PAUSES_MS)[round];
    if (pauseMs !== undefined) await pause(pauseMs, options.signal);
    else if (await isAway(other, options)) throw awayError(failed);
    else giveUp(failed);
  }
  return inquiries.map(({ location, records, refused, failure }) => ({
    ...{ location, records, refused, failure },
  }));
}

/** One that was answered before is asked once more: if it is now as well, the trouble of the others is their own. */
async function isAway(witness: PastQuestion | undefined, options: InquiryOptions): Promise<boolean> {
  const [range] = witness?.ranges ?? [];
  if (witness === undefined || range === undefined) return true;
  return 'trouble' in (await askUntilAnswered(witness.location, range, options));
}

function awayError(failed: readonly Inquiry[]): HourglassError {
  const error = failed.find(({ trouble }) => trouble?.error !== undefined)?.trouble?.error;
  return error ?? new HistoryAwayError(failed.length, failed.at(-1)?.trouble?.reason ?? '');
}

function giveUp(failed: readonly Inquiry[]): void {
  for (const inquiry of failed) {
    inquiry.failure ??= inquiry.trouble?.reason ?? 'it was not answered';
    inquiry.left = [];
  }
}

async function askAll(waiting: readonly Inquiry[], options: InquiryOptions): Promise<void> {
  const round: Round = { failuresInARow: 0, trouble: undefined };
  // When one finds that everybody is refused, the others need not go on.
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  // Each call under way and each wait for a turn listens to it.
  setMaxListeners(0, signal);
  const concurrency = Math.max(1, options.concurrency);
  try {
    await pMap(
      waiting,
      async (inquiry) => {
        // Of a source that is away no more is learnt by asking for the rest of them.
        if (round.failuresInARow >= LEAST_AWAY + concurrency) inquiry.trouble = round.trouble;
        else await askForOne(inquiry, round, { ...options, signal });
      },
      { concurrency, signal },
    );
  } finally {
    ended.abort();
    options.signal.throwIfAborted();
  }
}

async function askForOne(inquiry: Inquiry, round: Round, options: InquiryOptions): Promise<void> {
  inquiry.trouble = undefined;
  for (let [range, ...left] = inquiry.left; range !== undefined; [range, ...left] = inquiry.left) {
    const answer = await askUntilAnswered(inquiry.location, range, options);
    if ('trouble' in answer) {
      const { trouble } = answer;
      inquiry.trouble = trouble;
      Object.assign(round, { trouble, failuresInARow: round.failuresInARow + 1 });
      return;
    }
    inquiry.left = answer.kind === 'failed' ? [] : left;
    if (answer.kind === 'records') inquiry.records.push(...answer.records);
    else inquiry.failure ??= answer.reason;
    if (answer.kind === 'rejected') inquiry.refused.push({ reason: answer.reason, body: answer.body });
    inquiry.isAnswered = true;
    round.failuresInARow = 0;
  }
}

type Answered = Exclude<HistoryAnswer, { readonly kind: 'limited' }>;

/** Asks again until trying again soon is of no use. A limit is waited for in the budget, however long that takes. */
async function askUntilAnswered(
  location: RegisteredLocation,
  { from, to }: InstantRange,
  { history, budget, purpose, signal }: InquiryOptions,
): Promise<Answered | { readonly trouble: Trouble }> {
  for (let attempt = 1; ; ) {
    const takeCall = (): Promise<void> => budget.take(purpose, { signal });
    await Promise.all(Array.from({ length: history.callsPerSpan }, takeCall));
    const { answer, error } = await askOnce(
      () => history.fetch(location, from, to, { signal, takeCall }),
      signal,
    );
    if (answer.kind === 'limited') {
      await budget.refused(answer.retryAfterMs);
      continue;
    }
    if (answer.kind !== 'failed') {
      await budget.answered();
      return answer;
    }
    if (!answer.retryable) return answer;
    const retryMs = retryDelayMs(answer, attempt);
    const { reason } = answer;
    if (retryMs === undefined) return { trouble: { reason, ...(error === undefined ? {} : { error }) } };
    attempt += 1;
    await pause(retryMs, signal);
  }
}

/** What the source throws may be over soon as well. @throws it when it will not be, and the signal's reason */
async function askOnce(
  ask: () => Promise<HistoryAnswer>,
  signal: AbortSignal,
): Promise<{ readonly answer: HistoryAnswer; readonly error?: HourglassError }> {
  try {
    return { answer: await ask() };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof HourglassError)) throw error;
    if (!error.retryable) throw new SourceRefusesError(error);
    return { answer: { kind: 'failed', reason: error.message, retryable: true }, error };
  }
}

/** @throws the signal's reason, which is the cancellation; the timer's own error is not */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
