/** The row of one key's budget in memory: transactions on it wait for each other, as on the real one, and take as long as told. */
import type { Database } from '../../clients/postgres.ts';
import { type CallBudgetState, unusedBudget } from '../../domain/call-budget.ts';
import { fakeDatabase } from './fake-database.ts';
import { setTimeout as delay } from './fake-delay.ts';

export interface FakeBudgetRow extends Database {
  state: CallBudgetState;
  /** How long a transaction takes from now on. */
  tookMs: number;
  /** Thrown by the next transaction instead of anything else. */
  failure: Error | undefined;
  /** So many transactions were begun. */
  readonly transactions: () => number;
}

/** Its clock is `Date.now`, which a test may fake. */
export function fakeBudgetRow(): FakeBudgetRow {
  let transactions = 0;
  let last: Promise<unknown> = Promise.resolve();
  const database = fakeDatabase({
    'lock-call-budget': () => [{ state: row.state, now_ms: Date.now() }],
    'store-call-budget': ([, state]) => {
      row.state = JSON.parse(String(state)) as CallBudgetState;
      return [];
    },
  });
  const row: FakeBudgetRow = {
    ...database,
    ...{ state: unusedBudget, tookMs: 0, failure: undefined },
    transactions: () => transactions,
    transaction(work) {
      transactions += 1;
      const done = last.then(async () => {
        const { failure } = row;
        row.failure = undefined;
        if (failure !== undefined) throw failure;
        if (row.tookMs > 0) await delay(row.tookMs);
        return work(database);
      });
      last = done.catch(() => undefined);
      return done;
    },
  };
  return row;
}
