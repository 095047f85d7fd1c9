import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CallPurpose, leaseWindowMs } from '../domain/call-budget.ts';
import { fakeBudgetRow } from '../tests/support/fake-budget-row.ts';
import { BudgetExhaustedError, type CallBudget, createCallBudget, fingerprintOf } from './call-budget.ts';
import { PostgresError } from './postgres.ts';

vi.mock('node:timers/promises', () => import('../tests/support/fake-delay.ts'));

const start = new Date('2026-11-24T12:00:00Z');
const terms = {
  limits: { callsPerMinute: 60, callsPerMonth: 1_000_000 },
  shares: { others: 0.5, backfill: 0.25 },
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: start });
});
afterEach(() => {
  vi.useRealTimers();
});

const elapsedMs = (): number => Date.now() - start.getTime();
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** Budgets of several workers over one row, and when each call was let through. */
function budgets(count = 1, change: Partial<(typeof terms)['limits']> = {}) {
  const row = fakeBudgetRow();
  const own = { ...terms, limits: { ...terms.limits, ...change } };
  const all = Array.from({ length: count }, () => createCallBudget(row, 'key', own));
  const calls: { readonly purpose: CallPurpose; readonly atMs: number }[] = [];
  const take = async (purpose: CallPurpose, budget = all[0] as CallBudget): Promise<void> => {
    await budget.take(purpose);
    calls.push({ purpose, atMs: elapsedMs() });
  };
  return { row, all, calls, take, first: all[0] as CallBudget };
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable('a call was let through'),
    (error: unknown) => error,
  );

describe('a budget of calls', () => {
  test('lets as many through as the plan has in a minute, the others when these have left it', async () => {
    const { calls, take } = budgets();
    for (let call = 0; call < 100; call += 1) void take('live');
    await pass(1);
    expect(calls).toHaveLength(60);
    await pass(leaseWindowMs - 100);
    expect(calls).toHaveLength(60);
    await pass(200);
    expect(calls).toHaveLength(100);
  });

  test('shared by workers never lets more through in any minute than the plan has, and forgets nobody', async () => {
    const takes = fc.array(
      fc.record({ afterMs: fc.nat(5_000), worker: fc.nat(2), times: fc.integer({ min: 1, max: 30 }) }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(takes, fc.integer({ min: 0, max: 500 }), async (all, tookMs) => {
        const { row, all: workers, calls, take } = budgets(3);
        row.tookMs = tookMs;
        for (const { afterMs, worker, times } of all) {
          await pass(afterMs);
          for (let time = 0; time < times; time += 1) void take('live', workers[worker]);
        }
        const wanted = all.reduce((sum, { times }) => sum + times, 0);
        await pass((Math.ceil(wanted / 60) + 1) * leaseWindowMs);
        expect(calls).toHaveLength(wanted);
        for (const { atMs } of calls) {
          const inMinute = calls.filter((call) => atMs <= call.atMs && call.atMs < atMs + 60_000);
          expect(inMinute.length).toBeLessThanOrEqual(60);
        }
      }),
      { numRuns: 10 },
    );
  });

  test('serves all who wait in one worker by one lease', async () => {
    const { row, calls, take } = budgets();
    row.tookMs = 100;
    void take('live');
    for (let call = 0; call < 30; call += 1) void take('live');
    await pass(200);
    expect([calls.length, row.transactions()]).toEqual([31, 2]);
  });

  test('lets live calls through that backfills wait for in vain', async () => {
    const { calls, take, all } = budgets(2);
    for (let call = 0; call < 40; call += 1) void take('backfill', all[1]);
    await pass(1_000);
    for (let call = 0; call < 45; call += 1) void take('live');
    await pass(1_000);
    const of = (wanted: CallPurpose) => calls.filter(({ purpose }) => purpose === wanted).length;
    expect([of('backfill'), of('live')]).toEqual([15, 45]);
    await pass(2 * leaseWindowMs);
    expect(of('backfill')).toBe(40);
  });

  test('is known by what its key cannot be found from', () => {
    const secret = '0123456789abcdef0123456789abcdef';
    expect(fingerprintOf(secret)).toMatch(/^[0-9a-f]{32}$/);
    expect(fingerprintOf(secret)).toBe(fingerprintOf(secret));
    expect(fingerprintOf(secret)).not.toBe(fingerprintOf(`${secret}0`));
    expect(fingerprintOf(secret)).not.toContain(secret.slice(0, 8));
  });
});

describe('a lease that the database was slow to give', () => {
  test('is not called under, and counts as used', async () => {
    const { row, calls, take } = budgets();
    row.tookMs = 2_500;
    for (let call = 0; call < 40; call += 1) void take('live');
    await pass(2_600);
    expect(calls).toHaveLength(0);
    row.tookMs = 0;
    await pass(10_000);
    // The database gave 40 late; the next lease, which was under way when it became fast again, is late too.
    expect(calls.length).toBeLessThanOrEqual(20);
    expect(row.state.usedInMonth.live).toBe(60);
    await pass(2 * leaseWindowMs);
    expect(calls).toHaveLength(40);
  });

  test('is what whoever is out of time is told', async () => {
    const { row, first } = budgets();
    row.tookMs = 2_500;
    const taking = failureOf(first.take('live', { deadlineMs: performance.now() + 2_000 }));
    await pass(3_000);
    expect(await taking).toBeInstanceOf(BudgetExhaustedError);
    expect(String(await taking)).toContain('the database took longer than 2 s to lease one');
  });

  test('that it fails to give is the failure of all who waited for it, and of nobody after', async () => {
    const { row, first } = budgets();
    row.tookMs = 100;
    const before = first.take('live');
    await pass(1);
    const away = new PostgresError('the query lock-call-budget', new Error('connection refused'));
    row.failure = away;
    const waiting = [first.take('live'), first.take('live')].map(failureOf);
    await pass(300);
    await expect(before).resolves.toBeUndefined();
    expect(await Promise.all(waiting)).toEqual([away, away]);
    row.tookMs = 0;
    await expect(first.take('live')).resolves.toBeUndefined();
  });
});

describe('whoever waits for a call', () => {
  const spent = async () => {
    const made = budgets();
    for (let call = 0; call < 60; call += 1) await made.first.take('live');
    return made;
  };

  test('ends with its own reason when it is cancelled, at once and without a call', async () => {
    const { row, first } = await spent();
    const controller = new AbortController();
    const taking = failureOf(first.take('live', { signal: controller.signal }));
    await pass(1_000);
    const reason = new Error('the worker stops');
    controller.abort(reason);
    expect(await taking).toBe(reason);
    expect([elapsedMs(), row.state.usedInMonth.live]).toEqual([1_000, 60]);
  });

  test('asks nobody when it was cancelled before', async () => {
    const { row, first } = budgets();
    const reason = new Error('too late');
    expect(await failureOf(first.take('live', { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(row.transactions()).toBe(0);
  });

  test('is told at once when the next call lies behind its deadline, and when that is', async () => {
    const { first } = await spent();
    const error = await failureOf(first.take('live', { deadlineMs: performance.now() + 30_000 }));
    expect(elapsedMs()).toBe(0);
    expect(error).toBeInstanceOf(BudgetExhaustedError);
    expect(error).toMatchObject({
      code: 'BUDGET_EXHAUSTED',
      retryable: true,
      retryAt: new Date(start.getTime() + leaseWindowMs),
      message:
        "No call was left for live: the plan's calls of this minute are used up; the next can be made at 2026-11-24T12:01:05.000Z. Poll less, or choose a larger plan (OPENWEATHERMAP_PLAN).",
    });
  });

  test('waits when the next call lies before its deadline', async () => {
    const { first } = await spent();
    const taking = first.take('live', { deadlineMs: performance.now() + 2 * leaseWindowMs });
    await pass(leaseWindowMs + 100);
    await expect(taking).resolves.toBeUndefined();
  });

  test('for the next month asks again each minute, as the plan may become larger', async () => {
    const { row, first, calls, take } = budgets(1, { callsPerMonth: 1 });
    await first.take('live');
    const before = row.transactions();
    void take('live');
    await pass(10 * 60_000 + 5_000);
    expect(row.transactions() - before).toBe(11);
    const error = await failureOf(first.take('live', { deadlineMs: performance.now() }));
    expect(String(error)).toContain("the plan's calls of this month are used up");
    expect(error).toMatchObject({ retryAt: new Date('2026-12-01T00:00:00Z') });
    row.state = { ...row.state, usedInMonth: { live: 0, repair: 0, backfill: 0 } };
    await pass(61_000);
    expect(calls).toHaveLength(1);
  });
});

describe('when the source refuses calls', () => {
  test('nobody calls for as long as it asked for, in any worker', async () => {
    const { all, calls, take, first } = budgets(2);
    await first.refused(20_000);
    for (const budget of all) void take('live', budget);
    await pass(19_900);
    expect(calls).toEqual([]);
    await pass(200);
    expect(calls).toHaveLength(2);
    await first.refused(20_000);
    const error = await failureOf(first.take('live', { deadlineMs: performance.now() + 1_000 }));
    expect(String(error)).toContain('the source said that its limit is reached');
  });

  test('each refusal makes the wait longer, until it answers again', async () => {
    const { row, first } = budgets();
    const waits: number[] = [];
    const refuse = async (): Promise<void> => {
      await first.refused(undefined);
      waits.push(row.state.blockedUntilMs - Date.now());
      await pass(row.state.blockedUntilMs - Date.now());
    };
    for (let refusal = 0; refusal < 4; refusal += 1) await refuse();
    await first.answered();
    await refuse();
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 1_000]);
  });

  test('an answer costs the database nothing when there was no refusal', async () => {
    const { row, first } = budgets();
    await first.take('live');
    await first.answered();
    expect(row.transactions()).toBe(1);
    await first.refused(undefined);
    await first.answered();
    expect(row.transactions()).toBe(3);
  });
});
