import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../domain/backfill-windows.ts';
import { leaseCalls, unusedBudget } from '../domain/call-budget.ts';
import { backfillFacts } from './backfill-facts.ts';
import { leaseTerms, planLimits } from './openweathermap-plans.ts';
import { weather } from './weather/definition.ts';

const history = { longestSpanMs: 7 * DAY_MS, horizonMs: undefined, callsPerSpan: 2 };

describe('what a backfill is planned with', () => {
  test('comes from the pipeline, its source and the plan', () => {
    expect(backfillFacts(weather, history, leaseTerms('developer', 0.25))).toEqual({
      streamOwnsMs: 36 * HOUR_MS,
      horizonMs: { history: null, kafka: 7 * DAY_MS, file: null },
      hoursPerSpan: 168,
      callsPerSpan: 2,
      callsPerMinute: 750,
    });
  });

  test('a source without history has nothing within its reach', () => {
    const { horizonMs } = backfillFacts(weather, undefined, leaseTerms('free', 0.25));
    expect(horizonMs.history).toBe(0);
  });

  test.each(Object.keys(planLimits) as (keyof typeof planLimits)[])(
    'the calls a minute are those that the budget of the plan %s grants',
    (plan) => {
      for (const share of [0.01, 0.25, 0.5]) {
        const terms = leaseTerms(plan, share);
        const calls = terms.limits.callsPerMinute;
        const { granted } = leaseCalls(unusedBudget, { purpose: 'backfill', calls }, terms, 0);
        expect(backfillFacts(weather, history, terms).callsPerMinute).toBe(granted);
      }
    },
  );
});
