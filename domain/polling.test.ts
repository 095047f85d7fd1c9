import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isDue, slotOf } from './polling.ts';

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
