import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { poisons } from '../../tests/support/poison.ts';
import { inspectWeatherRecord } from './contract.ts';
import { observationJsonSchema } from './json-schema.ts';
import { coordinates, measurements } from './measurements.ts';

const file = new URL('../../docs/contract/observation.schema.json', import.meta.url);
const published = JSON.parse(readFileSync(file, 'utf8')) as z.core.JSONSchema.JSONSchema;
const reader = z.fromJSONSchema(published);
const isValid = (document: unknown): boolean => reader.safeParse(document).success;
const now = new Date('2026-11-24T12:00:00Z');
const seconds = now.getTime() / 1_000;

const fieldAt = (path: readonly string[]) =>
  path.reduce<z.core.JSONSchema.BaseSchema | undefined>(
    (schema, part) => schema?.properties?.[part] as z.core.JSONSchema.BaseSchema | undefined,
    published,
  );

describe('docs/contract/observation.schema.json', () => {
  test('it is what the schemas make of it', () => {
    // Also in this order: the file is read by people.
    expect(
      JSON.stringify(published, undefined, 2),
      'docs/contract/observation.schema.json is out of date: run npm run docs:contract',
    ).toBe(JSON.stringify(observationJsonSchema(), undefined, 2));
  });

  test('it names no host', () => {
    expect(published.$id).toMatch(/^urn:/);
    expect(JSON.stringify(published).match(/https?:\/\/[^/"]+/g)).toEqual(['https://json-schema.org']);
  });

  test('each measurement has its unit and its range in words, and no bound', () => {
    for (const { path, unit, range, column } of [...measurements, ...coordinates]) {
      const field = fieldAt(path);
      expect(field).toEqual({ description: expect.any(String), type: 'number' });
      expect(field?.description).toMatch(new RegExp(` ${unit}[.: ]`));
      expect(field?.description).toContain(`outside ${range[0]} to ${range[1]} is accepted`);
      expect(field?.description).toContain(`column ${column} `);
    }
  });

  test('every field says what it is', () => {
    const silent = (schema: z.core.JSONSchema.BaseSchema, name: string): string[] => {
      const parts = Object.entries(schema.properties ?? (schema.items ? { '[]': schema.items } : {}));
      if (parts.length === 0) return schema.description === undefined ? [name] : [];
      return parts.flatMap(([part, each]) => silent(each as z.core.JSONSchema.BaseSchema, `${name}.${part}`));
    };
    expect(silent(published, 'document')).toEqual([]);
  });
});

describe('a producer who keeps to the schema', () => {
  test('has no record that becomes a dead letter', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    const text = fc.string({ unit: 'grapheme', maxLength: 210 });
    const good = fc.record(
      {
        id: fc.integer({ min: 1 }),
        dt: fc.integer({ min: -2_208_988_800, max: seconds + 600 }),
        name: text,
        main: fc.record({ temp: number, humidity: number }, { requiredKeys: [] }),
        visibility: number,
        wind: fc.record({ speed: number, gust: number }, { requiredKeys: [] }),
        rain: fc.record({ '1h': number, '3h': number }, { requiredKeys: [] }),
        sys: fc.record({ country: text }, { requiredKeys: [] }),
        weather: fc.array(fc.record({ id: number, description: text }, { requiredKeys: [] }), {
          maxLength: 3,
        }),
      },
      { requiredKeys: ['id', 'dt'] },
    );
    const odd = fc.oneof(
      fc.constantFrom(undefined, null, 0, -1, 1.5, 2 ** 53, true, '', '7', 'x'.repeat(201), 'a\u0000b'),
      fc.constantFrom({}, [], [null], [{}], { temp: 'warm' }, { country: '\u0000' }, -2_208_988_801),
    );
    const change = fc.option(
      fc.tuple(fc.constantFrom('id', 'dt', 'name', 'main', 'visibility', 'wind', 'sys', 'weather'), odd),
    );
    const verdicts = { valid: 0, invalid: 0 };
    fc.assert(
      fc.property(good, change, (document, changed) => {
        const sent = JSON.stringify({ ...document, ...(changed && { [changed[0]]: changed[1] }) });
        if (!isValid(JSON.parse(sent))) {
          verdicts.invalid += 1;
          return;
        }
        verdicts.valid += 1;
        expect(inspectWeatherRecord({ value: Buffer.from(sent), publishedAt: now })).toMatchObject({
          kind: 'fits',
        });
      }),
      { numRuns: 500 },
    );
    expect(Math.min(verdicts.valid, verdicts.invalid)).toBeGreaterThan(50);
  });

  test('learns of a poison before it is sent, unless its fault is its time or the length of its conditions', () => {
    const passed = poisons().filter(({ value }) => {
      try {
        return isValid(JSON.parse(String(value)));
      } catch {
        return false;
      }
    });
    expect(passed.map(({ name }) => name)).toEqual([
      'a text that is no UTF-8 inside JSON',
      'a dt an hour from now',
      'conditions of a megabyte',
      'a document nested two thousand levels deep',
    ]);
  });
});
