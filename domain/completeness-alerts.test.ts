import { describe, expect, test } from 'vitest';
import { type Alert, alertSchema } from '../schemas/alert.ts';
import {
  alertOfCheck,
  alertOfReturn,
  alertOfSilence,
  type CheckFindings,
  type Finding,
} from './completeness-alerts.ts';

const begunAt = new Date('2026-03-01T10:12:00Z');
const now = new Date('2026-03-01T10:13:00Z');
const hour = (text: string): Date => new Date(`2026-03-01T${text}:00:00Z`);
const finding = (given: Partial<Finding> = {}): Finding => ({
  ...{ verdict: 'missing', windows: 3, firstHour: hour('08'), lastHour: hour('08') },
  ...given,
});
const alertOf = (given: Partial<CheckFindings>): Alert | undefined => {
  const alert = alertOfCheck({
    ...{ pipeline: 'a-pipeline', findings: [], isTroubled: false, told: undefined, begunAt, now },
    ...given,
  });
  if (alert !== undefined) expect(alertSchema.parse(alert)).toEqual(alert);
  return alert;
};

describe('a check that has found something', () => {
  test('tells it once, however many windows it is about', () => {
    expect(alertOf({ findings: [finding()], isTroubled: true })).toEqual({
      ...{ status: 'raised', kind: 'windows-incomplete', subject: 'completeness/a-pipeline' },
      id: `completeness/a-pipeline/windows-incomplete/${begunAt.getTime()}`,
      reason:
        'Windows were found to be not complete in the hour 2026-03-01T08:00Z: 3 missing. See `npx hourglass completeness show`.',
      ...{ since: begunAt.toISOString(), at: now.toISOString() },
    });
    const several = [
      finding(),
      finding({ verdict: 'mismatched', windows: 1, firstHour: hour('05'), lastHour: hour('09') }),
    ];
    expect(alertOf({ findings: several })?.reason).toContain(
      'in hours from 2026-03-01T05:00Z to 2026-03-01T09:00Z: 3 missing, 1 mismatched.',
    );
  });

  test('goes on with the trouble that was told, under its id', () => {
    const told = alertOf({ findings: [finding()], begunAt: hour('07') });
    const again = alertOf({ findings: [finding()], told, isTroubled: true });
    expect(again).toMatchObject({ status: 'raised', id: told?.id, since: told?.since });
    const over = alertOf({ told: again });
    expect(over).toMatchObject({ status: 'resolved', id: told?.id });
    expect(alertOf({ findings: [finding()], told: over })?.id).not.toBe(told?.id);
  });
});

describe('a check that has found nothing new', () => {
  test('says nothing: neither when nothing was told, nor as long as it is not over, nor twice that it is', () => {
    const told = alertOf({ findings: [finding()] });
    expect(alertOf({})).toBeUndefined();
    expect(alertOf({ isTroubled: true })).toBeUndefined();
    expect(alertOf({ told, isTroubled: true })).toBeUndefined();
    expect(alertOf({ told: alertOf({ told }) })).toBeUndefined();
  });
});

describe('checks that do not end', () => {
  const endedAt = new Date('2026-03-01T10:13:00Z');
  const later = (hours: number, minutes = 29): Date =>
    new Date(endedAt.getTime() + (hours * 60 + minutes) * 60_000);

  test('are told after three hours, and again each time that it is twice as long', () => {
    const told = Array.from({ length: 50 }, (_, hours) => hours).filter(
      (hours) => alertOfSilence('a-pipeline', endedAt, later(hours)) !== undefined,
    );
    expect(told).toEqual([3, 6, 12, 24, 48]);
    const alert = alertOfSilence('a-pipeline', endedAt, later(3));
    expect(alertSchema.parse(alert)).toMatchObject({
      status: 'raised',
      kind: 'check-missing',
      since: endedAt.toISOString(),
    });
  });

  test('are over with the first that ends, under the same id', () => {
    const alert = alertOfReturn('a-pipeline', endedAt, later(7));
    expect(alertSchema.parse(alert)).toMatchObject({
      ...{ status: 'resolved', id: alertOfSilence('a-pipeline', endedAt, later(6))?.id },
    });
    expect(alertOfReturn('a-pipeline', endedAt, later(2))).toBeUndefined();
  });

  test('are not known before the first', () => {
    expect(alertOfSilence('a-pipeline', undefined, later(9))).toBeUndefined();
    expect(alertOfReturn('a-pipeline', undefined, later(9))).toBeUndefined();
  });
});
