/**
 * The door to the budget of calls of one key: everybody who calls a source with it, in whatever process, takes each call from one
 * row in PostgreSQL. Who gets how many is decided in `domain/call-budget.ts`.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  afterAnswer,
  afterRefusal,
  type CallBudgetState,
  type CallPurpose,
  type LeaseDecision,
  type LeaseTerms,
  leaseCalls,
  leaseValidMs,
  unusedBudget,
} from '../domain/call-budget.ts';
import { HourglassError } from '../domain/errors.ts';
import type { Database } from './postgres.ts';

/** Thrown when no call can be had before the caller's deadline. It does not mean that the source refused one. */
export class BudgetExhaustedError extends HourglassError {
  readonly retryAt: Date;

  constructor(purpose: CallPurpose, { reason, untilMs }: Wait) {
    const retryAt = new Date(untilMs);
    const why = {
      minute: "the plan's calls of this minute are used up",
      month: "the plan's calls of this month are used up",
      blocked: 'the source said that its limit is reached',
      late: `the database took longer than ${leaseValidMs / 1_000} s to lease one`,
    }[reason];
    super(
      'BUDGET_EXHAUSTED',
      `No call was left for ${purpose}: ${why}; the next can be made at ${retryAt.toISOString()}. Poll less, or choose a larger plan (OPENWEATHERMAP_PLAN).`,
      { retryable: true },
    );
    this.retryAt = retryAt;
  }
}

export interface TakeOptions {
  readonly signal?: AbortSignal;
  /** Until when it is worth waiting, milliseconds of `performance.now()`; for ever unless told. */
  readonly deadlineMs?: number;
}

export interface CallBudget {
  /**
   * Resolves when one call may be made, which must then begin at once.
   * @throws BudgetExhaustedError, PostgresError, the signal's reason
   */
  take(purpose: CallPurpose, options?: TakeOptions): Promise<void>;
  /** The source said that a limit is reached. @param retryAfterMs how long it asked everybody to wait, if it did */
  refused(retryAfterMs: number | undefined): Promise<void>;
  /** The source answered a call: earlier refusals no longer count. */
  answered(): Promise<void>;
}

/** What a budget is known by. The key cannot be found from it. */
export const fingerprintOf = (secret: string): string =>
  createHash('sha256').update(`hourglass/${secret}`).digest('hex').slice(0, 32);

/** Why somebody got no call, and when to ask again. `late`: calls were leased, but it took so long that they are lost. */
interface Wait {
  readonly forMs: number;
  readonly reason: Exclude<LeaseDecision['reason'], 'granted'> | 'late';
  readonly untilMs: number;
}

interface Taker {
  readonly resolve: (wait: Wait | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Whoever may wait for days asks again meanwhile: the plan may have been made larger. A timer holds no month either. */
const LONGEST_SLEEP_MS = 60_000;

export function createCallBudget(database: Database, fingerprint: string, terms: LeaseTerms): CallBudget {
  let refusals = 0;

  const change = <T extends { readonly state: CallBudgetState }>(
    decide: (state: CallBudgetState, nowMs: number) => T,
  ): Promise<T & { readonly nowMs: number }> =>
    database.transaction(async ({ query }) => {
      const [row] = await query<{ state: CallBudgetState; now_ms: number }>('lock-call-budget', [
        fingerprint,
        JSON.stringify(unusedBudget),
      ]);
      if (row === undefined) throw new Error(`the budget ${fingerprint} has no row`);
      const decision = decide(row.state, row.now_ms);
      await query('store-call-budget', [fingerprint, JSON.stringify(decision.state)]);
      refusals = decision.state.refusals;
      return { ...decision, nowMs: row.now_ms };
    });

  const queues = new Map<CallPurpose, Taker[]>();
  const serving = new Set<CallPurpose>();

  const takeAll = (purpose: CallPurpose): readonly Taker[] => {
    const takers = queues.get(purpose) ?? [];
    queues.delete(purpose);
    return takers;
  };

  /** Those who wait for the same purpose are served by one lease, one lease at a time. */
  const serve = async (purpose: CallPurpose): Promise<void> => {
    if (serving.has(purpose)) return;
    serving.add(purpose);
    try {
      for (let takers = takeAll(purpose); takers.length > 0; takers = takeAll(purpose)) {
        const calls = takers.length;
        const beganMs = performance.now();
        const lease = await change((state, nowMs) =>
          leaseCalls(state, { purpose, calls }, terms, nowMs),
        ).catch((error: unknown) => ({ error }));
        handOut(lease, takers, performance.now() - beganMs > leaseValidMs);
      }
    } finally {
      serving.delete(purpose);
    }
  };

  const ask = (purpose: CallPurpose): Promise<Wait | undefined> =>
    new Promise((resolve, reject) => {
      queues.set(purpose, [...(queues.get(purpose) ?? []), { resolve, reject }]);
      void serve(purpose);
    });

  return {
    async take(purpose, { signal, deadlineMs = Number.POSITIVE_INFINITY } = {}) {
      for (;;) {
        signal?.throwIfAborted();
        const wait = await ask(purpose);
        if (wait === undefined) return;
        // Not all at the same moment: whoever is served last waits anew.
        const forMs = wait.forMs + Math.random() * 50;
        if (performance.now() + forMs > deadlineMs) throw new BudgetExhaustedError(purpose, wait);
        await delay(Math.min(forMs, LONGEST_SLEEP_MS), undefined, { signal }).catch(() =>
          signal?.throwIfAborted(),
        );
      }
    },
    async refused(retryAfterMs) {
      await change((state, nowMs) => ({ state: afterRefusal(state, retryAfterMs, nowMs) }));
    },
    async answered() {
      if (refusals > 0) await change((state, nowMs) => ({ state: afterAnswer(state, nowMs) }));
    },
  };
}

type Lease = (LeaseDecision & { readonly nowMs: number }) | { readonly error: unknown };

/** @param isStale the lease took so long that nobody may call under it any more */
function handOut(lease: Lease, takers: readonly Taker[], isStale: boolean): void {
  for (const [index, { resolve, reject }] of takers.entries()) {
    if ('error' in lease) reject(lease.error);
    else if (index < lease.granted && !isStale) resolve(undefined);
    else {
      const { reason, retryAtMs, nowMs } = lease;
      // A lease that was smaller than asked for took what was left of the minute.
      const whyNot = isStale ? 'late' : 'minute';
      resolve({
        forMs: Math.max(0, retryAtMs - nowMs),
        reason: reason === 'granted' ? whyNot : reason,
        untilMs: retryAtMs,
      });
    }
  }
}
