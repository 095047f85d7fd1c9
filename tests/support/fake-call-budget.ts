/** A budget of calls in memory, without a database and without waiting; after so many calls none is left. */
import { BudgetExhaustedError, type CallBudget } from '../../clients/call-budget.ts';
import type { CallPurpose } from '../../domain/call-budget.ts';

export interface FakeCallBudget extends CallBudget {
  /** What each call was for that was let through. */
  readonly taken: CallPurpose[];
  /** How long the source asked to wait, each time it refused. */
  readonly refusals: (number | undefined)[];
  readonly answers: () => number;
}

export function fakeCallBudget(calls = Number.POSITIVE_INFINITY): FakeCallBudget {
  const taken: CallPurpose[] = [];
  const refusals: (number | undefined)[] = [];
  let answers = 0;
  return {
    ...{ taken, refusals, answers: () => answers },
    async take(purpose, { signal } = {}) {
      signal?.throwIfAborted();
      if (taken.length >= calls)
        throw new BudgetExhaustedError(purpose, {
          ...{ reason: 'month', forMs: 0, untilMs: Date.UTC(2026, 1, 1) },
        });
      taken.push(purpose);
    },
    async refused(retryAfterMs) {
      refusals.push(retryAfterMs);
    },
    async answered() {
      answers += 1;
    },
  };
}
