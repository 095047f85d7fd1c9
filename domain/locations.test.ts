import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  activated,
  deactivated,
  defaultObservationsPerHour,
  type LocationTexts,
  locationColumns,
  mergeLocation,
  mostObservationsPerHour,
  type RegisteredLocation,
  readInstant,
  readLocation,
  startOfFirstHistory,
  textOf,
} from './locations.ts';

const now = new Date('2026-03-01T12:34:56Z');
const oslo: RegisteredLocation = {
  city_id: 3143244,
  name: 'Oslo',
  country: 'NO',
  lat: 59.9127,
  lon: 10.7461,
  timezone: 'Europe/Oslo',
  cadence_minutes: 10,
  min_observations_per_hour: 4,
  active_from: new Date('2026-01-01T00:00:00Z'),
  active_to: null,
};
const required = {
  city_id: '3143244',
  name: 'Oslo',
  country: 'NO',
  lat: '59.9127',
  lon: '10.7461',
  timezone: 'Europe/Oslo',
};

const cadences = fc.integer({ min: 1, max: 1_440 });
const instants = fc.date({ min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true });
const coordinate = (limit: number) =>
  fc.integer({ min: -limit * 10_000, max: limit * 10_000 }).map((value) => value / 10_000);

const locations: fc.Arbitrary<RegisteredLocation> = fc
  .record({
    city_id: fc.integer({ min: 1, max: 20_000_000 }),
    name: fc.stringMatching(/^[A-Za-zæøå",;][A-Za-zæøå ",;']{0,30}[a-z]$/),
    country: fc.stringMatching(/^[A-Z]{2}$/),
    lat: coordinate(90),
    lon: coordinate(180),
    timezone: fc.constantFrom('Europe/Oslo', 'Asia/Kathmandu', 'America/St_Johns', 'UTC'),
    cadence_minutes: cadences,
    active_from: instants,
    active_to: fc.option(instants),
    least: fc.nat(),
  })
  .filter(({ active_from, active_to }) => active_to === null || active_to > active_from)
  .map(({ least, ...location }) => ({
    ...location,
    min_observations_per_hour: 1 + (least % mostObservationsPerHour(location.cadence_minutes)),
  }));

const textsOf = (location: RegisteredLocation): LocationTexts =>
  Object.fromEntries(locationColumns.map((column) => [column, textOf(location, column)]));

function given(texts: LocationTexts) {
  const read = readLocation(texts);
  if ('mistakes' in read) return expect.unreachable(JSON.stringify(read.mistakes));
  return read.given;
}

describe('the texts of a location', () => {
  test('what is written as texts is read as the same location, and importing it again changes nothing', () => {
    fc.assert(
      fc.property(locations, (location) => {
        const read = given(textsOf(location));
        expect(mergeLocation(read, undefined, now)).toEqual({ kind: 'new', location });
        expect(mergeLocation(read, location, now)).toEqual({ kind: 'unchanged', location });
      }),
    );
  });

  test('every mistake of a row is named, with its value and what was expected', () => {
    const texts = {
      city_id: '0',
      name: 'x\u0000',
      country: 'no',
      lat: '90.1',
      lon: '1e2',
      timezone: '+01:00',
      cadence_minutes: '0',
      min_observations_per_hour: '2.5',
      active_from: '2026-02-30T00:00:00Z',
      active_to: 'tomorrow',
    };
    const read = readLocation(texts);
    expect('mistakes' in read && read.mistakes.map(({ column, value }) => [column, value])).toEqual(
      Object.entries(texts),
    );
    for (const { expected } of 'mistakes' in read ? read.mistakes : [])
      expect(expected).toMatch(/^(a|the|degrees) ?/);
  });

  test('only what has a default may be empty', () => {
    const read = readLocation({ city_id: ' ' });
    expect('mistakes' in read && read.mistakes.map(({ column }) => column)).toEqual([
      'city_id',
      'name',
      'country',
      'lat',
      'lon',
      'timezone',
    ]);
    expect(given(required)).toMatchObject({
      city_id: 3143244,
      cadence_minutes: undefined,
      active_to: undefined,
    });
  });

  test.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T06:00Z', '2026-01-31T06:00:00.000Z'],
    ['2026-01-31T06:00:00.5+02:00', '2026-01-31T04:00:00.500Z'],
  ])('the time %s is %s', (text, expected) => {
    expect(readInstant(text)?.toISOString()).toBe(expected);
  });

  test.each([
    '2026-01-31T06:00',
    '2026-02-30',
    '2026-13-01',
    '1969-12-31',
    '2200-01-01',
    '31.1.2026',
    '1764000000',
  ])('%s is no time, or one whose zone nobody knows', (text) => {
    expect(readInstant(text)).toBeUndefined();
  });
});

describe('what a row leaves out', () => {
  test('a new location is polled every ten minutes from now on, without an end', () => {
    expect(mergeLocation(given(required), undefined, now)).toEqual({
      kind: 'new',
      location: { ...oslo, active_from: now },
    });
  });

  test('a registered location keeps', () => {
    fc.assert(
      fc.property(locations, (stored) => {
        const {
          cadence_minutes: _c,
          min_observations_per_hour: _m,
          active_from: _f,
          active_to: _t,
          ...rest
        } = textsOf(stored);
        expect(mergeLocation(given(rest), stored, now)).toEqual({ kind: 'unchanged', location: stored });
      }),
    );
  });

  test('but another cadence brings its own smallest number', () => {
    const change = mergeLocation(given({ ...required, cadence_minutes: '30' }), oslo, now);
    expect(change).toEqual({
      kind: 'changed',
      location: { ...oslo, cadence_minutes: 30, min_observations_per_hour: 1 },
    });
  });

  test('the default smallest number is one that the cadence can give, and more polls never lower it', () => {
    fc.assert(
      fc.property(cadences, cadences, (one, other) => {
        const [often, seldom] = [Math.min(one, other), Math.max(one, other)];
        expect(defaultObservationsPerHour(often)).toBeGreaterThanOrEqual(defaultObservationsPerHour(seldom));
        expect(defaultObservationsPerHour(one)).toBeGreaterThanOrEqual(1);
        expect(defaultObservationsPerHour(one)).toBeLessThanOrEqual(mostObservationsPerHour(one));
      }),
    );
    expect([1, 5, 10, 15, 20, 30, 60, 90].map(defaultObservationsPerHour)).toEqual([40, 8, 4, 2, 2, 1, 1, 1]);
  });
});

describe('what cannot stand together', () => {
  test('more observations than the cadence gives, given with it or not', () => {
    const expected = 'at most 2, which is what a poll every 30 min gives in an hour';
    const mistake = { column: 'min_observations_per_hour', value: '3', expected };
    const texts = { ...required, min_observations_per_hour: '3' };
    expect(mergeLocation(given({ ...texts, cadence_minutes: '30' }), undefined, now)).toEqual({
      kind: 'mistake',
      mistakes: [mistake],
    });
    const stored = { ...oslo, cadence_minutes: 30, min_observations_per_hour: 1 };
    expect(mergeLocation(given(texts), stored, now)).toEqual({ kind: 'mistake', mistakes: [mistake] });
  });

  test('an end that does not come after the beginning, be the beginning given, stored or now', () => {
    const end = '2026-01-01T00:00:00.000Z';
    for (const [texts, stored] of [
      [{ ...required, active_from: end, active_to: end }, undefined],
      [{ ...required, active_to: end }, oslo],
      [{ ...required, active_to: end }, undefined],
    ] as const)
      expect(mergeLocation(given(texts), stored, now)).toMatchObject({
        kind: 'mistake',
        mistakes: [
          { column: 'active_to', value: end, expected: expect.stringContaining('a time after active_from') },
        ],
      });
  });
});

describe('the end of a location', () => {
  test('a location that is active ends, and one that ended begins again without what lay between', () => {
    const ended = { ...oslo, active_to: now };
    expect(deactivated(oslo, now)).toEqual({ kind: 'changed', location: ended });
    const later = new Date('2026-03-05T00:00:00Z');
    expect(activated(ended, later, later)).toEqual({
      kind: 'changed',
      location: { ...oslo, active_from: later, active_to: null },
    });
  });

  test('an end is never moved later by deactivating', () => {
    const ended = { ...oslo, active_to: now };
    expect(deactivated(ended, new Date('2026-04-01'))).toMatchObject({ kind: 'unchanged' });
    expect(deactivated(ended, new Date('2026-02-01'))).toMatchObject({ kind: 'changed' });
  });

  test('a location that has not begun cannot end before it begins', () => {
    expect(deactivated(oslo, oslo.active_from)).toEqual({
      kind: 'impossible',
      reason: 'it begins only at 2026-01-01T00:00:00.000Z: give --at a time after that',
    });
  });

  test('a location that is active stays as it is when it is activated', () => {
    expect(activated(oslo, now, now)).toEqual({ kind: 'unchanged', reason: 'it has no end' });
    const ending = { ...oslo, active_to: new Date('2026-04-01T00:00:00Z') };
    expect(activated(ending, now, now)).toMatchObject({ kind: 'unchanged' });
  });
});

describe('where the hours of a first start begin', () => {
  test('at a whole hour, so many hours before the one that runs', () => {
    expect(startOfFirstHistory(now, 24).toISOString()).toBe('2026-02-28T12:00:00.000Z');
    expect(startOfFirstHistory(now, 1).toISOString()).toBe('2026-03-01T11:00:00.000Z');
  });

  test('now, when no hour before is expected: the one that runs cannot be whole any more', () => {
    expect(startOfFirstHistory(now, 0)).toBe(now);
  });
});
