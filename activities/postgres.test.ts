import { describe, expect, test } from 'vitest';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { createPostgresActivities } from './postgres.ts';

const at = (now: string, made?: number) => {
  const database = fakeDatabase(made === undefined ? {} : { 'ensure-partitions': [{ made }] });
  return {
    database,
    activities: createPostgresActivities({ database, pipelines: ['one', 'other'], now: () => new Date(now) }),
  };
};

describe('ensurePartitions', () => {
  test.each([
    ['2026-06-15T12:00:00Z', '2026-05-01', '2026-08-01'],
    ['2026-01-31T23:59:59Z', '2025-12-01', '2026-03-01'],
    ['2026-11-01T00:00:00Z', '2026-10-01', '2027-01-01'],
    ['2026-12-31T23:30:00-05:00', '2026-12-01', '2027-03-01'],
  ])('at %s asks for the months from %s to %s of every pipeline, in UTC', async (now, first, last) => {
    const { database, activities } = at(now);
    await activities.ensurePartitions();
    expect(database.askedFor('ensure-partitions')).toEqual([
      [first, last],
      [first, last],
    ]);
  });

  test('returns how many were missing', async () => {
    expect(await at('2026-06-15T12:00:00Z', 2).activities.ensurePartitions()).toBe(4);
    expect(await at('2026-06-15T12:00:00Z').activities.ensurePartitions()).toBe(0);
  });
});
