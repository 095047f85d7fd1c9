/**
 * Owns what is asked about a window before it is judged: facts that are true or not, held as the bits of one number. Finding them out
 * is `sql/queries/judge-windows.sql`'s, what follows from them `domain/completeness-verdicts.ts`'s.
 */

interface Fact {
  readonly description: string;
}

/** In the order of their bits, the first one standing for 1; the query sets the same bits in the same order. */
export const completenessFacts = {
  isOpen: { description: 'The hour is not over, or has only just ended.' },
  isEnough: { description: 'As many observations are stored as the location is to have, at least.' },
  hasSome: { description: 'At least one observation is stored.' },
  aggregateAgrees: {
    description:
      "The hour's row is the aggregate of the stored observations, in every figure; without any, there is none.",
  },
  isBehind: { description: 'The stream has not read up to the end that the log had when the check began.' },
  runIsMissing: { description: 'In the time of one of its polls no ingestion run was completed.' },
  callFailed: { description: 'One of its polls was not answered, and the exception is on record.' },
  recordWasRejected: {
    description: 'One of its records, or answers, was no observation, and is kept as it came.',
  },
  sourceWasUnchanged: {
    description: 'Every poll of the hour was made and answered, and brought nothing that is not stored.',
  },
  publishedNotStored: {
    description: 'A record of the hour stands in the log at a known offset, and is not stored.',
  },
  isUnderRepair: { description: 'A repair that has not ended is to mend it.' },
  sourceIsExhausted: {
    description: "A finished backfill has loaded all that the source's history has of the hour.",
  },
  historyIsUnasked: {
    description: "The source's history reaches back to the hour, and no backfill from it has finished.",
  },
  wasRepaired: { description: 'A repair of it has ended.' },
  attemptsAreUsedUp: { description: 'It was repaired in vain as often as it is tried.' },
} as const satisfies Record<string, Fact>;
export type CompletenessFact = keyof typeof completenessFacts;
export const COMPLETENESS_FACTS = Object.keys(completenessFacts) as readonly CompletenessFact[];

export type WindowFacts = Readonly<Record<CompletenessFact, boolean>>;

/** So many masks there are, from 0 on. */
export const MASKS = 2 ** COMPLETENESS_FACTS.length;

/** @throws RangeError for a number that is no mask */
export function factsOf(mask: number): WindowFacts {
  if (!Number.isInteger(mask) || mask < 0 || mask >= MASKS)
    throw new RangeError(`${mask} is no set of facts: expected a whole number from 0 to ${MASKS - 1}`);
  const entries = COMPLETENESS_FACTS.map((fact, bit) => [fact, ((mask >> bit) & 1) === 1] as const);
  return Object.fromEntries(entries) as Record<CompletenessFact, boolean>;
}

export function maskOf(facts: Partial<WindowFacts>): number {
  return COMPLETENESS_FACTS.reduce((mask, fact, bit) => mask + (facts[fact] === true ? 2 ** bit : 0), 0);
}
