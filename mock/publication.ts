/**
 * Owns when an observation of the mock comes to light: `dt` is the moment of the calculation, and the API serves it some
 * minutes later. What is observed is `weather.ts`'s.
 */
import { hashOf, hashOfText, unitOf } from './noise.ts';
import { defaultStepSeconds, stepStart } from './weather.ts';

/** The draw of the lag, beside the channels of the atmosphere. */
const lagKey = 12;
/** The draw of the observation that stands for its hour in the history. */
const historyKey = 13;
const leastLag = 0.05;
const mostLag = 0.4;

const hourSeconds = 3_600;

export interface PublicationQuestion {
  seed: string;
  cityId: number;
  stepSeconds?: number;
}

/** How long after its `dt` an observation is first served: 5 to 40 % of the step, in seconds and not whole ones. */
export function publicationLagSeconds(
  { seed, cityId, stepSeconds = defaultStepSeconds }: PublicationQuestion,
  dt: number,
): number {
  const draw = unitOf(hashOfText(seed), cityId, dt, lagKey);
  return stepSeconds * (leastLag + (mostLag - leastLag) * draw);
}

/**
 * The `dt` of the observation that is served at a moment. It never falls as time goes on, because no lag is as long as a
 * step. Throws a RangeError for a step or a moment that is no number of seconds.
 */
export function newestObservationTime(question: PublicationQuestion & { atSeconds: number }): number {
  const { seed, cityId, atSeconds, stepSeconds = defaultStepSeconds } = question;
  const dt = stepStart({ seed, cityId, stepSeconds }, atSeconds);
  return dt + publicationLagSeconds(question, dt) <= atSeconds ? dt : dt - stepSeconds;
}

/**
 * The one observation of the city that stands for an hour in the history, drawn from the hour's own. Undefined when the step
 * is so long that the hour has none.
 */
export function observationTimeOfHour(
  { seed, cityId, stepSeconds = defaultStepSeconds }: PublicationQuestion,
  hourStart: number,
): number | undefined {
  const steps = { seed, cityId, stepSeconds };
  const first = stepStart(steps, hourStart - 1) + stepSeconds;
  const last = stepStart(steps, hourStart + hourSeconds - 1);
  if (last < first) return undefined;
  const count = (last - first) / stepSeconds + 1;
  return first + stepSeconds * (hashOf(hashOfText(seed), cityId, hourStart, historyKey) % count);
}
