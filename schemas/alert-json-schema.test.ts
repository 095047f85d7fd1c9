import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ALERT_KINDS, alertSchema } from './alert.ts';
import { alertJsonSchema } from './alert-json-schema.ts';

const read = (path: string): string => readFileSync(new URL(`../docs/${path}`, import.meta.url), 'utf8');
const published = JSON.parse(read('contract/alert.schema.json')) as z.core.JSONSchema.JSONSchema;
const reader = z.fromJSONSchema(published);
const page = read('alerts.md');
const examples = [...page.matchAll(/^```json\n(.*?)^```/gms)].map(
  ([, text = '']) => JSON.parse(text) as Record<string, unknown>,
);

describe('docs/contract/alert.schema.json', () => {
  test('is what the schema makes of it', () => {
    // Also in this order: the file is read by people.
    expect(
      JSON.stringify(published, undefined, 2),
      'docs/contract/alert.schema.json is out of date: run npm run docs:contract',
    ).toBe(JSON.stringify(alertJsonSchema(), undefined, 2));
  });

  test('names no host', () => {
    expect(published.$id).toMatch(/^urn:/);
    expect(JSON.stringify(published).match(/https?:\/\/[^/"]+/g)).toEqual(['https://json-schema.org']);
  });

  test('says of every field what it is', () => {
    const fields = Object.entries(published.properties ?? {});
    expect(fields.map(([name]) => name)).toEqual(Object.keys(alertSchema.shape));
    expect(published.required).toEqual(Object.keys(alertSchema.shape));
    for (const [name, field] of fields)
      expect([name, (field as z.core.JSONSchema.BaseSchema).description]).toEqual([
        name,
        expect.stringMatching(/^\S.{10,}/),
      ]);
  });

  test('lets receivers live with fields that are added later', () => {
    expect(reader.safeParse({ ...examples[0], severity: 'high' }).success).toBe(true);
    expect(reader.safeParse({ ...examples[0], status: 'over' }).success).toBe(false);
  });
});

describe('docs/alerts.md', () => {
  test('shows one notice that raises and the one that resolves it, as they are sent', () => {
    expect(examples.map(({ status }) => status)).toEqual(['raised', 'resolved']);
    expect(examples[0]?.['id']).toBe(examples[1]?.['id']);
    for (const example of examples) {
      expect(alertSchema.strict().parse(example)).toEqual(example);
      expect(reader.safeParse(example).success).toBe(true);
    }
  });

  test('names every kind of alert and every field', () => {
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
    for (const name of [...ALERT_KINDS, ...Object.keys(alertSchema.shape)]) expect(rows).toContain(name);
  });
});
