import { setImmediate } from 'node:timers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BudgetExhaustedError } from '../clients/call-budget.ts';
import { PostgresError } from '../clients/postgres.ts';
import { HourglassError } from '../domain/errors.ts';
import type { PollAnswer } from '../schemas/pipeline.ts';
import { fakeCallBudget } from '../tests/support/fake-call-budget.ts';
import { setTimeout as delay } from '../tests/support/fake-delay.ts';
import { type PollerOptions, type PollOutcome, pollLocations, SourceAwayError } from './poller.ts';

vi.mock('node:timers/promises', () => import('../tests/support/fake-delay.ts'));

const start = new Date('2026-01-01T12:30:00Z');
const before = new Date('2026-01-01T12:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: start });
});
afterEach(() => {
  vi.useRealTimers();
});

const observed: PollAnswer = { kind: 'observation', body: '{}', observedAt: before };
const rejected: PollAnswer = { kind: 'rejected', reason: 'no dt', body: '{}' };
const unknown: PollAnswer = { kind: 'failed', reason: 'city not found', retryable: false };
const timeout: PollAnswer = { kind: 'failed', reason: 'timeout', retryable: true };
const limited: PollAnswer = { kind: 'limited', reason: 'too many calls', retryAfterMs: undefined };
const refusedKey = new HourglassError('UNAUTHORIZED', 'the key is refused');

type Said = PollAnswer | Error;
interface Place {
  /** One after the other; the last one again and again. */
  readonly says: readonly Said[];
  readonly polledAt?: Date | null;
  /** How long each answer takes. */
  readonly tookMs?: number;
}

/** Polls places with the ids 1, 2, 3, … and lets as much time pass as it takes. */
async function poll(places: readonly Place[], change: Partial<PollerOptions> = {}) {
  vi.setSystemTime(start);
  const asked: { readonly id: number; readonly atMs: number }[] = [];
  const outcomes: PollOutcome[] = [];
  const budget = change.budget ?? fakeCallBudget();
  const polling = pollLocations(
    places.map(({ polledAt = before }, index) => ({
      ...{ entityId: index + 1, name: `Place ${index + 1}`, cadenceMinutes: 10 },
      ...{ polledAt, recent: [], country: 'NO', lat: 0, lon: 0 },
    })),
    {
      source: {
        async poll({ entityId: id }) {
          const { says, tookMs = 0 } = places[id - 1] as Place;
          const said = says[Math.min(asked.filter((call) => call.id === id).length, says.length - 1)];
          asked.push({ id, atMs: Date.now() - start.getTime() });
          if (tookMs > 0) await delay(tookMs);
          if (said instanceof Error) throw said;
          return said as PollAnswer;
        },
      },
      ...{ concurrency: 4, spreadMs: 0, now: () => new Date(), scheduledAt: start, startedAt: start },
      ...{ deadlineMs: performance.now() + 180_000, signal: new AbortController().signal },
      onOutcome: (outcome) => outcomes.push(outcome),
      ...change,
      budget,
    },
  ).then(
    (ended) => ({ ended, thrown: undefined }),
    (thrown: unknown) => ({ ended: undefined, thrown }),
  );
  let isOver = false;
  void polling.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await vi.advanceTimersByTimeAsync(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const kinds = outcomes
    .toSorted((a, b) => a.location.entityId - b.location.entityId)
    .map(({ answer }) => answer.kind);
  return { ...(await polling), outcomes, asked, kinds };
}

const times = (count: number, ...says: readonly Said[]): Place[] =>
  Array.from({ length: count }, () => ({ says }));

describe('one location', () => {
  test('that fails is asked three times, each time after a longer pause', async () => {
    const { outcomes, asked } = await poll([{ says: [timeout] }, { says: [observed] }]);
    const atMs = asked.filter(({ id }) => id === 1).map((call) => call.atMs);
    expect(atMs).toEqual([0, 500, 1_500]);
    expect(outcomes.find(({ location }) => location.entityId === 1)).toMatchObject({
      ...{ answer: timeout, calls: 3 },
    });
  });

  test('that answers after all has that answer, with the number of its calls', async () => {
    const { ended, outcomes } = await poll([{ says: [timeout, timeout, observed] }]);
    expect(ended).toBeUndefined();
    expect(outcomes).toMatchObject([{ answer: observed, calls: 3 }]);
  });

  test.each([unknown, rejected])('that is $kind for good is asked once', async (answer) => {
    const { asked, kinds } = await poll([{ says: [answer] }, { says: [observed] }]);
    expect(asked).toHaveLength(2);
    expect(kinds).toEqual([answer.kind, 'observation']);
  });

  test('that is refused for a limit tells the budget how long, which lets it through again', async () => {
    const budget = fakeCallBudget();
    const asks: PollAnswer = { ...limited, retryAfterMs: 7_000 };
    const { outcomes } = await poll([{ says: [asks, limited, observed] }], { budget });
    expect(outcomes).toMatchObject([{ answer: observed, calls: 3 }]);
    expect([budget.refusals, budget.answers()]).toEqual([[7_000, undefined], 1]);
    expect(budget.taken).toEqual(['live', 'live', 'live']);
  });

  test('that is not due is not asked and has no outcome', async () => {
    const { asked, outcomes } = await poll([{ says: [observed], polledAt: start }, { says: [observed] }]);
    expect(asked.map(({ id }) => id)).toEqual([2]);
    expect(outcomes.map(({ location }) => location.entityId)).toEqual([2]);
  });
});

describe('many locations', () => {
  test('are called within the spread, those that were never polled at once', async () => {
    const places = [...times(40, observed), ...times(5, observed).map((one) => ({ ...one, polledAt: null }))];
    const { asked } = await poll(places, { spreadMs: 30_000 });
    const [old, fresh] = [asked.filter(({ id }) => id <= 40), asked.filter(({ id }) => id > 40)];
    expect(fresh.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 0, 0]);
    expect(Math.max(...old.map(({ atMs }) => atMs))).toBeGreaterThan(20_000);
    expect(Math.max(...old.map(({ atMs }) => atMs))).toBeLessThan(30_000);
  });

  test('of a run that is retried late are called without the spread', async () => {
    const { asked } = await poll(times(20, observed), {
      ...{ spreadMs: 30_000, startedAt: new Date(start.getTime() - 60_000) },
    });
    expect(asked.map(({ atMs }) => atMs)).toEqual(new Array(20).fill(0));
  });

  test('are called so many at once as may be, and no more', async () => {
    let [under, most] = [0, 0];
    const source = {
      async poll() {
        under += 1;
        most = Math.max(most, under);
        await delay(100);
        under -= 1;
        return observed;
      },
    };
    await poll(times(30, observed), { source });
    expect(most).toBe(4);
  });

  test('go on whatever happens to one of them', async () => {
    const { ended, kinds } = await poll([
      ...[{ says: [unknown] }, { says: [timeout] }, { says: [rejected] }, { says: [limited] }],
      ...times(6, observed),
    ]);
    expect(ended).toBeUndefined();
    expect(kinds.slice(0, 4)).toEqual(['failed', 'failed', 'rejected', 'limited']);
    expect(kinds.slice(4)).toEqual(new Array(6).fill('observation'));
  });
});

describe('a source that is away', () => {
  test('is left alone after three rounds of failures; the others are skipped, with why', async () => {
    const { ended, kinds, asked, outcomes } = await poll(times(50, timeout));
    expect(ended).toBeInstanceOf(SourceAwayError);
    expect(ended?.message).toMatch(/^None of the 1[2-5] locations called last could be had; the last one: t/);
    const skipped = kinds.filter((kind) => kind === 'skipped').length;
    expect(skipped).toBeGreaterThanOrEqual(50 - 15);
    expect(asked).toHaveLength(3 * (50 - skipped));
    for (const { answer } of outcomes)
      if (answer.kind === 'skipped') expect(answer.reason).toContain('could be had; the last one: timeout');
  });

  test('is not taken for away while any of so many in a row answers, also that it knows nothing', async () => {
    const places = Array.from({ length: 60 }, (_, index) => ({
      says: [index === 5 ? observed : index % 11 === 0 ? unknown : timeout],
    }));
    const { ended, kinds } = await poll(places, { concurrency: 4 });
    expect(ended).toBeUndefined();
    expect(kinds).not.toContain('skipped');
  });

  test('is away when five fail, or all there are, but not when some of more do', async () => {
    const notDue: Place = { says: [observed], polledAt: start };
    expect((await poll([...times(4, timeout), notDue])).ended).toBeUndefined();
    expect((await poll([...times(5, timeout), notDue])).ended).toBeInstanceOf(SourceAwayError);
    expect((await poll(times(1, timeout))).ended).toBeInstanceOf(SourceAwayError);
    // A wrong address answers so to each of them.
    expect((await poll([...times(4, unknown), notDue])).ended).toBeUndefined();
    expect((await poll(times(5, unknown))).ended).toBeInstanceOf(SourceAwayError);
    expect((await poll([notDue])).ended).toBeUndefined();
    expect((await poll([])).ended).toBeUndefined();
  });

  test('that hangs until each call times out still leaves the run time to end', async () => {
    const places = times(100, timeout).map((place) => ({ ...place, tookMs: 40_000 }));
    const { ended, outcomes } = await poll(places);
    expect(Date.now() - start.getTime()).toBeLessThan(180_000 + 41_000);
    expect(outcomes).toHaveLength(100);
    expect(ended).toBeInstanceOf(SourceAwayError);
  });
});

describe('polling that ends early', () => {
  test('because the source refuses everybody says so, and calls nobody who was not being called', async () => {
    const places = times(40, observed);
    places[9] = { says: [refusedKey] };
    const { ended, kinds, outcomes } = await poll(places);
    expect(ended).toBe(refusedKey);
    expect(kinds[9]).toBe('failed');
    expect(outcomes[9]?.answer).toMatchObject({ retryable: true });
    expect(kinds.filter((kind) => kind === 'skipped').length).toBeGreaterThanOrEqual(40 - 14);
  });

  test('because no call is left says so; whoever was called before has its last answer', async () => {
    const { ended, kinds, outcomes, asked } = await poll(times(30, observed), { budget: fakeCallBudget(7) });
    expect(ended).toBeInstanceOf(BudgetExhaustedError);
    expect(asked).toHaveLength(7);
    expect(kinds.filter((kind) => kind === 'observation')).toHaveLength(7);
    expect(outcomes.at(-1)).toMatchObject({
      ...{
        calls: 0,
        answer: { kind: 'skipped', reason: expect.stringContaining('No call was left for live') },
      },
    });
    const last = await poll([{ says: [timeout] }], { budget: fakeCallBudget(1) });
    expect(last.outcomes).toMatchObject([{ answer: timeout, calls: 1 }]);
  });

  test('because its time is up skips the rest', async () => {
    const places = times(40, observed).map((place) => ({ ...place, tookMs: 30_000 }));
    const { ended, kinds } = await poll(places, { deadlineMs: performance.now() + 100_000 });
    expect(ended).toBeUndefined();
    expect(kinds.filter((kind) => kind === 'observation')).toHaveLength(16);
    expect(kinds.filter((kind) => kind === 'skipped')).toHaveLength(24);
    expect(Date.now() - start.getTime()).toBeLessThan(125_000);
  });

  test.each([
    ['the database', { budget: { ...fakeCallBudget(), take: () => Promise.reject(databaseAway) } }],
    [
      'whoever takes the outcomes',
      {
        onOutcome: () => {
          throw databaseAway;
        },
      },
    ],
  ])('because %s fails is that failure', async (_, change) => {
    expect((await poll(times(3, observed), change)).thrown).toBe(databaseAway);
  });

  test('because a program is wrong is not taken for an answer of the source', async () => {
    const wrong = new TypeError('x is not a function');
    expect((await poll(times(3, wrong))).thrown).toBe(wrong);
  });

  test('because it is cancelled ends with that reason while calls and pauses are under way', async () => {
    const controller = new AbortController();
    const reason = new Error('the worker stops');
    setTimeout(() => controller.abort(reason), 5_000);
    const { thrown, outcomes } = await poll(times(40, observed), {
      ...{ signal: controller.signal, spreadMs: 30_000 },
    });
    expect(thrown).toBe(reason);
    expect(Date.now() - start.getTime()).toBeLessThan(6_000);
    expect(outcomes.length).toBeLessThan(40);
  });
});

const databaseAway = new PostgresError('the query lock-call-budget', new Error('connection refused'));

test('whatever the source says and however many calls are left, each due location has exactly one outcome', async () => {
  const says = fc.array(fc.constantFrom<Said>(observed, rejected, unknown, timeout, limited, refusedKey), {
    ...{ minLength: 1, maxLength: 6 },
  });
  const place = fc.record({ says, polledAt: fc.constantFrom(null, before, start), tookMs: fc.nat(20_000) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(place, { maxLength: 30 }),
      fc.oneof(fc.nat(60), fc.constant(Number.POSITIVE_INFINITY)),
      fc.integer({ min: 1, max: 8 }),
      async (places, calls, concurrency) => {
        const budget = fakeCallBudget(calls);
        const { outcomes, asked, thrown, ended } = await poll(places, { budget, concurrency });
        expect(thrown).toBeUndefined();
        const due = places.flatMap(({ polledAt }, index) => (polledAt === start ? [] : [index + 1]));
        const ids = outcomes.map(({ location }) => location.entityId);
        expect(ids.toSorted((a, b) => a - b)).toEqual(due);
        for (const { location, answer, calls: made } of outcomes) {
          expect(made).toBe(asked.filter(({ id }) => id === location.entityId).length);
          expect(answer.kind === 'skipped').toBe(made === 0);
        }
        expect(asked).toHaveLength(budget.taken.length);
        const wereAllCalled = outcomes.every(({ answer }) => answer.kind !== 'skipped');
        const isInTime = Date.now() - start.getTime() < 180_000;
        expect(wereAllCalled || ended !== undefined || !isInTime).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});
