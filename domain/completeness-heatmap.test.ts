import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR_MS } from './backfill-windows.ts';
import { type HeatmapWindow, heatmapBlocks } from './completeness-heatmap.ts';
import { COMPLETENESS_VERDICTS } from './completeness-verdicts.ts';

const hour = (text: string): Date => new Date(`${text}:00:00Z`);
const oslo = { entityId: 1, name: 'Oslo' };
const quito = { entityId: 2, name: 'Quito' };

describe('the map of windows', () => {
  test('has a row for each location in the given order, and a cell for each hour, empty where nothing was judged', () => {
    const windows: HeatmapWindow[] = [
      { entityId: 1, windowStart: hour('2026-01-30T23'), verdict: 'complete' },
      { entityId: 1, windowStart: hour('2026-01-31T01'), verdict: 'missing' },
      { entityId: 2, windowStart: hour('2026-01-31T00'), verdict: 'partial' },
    ];
    const range = { from: hour('2026-01-30T22'), to: hour('2026-01-31T02') };
    expect(heatmapBlocks({ ...range, locations: [quito, oslo], windows, columns: 60 })).toEqual([
      {
        stretches: [
          { day: '2026-01-30', firstHour: 22, hours: 2 },
          { day: '2026-01-31', firstHour: 0, hours: 2 },
        ],
        rows: [
          {
            ...quito,
            cells: [
              [undefined, undefined],
              ['partial', undefined],
            ],
          },
          {
            ...oslo,
            cells: [
              [undefined, 'complete'],
              [undefined, 'missing'],
            ],
          },
        ],
      },
    ]);
  });

  test('puts whole days beside each other as far as they fit, and later ones in further blocks', () => {
    const range = { from: hour('2026-01-28T00'), to: hour('2026-01-31T00') };
    const blocks = heatmapBlocks({ ...range, locations: [oslo], windows: [], columns: 49 });
    expect(blocks.map(({ stretches }) => stretches.map(({ day }) => day))).toEqual([
      ['2026-01-28', '2026-01-29'],
      ['2026-01-30'],
    ]);
  });

  test('divides a day where not even one fits', () => {
    const range = { from: hour('2026-01-28T00'), to: hour('2026-01-29T00') };
    const blocks = heatmapBlocks({ ...range, locations: [oslo], windows: [], columns: 14 });
    expect(blocks.map(({ stretches }) => stretches)).toEqual([
      [{ day: '2026-01-28', firstHour: 0, hours: 12 }],
      [{ day: '2026-01-28', firstHour: 12, hours: 12 }],
    ]);
  });

  test('holds every hour of any range exactly once and in order, within the width', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 400_000, max: 500_000 }),
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 6, max: 300 }),
        (first, length, columns) => {
          const hours = Array.from({ length }, (_, index) => new Date((first + index) * HOUR_MS));
          const windows = hours.map((windowStart, index) => ({
            ...{ entityId: 1, windowStart },
            verdict: COMPLETENESS_VERDICTS[index % COMPLETENESS_VERDICTS.length] ?? 'open',
          }));
          const range = { from: new Date(first * HOUR_MS), to: new Date((first + length) * HOUR_MS) };
          const blocks = heatmapBlocks({ ...range, locations: [oslo], windows, columns });
          const cells = blocks.flatMap(({ rows }) => rows.flatMap((row) => row.cells.flat()));
          expect(cells).toEqual(windows.map(({ verdict }) => verdict));
          for (const { stretches } of blocks) {
            const width = stretches.reduce((sum, { hours: some }) => sum + some + 1, -1);
            expect(width).toBeLessThanOrEqual(columns);
          }
        },
      ),
    );
  });
});
