import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COMPLETENESS_FACTS, completenessFacts, factsOf, MASKS, maskOf } from './completeness-facts.ts';

test('a mask and its facts are the same thing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MASKS - 1 }), (mask) => {
      expect(maskOf(factsOf(mask))).toBe(mask);
    }),
  );
});

test('the bits stand in the order in which the query sets them', () => {
  expect(COMPLETENESS_FACTS.map((fact) => [fact, maskOf({ [fact]: true })])).toEqual([
    ['isOpen', 1],
    ['isEnough', 2],
    ['hasSome', 4],
    ['aggregateAgrees', 8],
    ['isBehind', 16],
    ['runIsMissing', 32],
    ['callFailed', 64],
    ['recordWasRejected', 128],
    ['sourceWasUnchanged', 256],
    ['publishedNotStored', 512],
    ['isUnderRepair', 1_024],
    ['sourceIsExhausted', 2_048],
    ['historyIsUnasked', 4_096],
    ['wasRepaired', 8_192],
    ['attemptsAreUsedUp', 16_384],
  ]);
});

test('there are few enough for a table that has them all', () => {
  expect(MASKS).toBeLessThanOrEqual(2 ** 16);
});

test.each([-1, 0.5, MASKS, Number.NaN])('%s is no set of facts', (mask) => {
  expect(() => factsOf(mask)).toThrow(RangeError);
});

test('each fact says in a sentence what it means', () => {
  for (const { description } of Object.values(completenessFacts)) expect(description).toMatch(/^[A-Z].*\.$/);
});
