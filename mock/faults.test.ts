import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fault, type FaultKind, type Faults, FaultsError, faultOf, parseFaults } from './faults.ts';
import { createFaultsInForce } from './faults-in-force.ts';

const seed = 'hourglass';
const path = '/data/2.5/weather';
const london = 2643743;

const ask = (faults: Faults, callsBefore: number, more: Partial<Parameters<typeof faultOf>[1]> = {}) =>
  faultOf(faults, { seed, cityId: london, path, callsBefore, atSeconds: 1_767_225_600, ...more });

/** The faults of a city's first calls. */
const first = (count: number, faults: Faults, more: Parameters<typeof ask>[2] = {}): (Fault | undefined)[] =>
  Array.from({ length: count }, (_, callsBefore) => ask(faults, callsBefore, more));

const sharesOf = (faults: readonly (Fault | undefined)[]): Partial<Record<FaultKind, number>> => {
  const shares: Partial<Record<FaultKind, number>> = {};
  for (const fault of faults)
    if (fault !== undefined) shares[fault.kind] = (shares[fault.kind] ?? 0) + 1 / faults.length;
  return shares;
};

const share = fc.double({ min: 0, max: 1, noNaN: true });
const anyFaults: fc.Arbitrary<Faults> = fc.record(
  {
    seed: fc.string(),
    rateLimit: fc.oneof(
      fc.record({ share, calls: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ share, seconds: fc.integer({ min: 1, max: 500 }) }),
    ),
    serverError: share,
    gatewayPage: share,
    truncated: share,
    reset: share,
    wrongContentType: share,
    htmlPage: share,
    stale: share,
    latency: fc.record({ share, ms: fc.integer({ min: 1, max: 1_000 }) }),
  },
  { requiredKeys: [] },
);

describe('which fault a call meets', () => {
  test('is the same whenever it is asked again', () => {
    fc.assert(
      fc.property(
        anyFaults,
        fc.nat(),
        fc.option(fc.nat(), { nil: undefined }),
        (faults, callsBefore, cityId) => {
          const again = structuredClone(faults);
          expect(ask(again, callsBefore, { cityId })).toEqual(ask(faults, callsBefore, { cityId }));
        },
      ),
    );
  });

  test('is one that the faults name, and none at all when they name none', () => {
    fc.assert(
      fc.property(anyFaults, fc.nat(), (faults, callsBefore) => {
        const fault = ask(faults, callsBefore);
        if (fault !== undefined) expect(Object.keys(faults)).toContain(fault.kind);
        expect(ask({}, callsBefore)).toBeUndefined();
      }),
    );
  });

  test('meets each share over many calls, also when all kinds are asked for at once', () => {
    const faults: Faults = {
      serverError: 0.02,
      gatewayPage: 0.05,
      truncated: 0.1,
      reset: 0.15,
      wrongContentType: 0.03,
      htmlPage: 0.04,
      stale: 0.2,
      latency: { share: 0.25, ms: 5 },
    };
    const shares = sharesOf(first(40_000, faults));
    expect(Object.keys(shares)).toHaveLength(8);
    for (const [kind, wanted] of Object.entries({ ...faults, latency: 0.25 }))
      expect(Math.abs((shares[kind as FaultKind] ?? 0) - (wanted as number))).toBeLessThan(0.01);
  });

  test('a share of 0 never comes and a share of 1 always', () => {
    expect(sharesOf(first(1_000, { reset: 0, stale: 1 }))).toEqual({ stale: expect.closeTo(1) });
  });

  test('what goes beyond 1 is taken from the latency first', () => {
    const shares = sharesOf(first(20_000, { serverError: 0.25, latency: { share: 1, ms: 1 } }));
    expect(shares).toEqual({ serverError: expect.closeTo(0.25, 1), latency: expect.closeTo(0.75, 1) });
  });

  test('differs between seeds, cities and paths', () => {
    const faults = { reset: 0.5 };
    const usual = first(200, faults);
    expect(first(200, faults, { seed: 'another' })).not.toEqual(usual);
    expect(first(200, { ...faults, seed: 'another' })).toEqual(first(200, faults, { seed: 'another' }));
    expect(first(200, faults, { cityId: london + 1 })).not.toEqual(usual);
    const cityless = first(200, faults, { cityId: undefined });
    expect(first(200, faults, { cityId: undefined, path: '/geo/1.0/direct' })).not.toEqual(cityless);
  });

  test('a stale observation is one to six steps old, each about as often', () => {
    const faults = first(12_000, { stale: 1 });
    const counts = new Map<number, number>();
    for (const fault of faults)
      if (fault?.kind === 'stale') counts.set(fault.stepsBack, (counts.get(fault.stepsBack) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6]);
    for (const count of counts.values()) expect(count).toBeGreaterThan(1_700);
  });
});

describe('a burst of 429', () => {
  test('of calls takes consecutive calls of a city in whole bursts, and meets its share', () => {
    const faults = { rateLimit: { share: 0.3, calls: 7 } };
    const met = first(42_000, faults).map((fault) => fault?.kind === 'rateLimit');
    for (let start = 0; start < met.length; start += 7)
      expect(new Set(met.slice(start, start + 7)).size).toBe(1);
    expect(Math.abs(met.filter(Boolean).length / met.length - 0.3)).toBeLessThan(0.02);
  });

  test('of seconds takes every call of that time, whichever city, and meets its share', () => {
    const faults = { rateLimit: { share: 0.3, seconds: 20 } };
    const met = Array.from({ length: 60_000 }, (_, second) => {
      const kinds = [1, 2, undefined].map(
        (cityId) => ask(faults, second, { cityId, atSeconds: second })?.kind,
      );
      expect(new Set(kinds).size).toBe(1);
      return kinds[0] === 'rateLimit';
    });
    for (let start = 0; start < met.length; start += 20)
      expect(new Set(met.slice(start, start + 20)).size).toBe(1);
    expect(Math.abs(met.filter(Boolean).length / met.length - 0.3)).toBeLessThan(0.03);
  });

  test('comes before the other kinds, which keep their share of the calls that are left', () => {
    const shares = sharesOf(first(40_000, { rateLimit: { share: 0.5, calls: 1 }, reset: 0.5 }));
    expect(shares).toEqual({ rateLimit: expect.closeTo(0.5, 1), reset: expect.closeTo(0.25, 1) });
  });
});

describe('an outage', () => {
  test('of a city meets every call of it and no other, and comes before every other fault', () => {
    const faults: Faults = {
      outages: [{ cities: [london, 5], answer: 'reset' }],
      rateLimit: { share: 1, calls: 1 },
    };
    for (const fault of first(100, faults)) expect(fault).toEqual({ kind: 'outage', answer: 'reset' });
    expect(ask(faults, 0, { cityId: 6 })).toEqual({ kind: 'rateLimit' });
    expect(ask(faults, 0, { cityId: undefined })).toEqual({ kind: 'rateLimit' });
  });

  test('of everything meets calls without a city too; the first outage that fits decides', () => {
    const faults: Faults = {
      outages: [{ cities: [london], answer: 'silence' }, { answer: 'gatewayPage' }],
    };
    expect(ask(faults, 0)).toEqual({ kind: 'outage', answer: 'silence' });
    expect(ask(faults, 0, { cityId: undefined })).toEqual({ kind: 'outage', answer: 'gatewayPage' });
  });
});

describe('the faults in force', () => {
  const call = { cityId: london, path, atMs: 0 };

  test('count the calls of each city, and of each path without a city, for themselves', () => {
    const faults = { reset: 0.5 };
    const inForce = createFaultsInForce(seed, faults);
    const met = Array.from({ length: 100 }, () => {
      inForce.next({ ...call, cityId: 1 });
      inForce.next({ ...call, cityId: undefined });
      return inForce.next(call);
    });
    expect(met).toEqual(first(100, faults, { atSeconds: 0 }));
  });

  test('put in force again meet the same calls again', () => {
    const inForce = createFaultsInForce(seed, {});
    const meet = () => {
      inForce.replace({ truncated: 0.3, stale: 0.3 });
      return Array.from({ length: 50 }, () => inForce.next(call));
    };
    expect(meet()).toEqual(meet());
    expect(inForce.current()).toEqual({ truncated: 0.3, stale: 0.3 });
  });
});

describe('a description of faults', () => {
  test('is read from JSON, and an outage answers 500 unless told', () => {
    expect(parseFaults('{"outages":[{"cities":[1]}],"rateLimit":{"share":1,"seconds":5},"stale":0}')).toEqual(
      {
        outages: [{ cities: [1], answer: 'serverError' }],
        rateLimit: { share: 1, seconds: 5 },
        stale: 0,
      },
    );
    expect(parseFaults('{}')).toEqual({});
  });

  test('of any faults is read back as it is', () => {
    fc.assert(
      fc.property(anyFaults, (faults) => {
        expect(parseFaults(JSON.stringify(faults))).toEqual(JSON.parse(JSON.stringify(faults)));
      }),
    );
  });

  test.each([
    ['{"serverError":', /is no JSON: "\{\\"serverError\\":", expected for example/],
    ['', /is no JSON/],
    ['[]', /The description of the faults is \[\], expected an object with nothing but seed, outages/],
    ['{"stale":1.5}', /"stale" is 1\.5, expected a number from 0 to 1\./],
    ['{"stale":"half"}', /"stale" is "half", expected a number from 0 to 1\./],
    ['{"sevrerError":0.1}', /expected an object with nothing but seed, outages, rateLimit, serverError/],
    ['{"latency":{"share":0.1}}', /"latency\.ms" is missing, expected a whole number from 1 to 600000\./],
    ['{"latency":{"share":0.1,"ms":0}}', /"latency\.ms" is 0, expected a whole number from 1 to 600000\./],
    ['{"rateLimit":{"share":0.1}}', /"rateLimit" is \{"share":0\.1\}, expected the length of a burst/],
    ['{"rateLimit":{"share":0.1,"calls":1,"seconds":1}}', /expected the length of a burst, either/],
    ['{"outages":[{"cities":[]}]}', /"outages\[0\]\.cities" is \[\], expected a city id\./],
    ['{"outages":[{"answer":"404"}]}', /"outages\[0\]\.answer" is "404", expected serverError, gatewayPage/],
    ['{"outages":{}}', /"outages" is \{\}, expected a list of outages\./],
  ])('%s is refused with one sentence that names the field', (text, sentence) => {
    expect(() => parseFaults(text)).toThrow(FaultsError);
    expect(() => parseFaults(text)).toThrow(sentence);
  });
});
