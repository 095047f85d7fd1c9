import { describe, expect, test } from 'vitest';
import { weather } from '../../pipelines/weather/definition.ts';
import { fakeDatabase } from '../../tests/support/fake-database.ts';
import { breakHour, chooseHour, countToTake, differencesOf } from './hour.ts';
import { brokenText, plannedText } from './text.ts';

const from = new Date('2026-01-31T17:00:00Z');
const oslo = { city_id: 1, name: 'Oslo', country: 'NO' };
const hour = {
  ...{ pipeline: 'weather', location: oslo, from, to: new Date('2026-01-31T18:00:00Z') },
  ...{ expected: 4, stored: 6 },
};

describe('the hour of a tour', () => {
  test('is one that is over for ten minutes, and whose records the log still holds', async () => {
    const database = fakeDatabase({
      'hour-for-tour': [{ ...oslo, window_start: from, expected: 4, stored: 6 }],
    });
    const now = new Date('2026-01-31T18:30:00Z');
    expect(await chooseHour(database, weather, undefined, now)).toEqual(hour);
    const [[until, since, topics, ids] = []] = database.askedFor('hour-for-tour');
    expect([until, since, ids]).toEqual([
      new Date('2026-01-31T18:20:00Z'),
      new Date('2026-01-30T18:30:00Z'),
      null,
    ]);
    expect(topics).toEqual(['weather.observations.v1', 'weather.repairs.v1']);
    expect(await chooseHour(fakeDatabase(), weather, [oslo], now)).toBeUndefined();
  });

  test.each([
    [6, 4, 3],
    [4, 4, 1],
    [1, 4, 1],
  ])(
    'of which %i are stored and %i expected loses %i, and then is not complete',
    (stored, expected, taken) => {
      expect(countToTake({ stored, expected })).toBe(taken);
    },
  );

  test('is broken exactly as it was said', async () => {
    const taken = [
      { observed_at: new Date('2026-01-31T17:50:00Z'), topic: 'live.v1', partition_id: 3, record_offset: 42 },
    ];
    const database = fakeDatabase({ 'break-hour': taken });
    expect(plannedText(hour)).toContain('the last 3 of its 6 observations are deleted');
    expect(await breakHour(database, hour)).toEqual(taken);
    expect(database.askedFor('break-hour')).toEqual([[1, from, 3]]);
    expect(
      brokenText(taken, { stored: 3, row: { observation_count: 6, temp_avg: 13.204, temp_max: null } }),
    ).toMatch(
      /17:50, which came from offset 42 of live\.v1, partition 3\n {2}3 observations stored; its row counts 6, temperature 13\.20 °C on average, nothing at most/,
    );
  });

  test('is true again when no figure of it differs, whatever other locations have', async () => {
    const differing = (entity_id: number) => ({ entity_id, differences: { temp_avg: {}, temp_max: {} } });
    const database = fakeDatabase({ 'audit-hours': [differing(2)] });
    expect(await differencesOf(database, hour)).toEqual([]);
    expect(database.askedFor('audit-hours')).toEqual([[null, hour.from, hour.to]]);
    expect(await differencesOf(fakeDatabase({ 'audit-hours': [differing(1)] }), hour)).toEqual([
      'temp_avg',
      'temp_max',
    ]);
  });
});
