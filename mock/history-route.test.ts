import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answerOf,
  cityNamed,
  jsonOf,
  mockCities,
  mockNowMs,
  mockSeed,
} from '../tests/support/mock-routes.ts';
import { newestObservationTime, publicationLagSeconds } from './publication.ts';

const path = '/data/2.5/history/city';
const hour = 3_600;
const week = 7 * 86_400;
const nowSeconds = Math.floor(mockNowMs / 1000);
const midnight = Math.floor(nowSeconds / 86_400) * 86_400;
const london = cityNamed('London');

function timesOf(query: string, nowMs = mockNowMs): number[] {
  return jsonOf(path, query, nowMs).list.map(({ dt }: { dt: number }) => dt);
}

describe('the history of a city', () => {
  test('has a row for every hour of a day, none at a whole hour', () => {
    const times = timesOf(`id=${london.id}&type=hour&start=${midnight - 86_400}&end=${midnight - 1}`);
    expect(times.map((dt) => Math.floor((dt - midnight) / hour))).toEqual(
      Array.from({ length: 24 }, (_, index) => index - 24),
    );
    expect(times.filter((dt) => dt % hour === 0)).toEqual([]);
  });

  test('what the past says tomorrow is what the present says today', () => {
    fc.assert(
      fc.property(fc.constantFrom(...mockCities), fc.nat(500), ({ id }, hoursAgo) => {
        const start = midnight - hoursAgo * hour;
        const query = `id=${id}&units=metric`;
        const [row] = jsonOf(path, `${query}&start=${start}&end=${start + hour - 1}`).list;
        const servedAt = row.dt + publicationLagSeconds({ seed: mockSeed, cityId: id }, row.dt);
        // The first millisecond at which it is served: the lag is no whole number of them.
        const present = jsonOf('/data/2.5/weather', query, Math.ceil(servedAt * 1000));
        const { main, wind, clouds, weather, dt, rain, snow } = present;
        expect(row).toEqual({
          dt,
          main,
          wind,
          clouds,
          weather,
          ...(rain && { rain }),
          ...(snow && { snow }),
        });
      }),
      { numRuns: 50 },
    );
  });

  test('every row lies between start and end, within a week of the start, and is published', () => {
    const anyStart = fc.integer({ min: nowSeconds - 5 * week, max: nowSeconds + hour });
    fc.assert(
      fc.property(anyStart, fc.integer({ min: -hour, max: 4 * week }), (start, length) => {
        const end = start + length;
        const times = timesOf(`id=${london.id}&start=${start}&end=${end}`);
        const newest = newestObservationTime({
          seed: mockSeed,
          cityId: london.id,
          atSeconds: mockNowMs / 1000,
        });
        for (const dt of times) {
          expect(dt).toBeGreaterThanOrEqual(start);
          expect(dt).toBeLessThanOrEqual(Math.min(end, start + week, newest));
        }
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect(new Set(times.map((dt) => Math.floor(dt / hour))).size).toBe(times.length);
      }),
    );
  });

  test('a row that is there stays there: the hour under way grows and changes nothing', () => {
    let before: number[] = [];
    for (let minute = 0; minute < 180; minute += 1) {
      const times = timesOf(
        `id=${london.id}&start=${midnight}&end=${midnight + 86_400}`,
        (midnight + minute * 60) * 1000,
      );
      expect(times.slice(0, before.length)).toEqual(before);
      before = times;
    }
    expect(before.length).toBeGreaterThanOrEqual(2);
  });

  test('cnt stands for the end, and the end for the start', () => {
    const day = timesOf(`id=${london.id}&start=${midnight - 86_400}&end=${midnight - 1}`);
    expect(timesOf(`id=${london.id}&start=${midnight - 86_400}&cnt=5`)).toEqual(day.slice(0, 5));
    expect(timesOf(`id=${london.id}&end=${midnight - 1}`)).toEqual(
      timesOf(`id=${london.id}&start=${midnight - 1 - 86_400}&end=${midnight - 1}`),
    );
  });

  test.each([
    [`id=1&start=${midnight}`, 404, 'city not found'],
    [`id=${london.id}&start=yesterday`, 400, 'wrong start'],
    [`id=${london.id}&end=${mockNowMs}`, 400, 'wrong end'],
    [`id=${london.id}&cnt=0`, 400, 'cnt from 1 to 169'],
    [`id=${london.id}&type=day`, 400, 'wrong type'],
  ])('%s is refused with %i', (query, status, message) => {
    const reply = answerOf(path, query);
    expect({ status: reply.status, body: JSON.parse(reply.body) }).toEqual({
      status,
      body: { cod: String(status), message },
    });
  });
});
