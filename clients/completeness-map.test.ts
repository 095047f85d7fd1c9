import { describe, expect, test } from 'vitest';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { everyWindow, locationsToMap, proofsOfSource, verdictsOf } from './completeness-map.ts';

const range = { from: new Date('2026-01-30T00:00:00Z'), to: new Date('2026-01-31T00:00:00Z') };
const question = { pipeline: 'weather', ...range };

describe('what people are shown of the ledger', () => {
  test('is read page by page, each going on after the last window of the one before', async () => {
    const windowOf = (id: number) => ({ entity_id: id, window_start: range.from });
    const database = fakeDatabase({
      'judged-windows': (parameters) =>
        parameters.at(-1) === null
          ? Array.from({ length: 5_000 }, (_, index) => windowOf(index))
          : [windowOf(5_000)],
    });
    const seen: number[] = [];
    for await (const { entityId } of everyWindow(database, question)) seen.push(entityId);
    expect(seen).toEqual(Array.from({ length: 5_001 }, (_, index) => index));
    expect(database.askedFor('judged-windows').map((parameters) => parameters.slice(-2))).toEqual([
      [null, null],
      [range.from, 4_999],
    ]);
  });

  test('has the counts by verdict, and how many locations there are beside those that are shown', async () => {
    const database = fakeDatabase({
      'verdicts-of-range': [{ verdict: 'complete', windows: 3 }],
      'locations-to-map': [{ entity_id: 1, name: 'Oslo', country: 'NO', flawed: 2, locations: 7 }],
    });
    expect(await verdictsOf(database, question)).toEqual({ complete: 3 });
    expect(await locationsToMap(database, { ...question, limit: 1 })).toEqual({
      locations: [{ entityId: 1, name: 'Oslo', country: 'NO', flawed: 2 }],
      all: 7,
    });
    const none = await locationsToMap(fakeDatabase(), { ...question, limit: 1 });
    expect(none).toEqual({ locations: [], all: 0 });
  });

  test('leaves out the proofs that there are not', async () => {
    const backfills = [{ backfill: 'weather-1', chunk: 'batch-1', status: 'done' }];
    const database = fakeDatabase({ 'proofs-of-source': [{ answered_polls: null, backfills }] });
    const window = { entityId: 1, windowStart: range.from, windowEnd: range.to };
    const asked = { pipeline: 'weather', source: 'mock', ...window };
    expect(await proofsOfSource(database, asked)).toEqual({ backfills });
  });
});
