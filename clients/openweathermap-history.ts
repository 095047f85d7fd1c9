/** Owns the question for the history of a city, and who is to blame when it is refused. */
import { type CityHistory, parseCityHistory } from '../schemas/openweathermap.ts';
import type { Caller, Question } from './openweathermap-call.ts';
import { type CallSubject, UnauthorizedError } from './openweathermap-errors.ts';

/** The API answers a longer range with its first week, and does not say so. */
export const longestHistoryMs = 7 * 24 * 3_600_000;

export interface CityHistoryAnswer {
  /** The text exactly as received. */
  readonly body: string;
  readonly history: CityHistory;
}

export interface HistoryRange {
  readonly cityId: number;
  readonly from: Date;
  /** Inclusive. */
  readonly to: Date;
}

/**
 * @param askElsewhere another call of the same key, made only when the history is refused
 * @throws what `OpenWeatherMapClient.history` says
 */
export async function askHistory(
  caller: Caller,
  range: HistoryRange,
  askElsewhere: () => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<CityHistoryAnswer> {
  const { cityId } = range;
  const question = historyQuestion(range);
  const { body, value: history } = await caller.ask(question, signal).catch(async (error: unknown) => {
    if (!(error instanceof UnauthorizedError) || (await isRefused(askElsewhere))) throw error;
    throw caller.failureOf({ kind: 'refused_for_history_alone', refusal: error }, question.subject);
  });
  if (history.city_id !== undefined && history.city_id !== cityId) {
    const failure = { kind: 'wrong_city', body, receivedId: history.city_id } as const;
    throw caller.failureOf(failure, question.subject);
  }
  return { body, history };
}

/** Whether the key is refused there too. Throws every other failure: it proves neither. */
const isRefused = (ask: () => Promise<unknown>): Promise<boolean> =>
  ask().then(
    () => false,
    (error: unknown) => {
      if (error instanceof UnauthorizedError) return true;
      throw error;
    },
  );

function historyQuestion({ cityId, from, to }: HistoryRange): Question<CityHistory> {
  const lengthMs = to.getTime() - from.getTime();
  // Written so that an invalid date is refused too.
  if (!(lengthMs >= 0 && lengthMs <= longestHistoryMs))
    throw new RangeError(
      `The history from ${textOf(from)} to ${textOf(to)} was asked for: expected at most a week, from the earlier to the later.`,
    );
  return {
    path: 'data/2.5/history/city',
    query: {
      id: cityId,
      type: 'hour',
      start: secondsOf(from),
      end: secondsOf(to),
      units: 'metric',
    },
    subject: historyOf(cityId),
    parse: parseCityHistory,
  };
}

const secondsOf = (at: Date): number => Math.floor(at.getTime() / 1_000);

const textOf = (at: Date): string => (Number.isNaN(at.getTime()) ? 'no date' : at.toISOString());

const historyOf = (cityId: number): CallSubject => ({
  name: `the history of city ${cityId}`,
  answer: 'a list of observations',
  correction: "Correct the location's city id",
  address: 'OPENWEATHERMAP_HISTORY_URL',
});
