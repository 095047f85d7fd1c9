import { describe, expect, test } from 'vitest';
import { SKIP_REASONS } from '../../domain/backfill-plan.ts';
import { dayDocument, dayLine } from './plan-text.ts';

const none = Object.fromEntries(SKIP_REASONS.map((reason) => [reason, 0])) as Record<
  (typeof SKIP_REASONS)[number],
  number
>;
/** Hours 0 to 5 and 7 by batch, 6 complete. */
const day = {
  ...{ entityId: 7, day: '2026-01-30' },
  create: { stream: 0, batch: 0b1011_1111 },
  skip: { ...none, complete: 0b0100_0000 },
};

describe('a day of a plan', () => {
  test('is a line with the hours and what becomes of them', () => {
    expect(dayLine(day)).toBe('2026-01-30 7  by batch 00–05, 07; complete 06');
  });

  test('is data with every hour by itself', () => {
    expect(dayDocument(day)).toEqual({
      ...{ entityId: 7, day: '2026-01-30' },
      create: { stream: [], batch: [0, 1, 2, 3, 4, 5, 7] },
      skip: { complete: [6] },
    });
  });
});
