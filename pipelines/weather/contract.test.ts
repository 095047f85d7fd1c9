import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { currentWeatherSchema } from '../../schemas/openweathermap.ts';
import { poisons } from '../../tests/support/poison.ts';
import { contractLimits, inspectWeatherRecord } from './contract.ts';
import { measurements } from './measurements.ts';

const publishedAt = new Date('2026-11-24T12:00:00.250Z');
const dt = Date.parse('2026-11-24T11:50:00Z') / 1_000;
const good = { id: 17, dt, main: { temp: 1 } };

const inspectText = (text: string) => inspectWeatherRecord({ value: Buffer.from(text), publishedAt });
const inspect = (document: unknown) => inspectText(JSON.stringify(document));
const fits = (entityId: number, seconds: number) => ({
  kind: 'fits',
  entityId,
  observedAt: new Date(seconds * 1_000),
});

describe('a record that is no observation', () => {
  test.each(poisons())('$name has its reason', ({ value, reason }) => {
    expect(inspectWeatherRecord({ value, publishedAt: new Date() })).toEqual({
      kind: 'poison',
      reason: expect.stringMatching(reason),
    });
  });

  test('nested deeper than any reason could quote, it is refused for that', () => {
    const nested = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
    for (const text of [
      nested,
      `{"id":${nested}}`,
      `{"id":17,"dt":${dt},"main":{"temp":1},"name":${nested}}`,
    ])
      expect(inspectText(text)).toEqual({
        kind: 'poison',
        reason: expect.stringMatching(
          /^The document is nested 50000\d levels deep, at most 1000 are read\.$/,
        ),
      });
  });
});

describe('a record that fits', () => {
  test('needs no more than id, dt and one measurement, whichever', () => {
    expect(inspect(good)).toEqual(fits(17, dt));
    for (const { path } of measurements) {
      const document = path.reduceRight<unknown>((value, part) => ({ [part]: value }), 0) as object;
      expect(inspect({ id: 17, dt, ...document })).toEqual(fits(17, dt));
    }
  });

  test('may bring other fields, impossible values, and groups of another shape', () => {
    expect(inspect({ ...good, main: { temp: 999 }, wind: 'strong', sys: [1], uv: 3 })).toEqual(fits(17, dt));
    expect(inspect({ ...good, weather: { id: 800 }, name: null, coord: null })).toEqual(fits(17, dt));
  });

  test('may be nested a thousand levels deep, and brackets within texts are no levels', () => {
    const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const document = (x: string): string => `{"id":17,"dt":${dt},"main":{"temp":1},"x":${x}}`;
    expect(inspectText(document(nested(contractLimits.nesting - 1)))).toEqual(fits(17, dt));
    expect(inspectText(document(nested(contractLimits.nesting)))).toMatchObject({ kind: 'poison' });
    expect(inspectText(document(JSON.stringify(`\\"${'['.repeat(5_000)}`)))).toEqual(fits(17, dt));
  });

  test('may hold texts up to their limits, counted in characters', () => {
    const { textCharacters } = contractLimits;
    for (const character of ['x', '😀']) {
      const text = character.repeat(textCharacters);
      expect(inspect({ ...good, name: text, sys: { country: text } })).toEqual(fits(17, dt));
      expect(inspect({ ...good, name: `${text}x` })).toMatchObject({ kind: 'poison' });
      expect(inspect({ ...good, sys: { country: `${text}x` } })).toMatchObject({ kind: 'poison' });
    }
  });
});

describe('a number given as a text', () => {
  test.each([
    ['17', 17],
    [' 17 ', 17],
    ['+17', 17],
    ['17.', 17],
    ['17.0', 17],
    ['1.7e1', 17],
    ['17d', 17],
    ['0017', 17],
  ])('%j is the id %i', (id, read) => {
    expect(inspect({ ...good, id, dt: String(dt) })).toEqual(fits(read, dt));
  });

  test.each(['0x11', '0b11', '1_7', '1 7', '', ' ', '17 cities', '१७', 'NaN', 'Infinity'])(
    '%j is no id',
    (id) => {
      expect(inspect({ ...good, id })).toMatchObject({ kind: 'poison' });
    },
  );

  test.each(['12.5', '.5', 'NaN', '-Infinity'])('%j is a measurement', (temp) => {
    expect(inspect({ ...good, main: { temp } })).toEqual(fits(17, dt));
  });

  test.each(['0x10', 'warm', '', true, null, [], {}])('%j is none', (temp) => {
    expect(inspect({ ...good, main: { temp } })).toMatchObject({ kind: 'poison' });
  });
});

describe('the time of an observation', () => {
  const { earliestSeconds, skewSeconds } = contractLimits;
  const at = (seconds: number, published = publishedAt) =>
    inspectWeatherRecord({
      value: Buffer.from(JSON.stringify({ ...good, dt: seconds })),
      publishedAt: published,
    });

  test('is 1900 or later', () => {
    expect(earliestSeconds).toBe(Date.UTC(1900, 0) / 1_000);
    expect(at(earliestSeconds)).toEqual(fits(17, earliestSeconds));
    expect(at(earliestSeconds - 1)).toMatchObject({ reason: expect.stringContaining('before 1900') });
  });

  test('is at most ten minutes after that of its publishing', () => {
    const published = new Date('2026-11-24T12:00:00Z');
    const latest = published.getTime() / 1_000 + skewSeconds;
    expect(at(latest, published)).toEqual(fits(17, latest));
    expect(at(latest + 1, published)).toMatchObject({
      reason: expect.stringContaining(
        `lies after ${latest}: the time of publishing 2026-11-24T12:00:00.000Z`,
      ),
    });
    expect(at(latest, new Date(published.getTime() - 1))).toMatchObject({ kind: 'poison' });
  });
});

describe('whatever a record is', () => {
  const short = (reason: string): void => {
    expect(reason.length).toBeLessThanOrEqual(1_000);
    expect(reason).toMatch(/^[A-Z][^\n]*[.?]$/);
  };
  const read = (value: Uint8Array): void => {
    const inspection = inspectWeatherRecord({ value, publishedAt });
    if (inspection.kind === 'poison') short(inspection.reason);
    else expect(inspection.observedAt.getTime()).not.toBeNaN();
  };

  test('any bytes give one short sentence', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), read), { numRuns: 1_000 });
  });

  test('any text gives one short sentence', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => read(Buffer.from(text))));
  });

  test('any JSON gives one short sentence, in any field', () => {
    const fields = ['id', 'dt', 'name', 'main', 'visibility', 'wind', 'rain', 'sys', 'weather'] as const;
    const pieces = fc.dictionary(fc.constantFrom(...fields), fc.jsonValue());
    fc.assert(
      fc.property(fc.jsonValue(), pieces, fc.boolean(), (any, changed, isWhole) => {
        read(Buffer.from(JSON.stringify(isWhole ? any : { ...good, ...changed })));
      }),
      { numRuns: 1_000 },
    );
  });

  test('a document cut at any place gives one short sentence', () => {
    const whole = Buffer.from(JSON.stringify({ ...good, name: 'São Tomé\n😀', weather: [{ id: 800 }] }));
    for (let length = 0; length < whole.length; length += 1) {
      const inspection = inspectWeatherRecord({ value: whole.subarray(0, length), publishedAt });
      expect(inspection.kind).toBe('poison');
      if (inspection.kind === 'poison') short(inspection.reason);
    }
  });
});

test('what the source’s schema accepts fits, if its key and one measurement are there', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const text = fc.string({ unit: 'grapheme-ascii', maxLength: 200 });
  const some = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.record(fields, { requiredKeys: [] });
  const main = {
    feels_like: number,
    temp_min: number,
    pressure: number,
    humidity: number,
    sea_level: number,
  };
  const document = fc.record(
    {
      id: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      dt: fc.integer({ min: 1, max: dt }),
      main: fc.record({ temp: number, ...main }, { requiredKeys: ['temp'] }),
      coord: some({ lon: number, lat: number }),
      weather: fc.array(some({ id: number, main: text, description: text, icon: text }), { maxLength: 5 }),
      visibility: number,
      wind: some({ speed: number, deg: number, gust: number }),
      clouds: some({ all: number }),
      rain: some({ '1h': number, '3h': number }),
      snow: some({ '1h': number }),
      sys: some({ country: text, sunrise: number }),
      name: text,
      cod: fc.oneof(fc.constant(200), text),
    },
    { requiredKeys: ['id', 'dt', 'main'] },
  );
  fc.assert(
    fc.property(document, (given) => {
      expect(inspect(currentWeatherSchema.parse(given))).toEqual(fits(given.id, given.dt));
    }),
    { numRuns: 500 },
  );
});
