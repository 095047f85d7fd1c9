import { describe, expect, test } from 'vitest';
import { backfillRequestSchema } from './backfill.ts';

const least = { pipeline: 'a-pipeline', from: '2026-01-01T00:00:00Z', to: '2026-01-31T00:00:00Z' };
const mistakesOf = (given: object): string[] =>
  backfillRequestSchema
    .safeParse({ ...least, ...given })
    .error?.issues.map(({ path, message }) => [...path, message].join(': ')) ?? [];

describe('a request for a backfill', () => {
  test('needs a pipeline and a range alone', () => {
    expect(backfillRequestSchema.parse(least)).toEqual({
      ...least,
      input: 'history',
      reprocess: 'missing',
      order: 'newest',
      maxConcurrency: 4,
      purpose: 'backfill',
      reason: '',
    });
    expect(
      backfillRequestSchema.safeParse({}).error?.issues.map(({ path: [field], message }) => [field, message]),
    ).toEqual([
      ['pipeline', 'expected the name of a pipeline'],
      ['from', 'expected a whole hour, for example 2026-01-31T17:00:00Z'],
      ['to', 'expected a whole hour, for example 2026-01-31T17:00:00Z'],
    ]);
  });

  test('is written in UTC, with its locations sorted and each once', () => {
    const given = {
      from: '2025-12-31T19:00:00-05:00',
      to: '2026-01-01T05:30:00.000+05:30',
      entities: [2, 1, 2],
    };
    expect(backfillRequestSchema.parse({ ...least, ...given })).toMatchObject({
      from: '2026-01-01T00:00:00Z',
      to: '2026-01-01T00:00:00Z',
      entities: [1, 2],
    });
    const once = backfillRequestSchema.parse({ ...least, ...given });
    expect(backfillRequestSchema.parse(once)).toEqual(once);
  });

  test.each([
    [
      { from: '2026-01-01T00:30:00Z' },
      'from: 2026-01-01T00:30:00Z is not a whole hour in UTC: give the hour, such as 2026-01-31T17:00:00Z',
    ],
    [
      { from: '2026-01-01T00:00:00+05:30' },
      'from: 2026-01-01T00:00:00+05:30 is not a whole hour in UTC: give the hour, such as 2026-01-31T17:00:00Z',
    ],
    [{ to: '2026-02-30T00:00:00Z' }, 'to: expected a whole hour with its zone, such as 2026-01-31T17:00:00Z'],
    [{ to: '2026-02-01' }, 'to: expected a whole hour with its zone, such as 2026-01-31T17:00:00Z'],
    [{ from: '0001-01-01T00:00:00Z' }, 'from: 0001-01-01T00:00:00Z is outside the years 1970 to 2199'],
    [{ entities: [] }, 'entities: names no location: leave it out for all of them'],
    [{ entities: ['1'] }, "entities: 0: expected a location's id, a positive whole number"],
    [{ input: 'csv' }, 'input: expected one of: history, kafka, file'],
    [{ input: 'file' }, 'the input file needs the path of one (file)'],
    [
      { file: 'rows.ndjson' },
      'a file is given, but the input is history: set input to file, or leave the file out',
    ],
    [{ units: 'metric' }, 'units are of a file, but the input is history: leave them out'],
    [{ reprocess: 'everything' }, 'reprocess: expected one of: missing, failed, all'],
    [{ maxConcurrency: 51 }, 'maxConcurrency: at most 50 chunks are loaded at a time'],
    [{ cities: [1] }, 'Unrecognized key: "cities"'],
  ])('%j is refused in words', (given, mistake) => {
    expect(mistakesOf(given)).toEqual([mistake]);
  });
});
