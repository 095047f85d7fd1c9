import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PollAnswer } from '../schemas/pipeline.ts';
import { callDelayMs, isDue, isNew, retryDelayMs, slotOf } from './polling.ts';

const instants = fc.date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true });
const entityIds = fc.integer({ min: 1, max: 20_000_000 });
const cadences = fc.integer({ min: 1, max: 1440 });

describe('when a location is due', () => {
  test('a location that was never polled is due at any time', () => {
    fc.assert(
      fc.property(entityIds, cadences, instants, (entityId, cadenceMinutes, now) => {
        expect(isDue({ entityId, cadenceMinutes, polledAt: null }, now)).toBe(true);
      }),
    );
  });

  test('asked each minute, a location is polled exactly once in each cadence', () => {
    fc.assert(
      fc.property(
        entityIds,
        fc.integer({ min: 1, max: 120 }),
        instants,
        (entityId, cadenceMinutes, start) => {
          let polledAt = start;
          const polls: number[] = [];
          for (let minute = 1; minute <= 3 * cadenceMinutes; minute += 1) {
            const now = new Date(start.getTime() + minute * 60_000);
            if (isDue({ entityId, cadenceMinutes, polledAt }, now)) {
              polls.push(minute);
              polledAt = now;
            }
          }
          expect(polls).toHaveLength(3);
          for (const [index, minute] of polls.entries()) {
            if (index > 0) expect(minute - (polls[index - 1] as number)).toBe(cadenceMinutes);
          }
        },
      ),
    );
  });

  test('however long the source was away, one poll catches up', () => {
    fc.assert(
      fc.property(
        entityIds,
        cadences,
        instants,
        fc.integer({ min: 0, max: 10_000 }),
        (entityId, cadenceMinutes, polledAt, minutes) => {
          const now = new Date(polledAt.getTime() + (cadenceMinutes + minutes) * 60_000);
          expect(isDue({ entityId, cadenceMinutes, polledAt }, now)).toBe(true);
          expect(isDue({ entityId, cadenceMinutes, polledAt: now }, now)).toBe(false);
        },
      ),
    );
  });

  test('the slots of different locations begin at different minutes', () => {
    const begins = (entityId: number): number => {
      const base = slotOf(entityId, 10, new Date(0));
      return (
        Array.from({ length: 10 }, (_, minute) => minute).find(
          (minute) => slotOf(entityId, 10, new Date(minute * 60_000)) > base,
        ) ?? 0
      );
    };
    expect(new Set(Array.from({ length: 100 }, (_, entityId) => begins(entityId))).size).toBe(10);
  });
});

describe('the calls of a run', () => {
  const polledAt = new Date('2026-01-01T12:00:00Z');
  const spreads = fc.integer({ min: 0, max: 45_000 });

  test('are spread within the time they have, and a retry of the run spreads them the same way', () => {
    fc.assert(
      fc.property(entityIds, instants, spreads, (entityId, scheduledAt, spreadMs) => {
        const delayMs = callDelayMs({ entityId, polledAt }, scheduledAt, spreadMs);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThan(Math.max(1, spreadMs));
        expect(Number.isInteger(delayMs)).toBe(true);
        expect(callDelayMs({ entityId, polledAt }, new Date(scheduledAt), spreadMs)).toBe(delayMs);
      }),
    );
  });

  test('of the locations that are due in one minute come at an even pace', () => {
    const scheduledAt = new Date('2026-01-01T12:30:00Z');
    const perSecond = new Array<number>(30).fill(0);
    for (let entityId = 7; entityId < 30_000; entityId += 10) {
      const second = Math.floor(callDelayMs({ entityId, polledAt }, scheduledAt, 30_000) / 1_000);
      perSecond[second] = (perSecond[second] ?? 0) + 1;
    }
    // 3,000 calls in 30 seconds are 100 in each.
    expect(Math.min(...perSecond)).toBeGreaterThan(80);
    expect(Math.max(...perSecond)).toBeLessThan(120);
  });

  test('come to a location at another time in each run', () => {
    fc.assert(
      fc.property(entityIds, instants, (entityId, first) => {
        const delays = Array.from({ length: 20 }, (_, run) =>
          callDelayMs({ entityId, polledAt }, new Date(first.getTime() + run * 600_000), 30_000),
        );
        expect(new Set(delays).size).toBeGreaterThan(15);
      }),
    );
  });

  test('do not keep a location waiting that was never polled', () => {
    fc.assert(
      fc.property(entityIds, instants, spreads, (entityId, scheduledAt, spreadMs) => {
        expect(callDelayMs({ entityId, polledAt: null }, scheduledAt, spreadMs)).toBe(0);
      }),
    );
  });
});

describe('what a source answered', () => {
  test('is new when none of the last observations has its time, whether it is later or earlier', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1_000), { minLength: 1, maxLength: 24 }), (seconds) => {
        const [observedAt, ...others] = seconds.map((second) => new Date(second * 1_000)) as [
          Date,
          ...Date[],
        ];
        expect(isNew(observedAt, others)).toBe(true);
        expect(isNew(new Date(observedAt), [...others, observedAt])).toBe(false);
      }),
    );
  });
});

describe('a location is asked again within the run', () => {
  const failed: PollAnswer = { kind: 'failed', reason: 'timeout', retryable: true };
  const limited: PollAnswer = { kind: 'limited', reason: 'too many calls', retryAfterMs: undefined };
  const delays = (answer: PollAnswer) =>
    Array.from({ length: 6 }, (_, index) => retryDelayMs(answer, index + 1));

  test('twice after failures that may pass, each time later', () => {
    expect(delays(failed)).toEqual([500, 1_000, undefined, undefined, undefined, undefined]);
  });

  test('four times after refusals for a limit, as soon as the budget lets it', () => {
    expect(delays(limited)).toEqual([0, 0, 0, 0, undefined, undefined]);
  });

  test.each<PollAnswer>([
    { kind: 'failed', reason: 'city not found', retryable: false },
    { kind: 'rejected', reason: 'no dt', body: '{}' },
    { kind: 'observation', body: '{}', observedAt: new Date(0) },
  ])('never after $kind with $reason', (answer) => {
    expect(delays(answer).every((delay) => delay === undefined)).toBe(true);
  });
});
