import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rangesToRecompute } from './backfill-recompute.ts';
import { ALL_HOURS, DAY_MS, dayNumberOf, dayOf, HOUR_MS, listHours } from './backfill-windows.ts';

const windows = fc.array(
  fc.record({
    entityId: fc.integer({ min: 1, max: 3 }),
    day: fc.integer({ min: 20_000, max: 20_100 }).map(dayOf),
    hours: fc.integer({ min: 0, max: ALL_HOURS }),
  }),
);

describe('the ranges that are made anew', () => {
  test('hold every window, do not overlap, and none is longer than it may be', () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: 1, max: 40 }), (given, mostDays) => {
        const ranges = rangesToRecompute(given, mostDays).map(({ from, to }) => ({
          from: Date.parse(from),
          to: Date.parse(to),
        }));
        for (const { day, hours } of given)
          for (const hour of listHours(hours)) {
            const at = dayNumberOf(day) * DAY_MS + hour * HOUR_MS;
            expect(ranges.filter(({ from, to }) => from <= at && at < to)).toHaveLength(1);
          }
        for (const [index, { from, to }] of ranges.entries()) {
          expect(from).toBeLessThan(to);
          expect(to - from).toBeLessThanOrEqual(mostDays * DAY_MS);
          expect(from).toBeGreaterThanOrEqual(ranges[index - 1]?.to ?? 0);
        }
      }),
    );
  });

  test('leave out days without a window', () => {
    const on = (day: string, hours: number) => ({ entityId: 1, day, hours });
    expect(
      rangesToRecompute([
        on('2026-01-03', 0b110),
        on('2026-01-01', 0b1000),
        on('2026-01-04', 1),
        on('2026-01-02', 0),
      ]),
    ).toEqual([
      { from: '2026-01-01T03:00:00Z', to: '2026-01-01T04:00:00Z' },
      { from: '2026-01-03T01:00:00Z', to: '2026-01-04T01:00:00Z' },
    ]);
  });
});
