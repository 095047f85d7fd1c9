import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newestObservationTime, observationTimeOfHour, publicationLagSeconds } from './publication.ts';
import { observationTimesBetween } from './weather.ts';

const hour = 3_600;
const anyQuestion = fc.record({
  seed: fc.string(),
  cityId: fc.integer({ min: 1, max: 10_000_000 }),
  stepSeconds: fc.integer({ min: 1, max: 7_200 }),
});
const anyMoment = fc.integer({ min: 1_000_000_000, max: 2_000_000_000 });

describe('the newest observation', () => {
  test('is served from its own lag on, and before that the one before', () => {
    fc.assert(
      fc.property(anyQuestion, anyMoment, (question, atSeconds) => {
        const { seed, cityId, stepSeconds } = question;
        const [dt] = observationTimesBetween({
          ...{ seed, cityId, stepSeconds },
          ...{ fromSeconds: atSeconds, toSeconds: atSeconds + stepSeconds },
        });
        const servedAt = dt! + publicationLagSeconds(question, dt!);
        expect(newestObservationTime({ ...question, atSeconds: servedAt })).toBe(dt);
        expect(newestObservationTime({ ...question, atSeconds: servedAt - 0.001 })).toBe(dt! - stepSeconds);
      }),
    );
  });

  test('lags by 5 to 40 % of the step, and the lags spread over all of it', () => {
    const shares = Array.from({ length: 500 }, (_, index) => {
      const question = { seed: 'hourglass', cityId: index + 1, stepSeconds: 600 };
      return publicationLagSeconds(question, 1_767_225_600 + index) / 600;
    });
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.05);
    expect(Math.min(...shares)).toBeLessThan(0.07);
    expect(Math.max(...shares)).toBeLessThan(0.4);
    expect(Math.max(...shares)).toBeGreaterThan(0.38);
  });

  test('never goes back in time, is never of the future and never more than 1.4 steps old', () => {
    fc.assert(
      fc.property(anyQuestion, anyMoment, fc.nat(10_000), (question, atSeconds, later) => {
        const { stepSeconds } = question;
        const now = newestObservationTime({ ...question, atSeconds });
        const then = newestObservationTime({ ...question, atSeconds: atSeconds + later });
        expect(then).toBeGreaterThanOrEqual(now);
        expect(now).toBeLessThan(atSeconds);
        expect(atSeconds - now).toBeLessThan(1.4 * stepSeconds);
      }),
    );
  });
});

describe('the observation that stands for an hour', () => {
  test("is one of the hour's own, and none where the hour has none", () => {
    fc.assert(
      fc.property(anyQuestion, anyMoment, (question, atSeconds) => {
        const fromSeconds = Math.floor(atSeconds / hour) * hour;
        const times = observationTimesBetween({ ...question, fromSeconds, toSeconds: fromSeconds + hour });
        const chosen = observationTimeOfHour(question, fromSeconds);
        if (times.length === 0) expect(chosen).toBeUndefined();
        else expect(times).toContain(chosen);
      }),
    );
  });

  test('differs from hour to hour: history is not aligned', () => {
    const question = { seed: 'hourglass', cityId: 2643743, stepSeconds: 600 };
    const minutes = Array.from({ length: 48 }, (_, index) => {
      const start = 1_767_225_600 + index * hour;
      return observationTimeOfHour(question, start)! - start;
    });
    expect(new Set(minutes).size).toBe(6);
  });
});
