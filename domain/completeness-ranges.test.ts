import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR_MS } from './backfill-windows.ts';
import {
  type JudgedRange,
  judgedUntil,
  newestHours,
  rangesOfHours,
  stepsToJudge,
} from './completeness-ranges.ts';

const policy = { graceMinutes: 10, rejudgeHours: 24, stepHours: 24 };
const at = (text: string): Date => new Date(`${text}Z`);
const hourOf = (date: Date): number => date.getTime() / HOUR_MS;
const hoursOf = (ranges: readonly JudgedRange[]): number[] =>
  ranges.flatMap(({ from, to }) =>
    Array.from({ length: hourOf(to) - hourOf(from) }, (_, index) => hourOf(from) + index),
  );

describe('the newest hours', () => {
  test('end with the last one that has been over for the time of grace', () => {
    expect(judgedUntil(at('2026-03-01T10:12:00'), policy)).toEqual(at('2026-03-01T10:00'));
    expect(judgedUntil(at('2026-03-01T10:10:00'), policy)).toEqual(at('2026-03-01T10:00'));
    expect(judgedUntil(at('2026-03-01T10:09:59'), policy)).toEqual(at('2026-03-01T09:00'));
    expect(judgedUntil(at('2026-03-01T00:05:00'), policy)).toEqual(at('2026-02-28T23:00'));
  });

  test('are at least as many as are judged again', () => {
    const now = at('2026-03-01T10:12:00');
    const day = { from: at('2026-02-28T10:00'), to: at('2026-03-01T10:00') };
    expect(newestHours(undefined, now, policy)).toEqual(day);
    expect(newestHours(at('2026-03-01T09:00'), now, policy)).toEqual(day);
    // The clock was put back.
    expect(newestHours(at('2026-03-05T09:00'), now, policy)).toEqual(day);
  });

  test('hold the gap after a week without a check', () => {
    const newest = newestHours(at('2026-02-20T07:00'), at('2026-03-01T10:12:00'), policy);
    expect(newest).toEqual({ from: at('2026-02-20T07:00'), to: at('2026-03-01T10:00') });
    const steps = stepsToJudge(newest, [], policy);
    expect(steps).toHaveLength(10);
    expect(steps[0]).toEqual({ from: at('2026-02-28T10:00'), to: at('2026-03-01T10:00') });
    expect(steps.at(-1)?.from).toEqual(newest.from);
  });
});

const newest = { from: new Date(5_000 * HOUR_MS), to: new Date(5_024 * HOUR_MS) };
const olderHours = fc
  .array(fc.integer({ min: 0, max: 5_030 }), { maxLength: 80 })
  .map((hours) => hours.map((hour) => new Date(hour * HOUR_MS)));

describe('steps', () => {
  test('hold every newest and every older hour, none twice and nothing else, in bounded steps', () => {
    fc.assert(
      fc.property(olderHours, fc.integer({ min: 1, max: 48 }), (older, stepHours) => {
        const steps = stepsToJudge(newest, older, { stepHours });
        const judged = hoursOf(steps);
        const wanted = new Set([...hoursOf([newest]), ...older.map(hourOf).filter((hour) => hour < 5_000)]);
        expect(judged).toHaveLength(wanted.size);
        expect(new Set(judged)).toEqual(wanted);
        for (const { from, to } of steps) expect(hourOf(to) - hourOf(from)).toBeLessThanOrEqual(stepHours);
      }),
    );
  });

  test('begin with the newest', () => {
    fc.assert(
      fc.property(olderHours, (older) => {
        const starts = stepsToJudge(newest, older, { stepHours: 7 }).map(({ from }) => from.getTime());
        expect(starts).toEqual(starts.toSorted((one, other) => other - one));
      }),
    );
  });

  test('of too many hours that lie apart are joined, so that nothing is lost and none is judged twice', () => {
    fc.assert(
      fc.property(olderHours, fc.integer({ min: 12, max: 30 }), (older, most) => {
        const steps = stepsToJudge(newest, older, policy, most);
        const judged = hoursOf(steps);
        expect(new Set(judged).size).toBe(judged.length);
        for (const hour of older.map(hourOf).filter((each) => each < 5_000)) expect(judged).toContain(hour);
        for (const { from, to } of steps) expect(hourOf(to) - hourOf(from)).toBeLessThanOrEqual(24);
      }),
    );
    const everyOther = Array.from({ length: 200 }, (_, index) => new Date((4_000 + index * 2) * HOUR_MS));
    expect(stepsToJudge(newest, everyOther, policy)).toHaveLength(201);
    expect(stepsToJudge(newest, everyOther, policy, 100).length).toBeLessThan(20);
  });
});

test('ranges of hours hold exactly these, in their order', () => {
  const hours = [7, 3, 4, 4, 5, 9, 8].map((hour) => new Date(hour * HOUR_MS));
  expect(rangesOfHours(hours, 2).map(({ from, to }) => [hourOf(from), hourOf(to)])).toEqual([
    [3, 4],
    [4, 6],
    [7, 8],
    [8, 10],
  ]);
});
