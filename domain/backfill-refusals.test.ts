import { describe, expect, test } from 'vitest';
import { type BackfillRequestInput, backfillRequestSchema } from '../schemas/backfill.ts';
import { type BackfillFacts, type PlanInput, planBackfill } from './backfill-plan.ts';
import { refusalOf } from './backfill-refusals.ts';
import { ALL_HOURS, DAY_MS, type EntityDay, HOUR_MS } from './backfill-windows.ts';

const now = new Date('2026-03-10T09:40:00Z');
const facts: BackfillFacts = {
  streamOwnsMs: 36 * HOUR_MS,
  horizonMs: { history: 20 * DAY_MS, kafka: 7 * DAY_MS, file: null },
  hoursPerSpan: 168,
  callsPerSpan: 1,
  callsPerMinute: 60,
};
const missing: EntityDay = {
  entityId: 1,
  day: '2026-03-01',
  expected: ALL_HOURS,
  complete: 0,
  failed: 0,
  underRepair: 0,
};

function refuse(
  given: Partial<BackfillRequestInput>,
  days: readonly EntityDay[] = [missing],
  running: PlanInput['running'] = [],
) {
  const request = backfillRequestSchema.parse({
    pipeline: 'a-pipeline',
    from: '2026-03-01T00:00:00Z',
    to: '2026-03-02T00:00:00Z',
    ...given,
  });
  return refusalOf(planBackfill({ request, days, now, facts, running, repeat: 1 }), now, facts);
}

describe('a plan is refused', () => {
  test('when its range is inverted or empty', () => {
    expect(refuse({ to: '2026-03-01T00:00:00Z' })).toMatchObject({ code: 'BACKFILL_RANGE_INVERTED' });
    expect(refuse({ from: '2026-03-03T00:00:00Z' })?.message).toBe(
      'The range from 2026-03-03T00:00:00Z to 2026-03-02T00:00:00Z holds no hour: the end does not belong to it and must lie after the beginning.',
    );
  });

  test('when no hour of it is over, but not when some are', () => {
    const future = { from: '2026-03-10T09:00:00Z', to: '2026-03-11T00:00:00Z' };
    const today = [{ ...missing, day: '2026-03-10' }];
    expect(refuse(future, today)?.message).toBe(
      'No hour from 2026-03-10T09:00:00Z on is over, it is 2026-03-10T09:40:00.000Z: give an earlier beginning.',
    );
    expect(refuse({ ...future, from: '2026-03-10T08:00:00Z' }, today)).toBeUndefined();
  });

  test('when it names locations that the registry does not hold', () => {
    expect(refuse({ entities: [3, 1, 2] })?.message).toBe(
      'The registry has no location with the id 2, 3: correct the id, or register it first.',
    );
    const many = Array.from({ length: 13 }, (_, index) => index + 2);
    expect(refuse({ entities: many })?.message).toContain('11 and 3 more: correct');
  });

  test('when the input reaches back to none of it', () => {
    expect(refuse({ from: '2026-02-01T00:00:00Z', to: '2026-02-18T10:00:00Z' })).toMatchObject({
      code: 'BACKFILL_BEYOND_HORIZON',
      message:
        'The input history reaches back to 2026-02-18T09:40:00.000Z, the range ends at 2026-02-18T10:00:00Z: give a later range or another input.',
    });
    expect(refuse({ from: '2026-02-01T00:00:00Z' })).toBeUndefined();
    expect(refuse({ input: 'kafka' })).toMatchObject({ code: 'BACKFILL_BEYOND_HORIZON' });
    expect(refuse({ input: 'file', file: 'a-file' })).toBeUndefined();
  });

  test('when nothing is left to load, with the reasons counted', () => {
    expect(refuse({}, [{ ...missing, complete: ALL_HOURS - 1, expected: ALL_HOURS - 3 }])?.message).toBe(
      'No window of the range is to be loaded: 2 not expected, 22 complete. Choose another range or other locations, or load complete hours anew (reprocess all).',
    );
    expect(refuse({}, [])?.message).toContain('the registry holds no location.');
  });

  test('when another backfill is to load some of it, by name; not when that is the same', () => {
    const remaining = [{ ...missing, hours: 7 }];
    const other = backfillRequestSchema.parse({
      pipeline: 'a-pipeline',
      from: '2026-03-01T00:00:00Z',
      to: '2026-03-01T03:00:00Z',
    });
    expect(refuse({}, [missing], [{ id: 'the-other', request: other, remaining }])).toMatchObject({
      code: 'BACKFILL_OVERLAPS',
      overlaps: [{ id: 'the-other', windows: 3 }],
      message:
        'Some of the windows are being loaded already, by the-other (3 windows): wait until it has ended, cancel it, or choose another range.',
    });
    const same = { id: 'it', request: { ...other, to: '2026-03-02T00:00:00Z' }, remaining };
    expect(refuse({}, [missing], [same])).toBeUndefined();
    expect(refuse({}, [{ ...missing, complete: ALL_HOURS }], [same])).toBeUndefined();
  });
});
