import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMinuteWindow, minuteMs } from './minute-window.ts';

/** Gaps around the length of a minute, so that the borders of the window are met often. */
const moments = fc
  .array(fc.oneof(fc.nat(3), fc.constantFrom(0, 59_999, 60_000, 60_001), fc.nat(40_000)), { maxLength: 80 })
  .map((gaps) => {
    let atMs = 0;
    return gaps.map((gap) => {
      atMs += gap;
      return atMs;
    });
  });

/** Every minute that begins with a call, counted one by one: no other minute can hold more. */
const greatestCount = (all: readonly number[]): number =>
  Math.max(0, ...all.map((from) => all.filter((at) => at >= from && at < from + minuteMs).length));

describe('the calls of a sliding minute', () => {
  test('the greatest number in any minute is what counting every minute one by one finds', () => {
    fc.assert(
      fc.property(moments, (all) => {
        const window = createMinuteWindow();
        for (const atMs of all) window.add(atMs);
        expect(window.most()).toBe(greatestCount(all));
      }),
    );
  });

  test('the count at a moment is that of the calls less than a minute before it', () => {
    fc.assert(
      fc.property(moments, (all) => {
        const window = createMinuteWindow();
        for (const [index, atMs] of all.entries()) {
          const expected = all.slice(0, index).filter((before) => before > atMs - minuteMs).length;
          expect(window.countAt(atMs)).toBe(expected);
          window.add(atMs);
        }
      }),
    );
  });

  test('many minutes of many calls are forgotten as they pass, and the count stays exact', () => {
    const window = createMinuteWindow();
    for (let atMs = 0; atMs < 10 * minuteMs; atMs += 10) window.add(atMs);
    expect([window.most(), window.countAt(10 * minuteMs)]).toEqual([6_000, 5_999]);
    expect(window.countAt(20 * minuteMs)).toBe(0);
  });

  test('a clock that is set back makes no minute look emptier', () => {
    const window = createMinuteWindow();
    for (const atMs of [100_000, 100_001, 20_000]) window.add(atMs);
    expect([window.countAt(30_000), window.most()]).toEqual([3, 3]);
    expect(window.countAt(160_001)).toBe(0);
  });
});
