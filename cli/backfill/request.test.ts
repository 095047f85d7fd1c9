import { describe, expect, test } from 'vitest';
import { requestOf } from './request.ts';

const now = new Date('2026-02-03T17:42:00Z');
const range = { pipeline: 'weather', from: '2026-01-30', to: '2026-01-31T06:00:00+01:00' };

describe('the request of a backfill', () => {
  test('takes a date as its midnight, and any zone as UTC', () => {
    expect(requestOf(range, undefined, now)).toMatchObject({
      ...{ from: '2026-01-30T00:00:00Z', to: '2026-01-31T05:00:00Z' },
      ...{ input: 'history', reprocess: 'missing', order: 'newest', maxConcurrency: 4 },
    });
  });

  test('takes an hour as every other command does', () => {
    const hours = { pipeline: 'weather', from: '2026-01-30T17', to: '2026-01-31 18:00' };
    expect(requestOf(hours, undefined, now)).toMatchObject({
      ...{ from: '2026-01-30T17:00:00Z', to: '2026-01-31T18:00:00Z' },
    });
  });

  test('takes hours that lie so long back', () => {
    const hours = { pipeline: 'weather', from: '3d', to: '25h' };
    expect(requestOf(hours, undefined, now)).toMatchObject({
      ...{ from: '2026-01-31T17:00:00Z', to: '2026-02-02T16:00:00Z' },
    });
    expect(requestOf({ ...hours, to: 'now' }, undefined, now).to).toBe('2026-02-03T17:00:00Z');
  });

  test('names locations by their ids, and a file by a path that any process understands', () => {
    const locations = [{ city_id: 7, name: 'Oslo', country: 'NO' }];
    const request = requestOf({ ...range, city: ['Oslo'], input: 'file', file: 'a.ndjson' }, locations, now);
    expect(request).toMatchObject({ entities: [7], file: `${process.cwd()}/a.ndjson` });
  });

  test('is refused with every mistake at once, by the names of the options', () => {
    const wrong = { pipeline: 'weather', from: '2026-01-30T00:30:00Z', maxConcurrency: 0 };
    expect(() => requestOf(wrong, undefined, now)).toThrow(
      /--from is "2026-01-30T00:30:00Z".*whole hour.*; --to is missing.*; --max-concurrency is "0"/,
    );
    expect(() => requestOf({ ...range, file: 'a.ndjson' }, undefined, now)).toThrow(/the input is history/);
  });
});
