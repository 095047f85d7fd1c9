import { describe, expect, test } from 'vitest';
import { completenessInputSchema } from './completeness.ts';

const asked = { pipeline: 'weather', source: 'mock' };
const range = { from: '2026-03-01T10:00:00Z', to: '2026-03-01T12:00:00Z' };
const mistakesOf = (given: object): string[] =>
  completenessInputSchema.safeParse({ ...asked, ...given }).error?.issues.map(({ message }) => message) ?? [];

describe('a check', () => {
  test('needs a pipeline and its source, and repairs unless told', () => {
    expect(completenessInputSchema.parse(asked)).toEqual({
      ...{ ...asked, shards: 1, repair: true },
      policy: {
        ...{ graceMinutes: 10, rejudgeHours: 24, mostAttempts: 3, mostConcurrentRepairs: 2 },
        ...{ mostWindowsOfARepair: 3_000, waitForStreamSeconds: 60, stepHours: 24 },
      },
    });
  });

  test('of a range is written in UTC, its locations in order and each once', () => {
    const given = { ...range, from: '2026-03-01T11:30:00+01:30', entities: [7, 3, 7] };
    expect(completenessInputSchema.parse({ ...asked, ...given })).toMatchObject({
      ...range,
      entities: [3, 7],
    });
  });

  test.each<[string, object, string]>([
    ['half a range', { from: range.from }, 'from and to are given together, or both left out'],
    [
      'a range without an hour',
      { ...range, to: range.from },
      `from (${range.from}) must lie before to (${range.from})`,
    ],
    ['locations without a range', { entities: [7] }, 'locations are named, but no range: give from and to'],
    ['no location', { ...range, entities: [] }, 'names no location: leave it out for all of them'],
    [
      'part of an hour',
      { ...range, from: '2026-03-01T10:30:00Z' },
      '2026-03-01T10:30:00Z is not a whole hour in UTC: give the hour, such as 2026-01-31T17:00:00Z',
    ],
  ])('of %s is refused', (_, given, mistake) => {
    expect(mistakesOf(given)).toEqual([mistake]);
  });

  test('with a slip of the pen is refused: it would widen what is judged', () => {
    expect(mistakesOf({ ...range, entitys: [7] })).toHaveLength(1);
    expect(mistakesOf({ policy: { mostAttempt: 1 } })).toHaveLength(1);
  });

  test('goes on as what it was', () => {
    const begun = {
      ...{ id: 'a-check', at: '2026-03-01T12:12:00.000Z', overUntil: '2026-03-01T12:00:00.000Z' },
      ranges: [{ from: '2026-03-01T10:00:00.000Z', to: '2026-03-01T12:00:00.000Z' }],
      logEnds: [{ topic: 'live', partition: 0, end: 7 }],
      ...{ openRepairs: ['batch-job/a'], isOnRecord: true, repairs: false },
    };
    const first = completenessInputSchema.parse(asked);
    const next = { ...first, carried: { begun, counts: { complete: 3 }, changed: 1, isWhole: true } };
    expect(completenessInputSchema.parse(JSON.parse(JSON.stringify(next)))).toEqual(next);
  });
});
