import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterAnswer,
  afterRefusal,
  type CallBudgetState,
  type CallPurpose,
  callPurposes,
  leaseCalls,
  leaseValidMs,
  leaseWindowMs,
  planLiveCalls,
  unusedBudget,
} from './call-budget.ts';

const shares = { others: 0.5, backfill: 0.25 };
const free = { callsPerMinute: 60, callsPerMonth: 1_000_000 };
const start = Date.parse('2026-11-24T12:00:00Z');

interface Grant {
  readonly atMs: number;
  readonly purpose: CallPurpose;
  readonly granted: number;
}

const requests = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat(200), fc.nat(30_000)),
    purpose: fc.constantFrom(...callPurposes),
    calls: fc.integer({ min: 1, max: 40 }),
  }),
  { maxLength: 200, size: 'max' },
);
type Requests = typeof requests extends fc.Arbitrary<infer T> ? T : never;

function leaseAll(all: Requests, limits = free) {
  let state = unusedBudget;
  let nowMs = start;
  const grants: Grant[] = [];
  for (const { afterMs, purpose, calls } of all) {
    nowMs += afterMs;
    const decision = leaseCalls(state, { purpose, calls }, { limits, shares }, nowMs);
    ({ state } = decision);
    grants.push({ atMs: nowMs, purpose, granted: decision.granted });
  }
  return { state, grants, nowMs };
}

const sumWithin = (grants: readonly Grant[], fromMs: number, toMs: number): number =>
  grants.filter(({ atMs }) => fromMs <= atMs && atMs < toMs).reduce((sum, { granted }) => sum + granted, 0);

describe('a lease of calls', () => {
  test('never lets more calls through in any sliding minute than the plan has, however late each is sent', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 120 }), (all, callsPerMinute) => {
        const { grants } = leaseAll(all, { ...free, callsPerMinute });
        for (const { atMs } of grants)
          expect(sumWithin(grants, atMs, atMs + leaseWindowMs)).toBeLessThanOrEqual(callsPerMinute);
      }),
      { numRuns: 300 },
    );
    expect(leaseWindowMs).toBeGreaterThan(60_000 + leaseValidMs);
  });

  test('leaves live polling half of the minute, and repairs what backfills may not take', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const { grants } = leaseAll(all);
        for (const { atMs } of grants) {
          const of = (...purposes: CallPurpose[]): number =>
            sumWithin(
              grants.filter(({ purpose }) => purposes.includes(purpose)),
              atMs,
              atMs + leaseWindowMs,
            );
          expect(of('repair', 'backfill')).toBeLessThanOrEqual(30);
          expect(of('backfill')).toBeLessThanOrEqual(15);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is never refused to live polling that has used less than its half, whatever the others did', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const { state, grants, nowMs } = leaseAll(all);
        const usedByLive = sumWithin(
          grants.filter(({ purpose }) => purpose === 'live'),
          // Leases of half a second are kept as one, which leaves the window with its last.
          nowMs - leaseWindowMs - 500,
          nowMs + 1,
        );
        const { granted } = leaseCalls(state, { purpose: 'live', calls: 1 }, { limits: free, shares }, nowMs);
        if (usedByLive < 30) expect(granted).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  test('that is refused is granted at the moment it names, and not a millisecond before', () => {
    fc.assert(
      fc.property(requests, fc.constantFrom(...callPurposes), (all, purpose) => {
        const { state, nowMs } = leaseAll(all);
        const ask = (atMs: number) =>
          leaseCalls(state, { purpose, calls: 1 }, { limits: free, shares }, atMs);
        const { granted, retryAtMs } = ask(nowMs);
        if (granted === 1) return;
        expect(ask(retryAtMs).granted).toBe(1);
        expect(ask(retryAtMs - 1).granted).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('keeps its row small: not more leases than half seconds and purposes in the window', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const { state } = leaseAll(all, { callsPerMinute: 30_000, callsPerMonth: 1_000_000_000 });
        expect(state.leases.length).toBeLessThanOrEqual(3 * (leaseWindowMs / 500 + 1));
      }),
    );
    const busy = Array.from({ length: 10_000 }, () => ({ afterMs: 2, purpose: 'live' as const, calls: 1 }));
    const { state } = leaseAll(busy, { callsPerMinute: 30_000, callsPerMonth: 1_000_000_000 });
    expect(state.leases.length).toBeLessThanOrEqual(41);
    expect(state.leases.reduce((sum, { calls }) => sum + calls, 0)).toBe(10_000);
  });

  test('ends with the calls of the month, and begins anew with the next', () => {
    const limits = { callsPerMinute: 60, callsPerMonth: 100 };
    const used: CallBudgetState = {
      ...unusedBudget,
      month: '2026-11',
      usedInMonth: { live: 60, repair: 0, backfill: 38 },
    };
    const ask = (atMs: number, calls: number) =>
      leaseCalls(used, { purpose: 'live', calls }, { limits, shares }, atMs);
    expect(ask(start, 5)).toMatchObject({ granted: 2, state: { usedInMonth: { live: 62 } } });
    const spent = ask(start, 2).state;
    const refused = leaseCalls(spent, { purpose: 'live', calls: 1 }, { limits, shares }, start + 1);
    expect(refused).toMatchObject({ granted: 0, reason: 'month' });
    expect(new Date(refused.retryAtMs).toISOString()).toBe('2026-12-01T00:00:00.000Z');
    expect(ask(refused.retryAtMs, 1)).toMatchObject({
      granted: 1,
      state: { month: '2026-12', usedInMonth: { live: 1, backfill: 0 } },
    });
  });

  test('of a plan that was made smaller waits until what was leased before has left the minute', () => {
    const { state } = leaseAll([{ afterMs: 0, purpose: 'live', calls: 40 }]);
    const smaller = { limits: { ...free, callsPerMinute: 10 }, shares };
    const decision = leaseCalls(state, { purpose: 'live', calls: 1 }, smaller, start + 1_000);
    expect(decision).toMatchObject({ granted: 0, reason: 'minute', retryAtMs: start + leaseWindowMs });
  });
});

describe('after the source refused calls', () => {
  const blockMs = (state: CallBudgetState, atMs: number): number => state.blockedUntilMs - atMs;

  test('nobody calls until it asked to be called again', () => {
    const state = afterRefusal(unusedBudget, 5_000, start);
    const ask = (atMs: number) =>
      leaseCalls(state, { purpose: 'live', calls: 1 }, { limits: free, shares }, atMs);
    expect(ask(start + 4_999)).toMatchObject({ granted: 0, reason: 'blocked', retryAtMs: start + 5_000 });
    expect(ask(start + 5_000).granted).toBe(1);
  });

  test('a wait of years, as a wrong header may ask for, ends after a day', () => {
    expect(blockMs(afterRefusal(unusedBudget, 999_999_999_000, start), start)).toBe(24 * 3_600_000);
  });

  test('each refusal in a row makes the wait twice as long, up to a minute', () => {
    let [state, atMs] = [unusedBudget, start];
    const waits: number[] = [];
    for (let refusal = 0; refusal < 40; refusal += 1) {
      state = afterRefusal(state, undefined, atMs);
      waits.push(blockMs(state, atMs));
      atMs = state.blockedUntilMs;
    }
    expect(waits.slice(0, 8)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(Math.max(...waits)).toBe(60_000);
  });

  test('calls that were under way meanwhile say nothing new, unless they name a later moment', () => {
    const once = afterRefusal(unusedBudget, undefined, start);
    expect(afterRefusal(once, undefined, start + 500)).toEqual(once);
    expect(afterRefusal(once, 30_000, start + 500).blockedUntilMs).toBe(start + 30_500);
    expect(afterRefusal(once, 1, start + 500).blockedUntilMs).toBe(once.blockedUntilMs);
    expect(afterRefusal(once, 30_000, start + 500).refusals).toBe(1);
    expect(afterAnswer(once, start + 500)).toEqual(once);
    expect(afterAnswer(once, once.blockedUntilMs).refusals).toBe(0);
  });

  test('a source that asks to be called again at once is left alone for a second', () => {
    expect(blockMs(afterRefusal(unusedBudget, 0, start), start)).toBe(1_000);
  });
});

describe('the plan of live polling', () => {
  test('tells how many locations fit, with the arithmetic', () => {
    expect(planLiveCalls([{ cadenceMinutes: 10, locations: 60 }], free)).toEqual({
      fits: true,
      callsPerMinute: 6,
      callsPerMonth: 267_840,
      explanation:
        'Locations polled: 60 every 10 min need 6 calls a minute and 267,840 in a month of 31 days; live polling may use half of the plan, 30 of 60 calls a minute and 500,000 of 1,000,000 a month.',
    });
  });

  test('refuses more than half of either limit, and says what would fit', () => {
    const plan = planLiveCalls([{ cadenceMinutes: 10, locations: 113 }], free);
    expect(plan.fits).toBe(false);
    expect(plan.explanation).toContain('504,432 in a month of 31 days');
    expect(plan.explanation).toMatch(/That carries 112 locations every 10 min: choose fewer locations/);
    expect(planLiveCalls([{ cadenceMinutes: 10, locations: 112 }], free).fits).toBe(true);
    const many = { callsPerMinute: 60, callsPerMonth: 1_000_000_000 };
    expect(planLiveCalls([{ cadenceMinutes: 10, locations: 301 }], many).fits).toBe(false);
    expect(planLiveCalls([{ cadenceMinutes: 10, locations: 300 }], many).fits).toBe(true);
  });

  test('adds up several cadences, and an empty registry fits any plan', () => {
    const mixed = [
      { cadenceMinutes: 10, locations: 20 },
      { cadenceMinutes: 60, locations: 60 },
    ];
    expect(planLiveCalls(mixed, free)).toMatchObject({
      fits: true,
      callsPerMinute: 3,
      callsPerMonth: 133_920,
    });
    expect(planLiveCalls([], free)).toMatchObject({ fits: true, callsPerMinute: 0, callsPerMonth: 0 });
  });

  test('what fits stays fitting with fewer locations or a larger plan', () => {
    const demand = fc.array(
      fc.record({ cadenceMinutes: fc.integer({ min: 1, max: 1_440 }), locations: fc.nat(100_000) }),
      { maxLength: 4 },
    );
    const limit = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(demand, limit, limit, fc.nat(1_000), (all, callsPerMinute, callsPerMonth, more) => {
        const limits = { callsPerMinute, callsPerMonth };
        if (!planLiveCalls(all, limits).fits) return;
        expect(planLiveCalls(all.slice(1), limits).fits).toBe(true);
        expect(
          planLiveCalls(all, { callsPerMinute: callsPerMinute + more, callsPerMonth: callsPerMonth + more })
            .fits,
        ).toBe(true);
      }),
    );
  });
});
