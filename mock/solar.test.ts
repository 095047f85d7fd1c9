import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isDaylight, northernSeason, solarHour, sunTimes } from './solar.ts';

const london = { lat: 51.5085, lon: -0.1257 };
const longyearbyen = { lat: 78.2186, lon: 15.6401 };
const seconds = (iso: string) => Date.parse(iso) / 1000;
const anyMoment = fc.integer({ min: 0, max: seconds('2100-01-01T00:00:00Z') });
const anyPlace = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lon: fc.integer({ min: -180, max: 180 }),
});

describe('sunTimes', () => {
  test.each([
    // The expected times are those of the Python package astral 3.2.
    ['London at midsummer', london, 3_600, '2025-06-21T03:43:30Z', '2025-06-21T20:21:15Z'],
    ['London at midwinter', london, 0, '2025-12-21T08:04:14Z', '2025-12-21T15:53:10Z'],
    ['Tokyo', { lat: 35.6895, lon: 139.6917 }, 32_400, '2025-03-19T20:45:28Z', '2025-03-20T08:52:31Z'],
    ['Apia', { lat: -13.8333, lon: -171.7667 }, 46_800, '2025-06-20T17:49:44Z', '2025-06-21T05:07:56Z'],
    ['Anchorage', { lat: 61.2181, lon: -149.9003 }, -32_400, '2025-10-10T16:30:45Z', '2025-10-11T03:00:50Z'],
    ['Ushuaia', { lat: -54.8, lon: -68.3 }, -10_800, '2025-01-15T08:23:18Z', '2025-01-16T01:01:11Z'],
  ])('sunrise and sunset of %s are right to two minutes', (_name, place, offset, sunrise, sunset) => {
    const middle = (seconds(sunrise) + seconds(sunset)) / 2;
    const times = sunTimes(middle, place, offset);
    expect(Math.abs((times?.sunrise ?? 0) - seconds(sunrise))).toBeLessThan(120);
    expect(Math.abs((times?.sunset ?? 0) - seconds(sunset))).toBeLessThan(120);
  });

  test('the polar day and the polar night have neither', () => {
    expect(sunTimes(seconds('2025-06-21T12:00:00Z'), longyearbyen, 7_200)).toBeUndefined();
    expect(sunTimes(seconds('2025-12-21T12:00:00Z'), longyearbyen, 3_600)).toBeUndefined();
  });

  test('sunrise comes before sunset, within a day of each other and of the moment', () => {
    fc.assert(
      fc.property(anyMoment, anyPlace, (atSeconds, place) => {
        const times = sunTimes(atSeconds, place, Math.round(place.lon / 15) * 3_600);
        if (times === undefined) return;
        expect(times.sunset).toBeGreaterThanOrEqual(times.sunrise);
        expect(times.sunset - times.sunrise).toBeLessThan(86_400);
        expect(Math.abs(times.sunrise - atSeconds)).toBeLessThan(1.6 * 86_400);
      }),
    );
  });

  test('daylight lies between sunrise and sunset', () => {
    fc.assert(
      fc.property(
        anyMoment,
        fc.record({ lat: fc.integer({ min: -60, max: 60 }), lon: fc.integer({ min: -180, max: 180 }) }),
        (atSeconds, place) => {
          const times = sunTimes(atSeconds, place, Math.round(place.lon / 15) * 3_600);
          if (times === undefined) throw new Error('the sun rises every day below the polar circle');
          expect(isDaylight(times.sunrise + 600, place)).toBe(true);
          expect(isDaylight(times.sunset - 600, place)).toBe(true);
          expect(isDaylight(times.sunrise - 600, place)).toBe(false);
          expect(isDaylight(times.sunset + 600, place)).toBe(false);
        },
      ),
    );
  });
});

describe('solarHour', () => {
  test('it is noon in Greenwich about noon, and an hour later for every 15 degrees east', () => {
    const noon = seconds('2025-04-15T12:00:00Z');
    expect(solarHour(noon, 0)).toBeCloseTo(12, 1);
    expect(solarHour(noon, 90)).toBeCloseTo(18, 1);
    expect(solarHour(noon, -170)).toBeCloseTo(0.67, 1);
  });

  test('it stays within the day', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5e9, max: 5e9 }),
        fc.integer({ min: -180, max: 180 }),
        (atSeconds, lon) => {
          const hour = solarHour(atSeconds, lon);
          expect(hour).toBeGreaterThanOrEqual(0);
          expect(hour).toBeLessThan(24);
        },
      ),
    );
  });
});

describe('northernSeason', () => {
  test('July is the warmest time and January the coldest', () => {
    expect(northernSeason(seconds('2025-07-20T00:00:00Z'))).toBeGreaterThan(0.99);
    expect(northernSeason(seconds('2025-01-19T00:00:00Z'))).toBeLessThan(-0.99);
  });
});
