import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchJobDefinitionSchema } from '../schemas/pipeline.ts';
import { BatchParametersError, batchSqlValues } from './batch-job-parameters.ts';

const definition = batchJobDefinitionSchema.parse({
  name: 'rebuild',
  files: ['jobs/rebuild.sql'],
  parallelism: 1,
  settings: {},
  parameters: { from: 'hour', to: 'hour' },
  ascending: [['from', 'to']],
});
const valid = { from: '2026-01-31T23:00:00Z', to: '2026-02-01T00:00:00Z' };
const mistakes = (given: Readonly<Record<string, string>>): string => {
  try {
    batchSqlValues(definition, given);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(BatchParametersError);
    return (error as Error).message;
  }
};

describe('the parameters of a batch job', () => {
  test('become what stands between the quotes of a literal', () => {
    expect(batchSqlValues(definition, valid)).toEqual({
      from: '2026-01-31 23:00:00',
      to: '2026-02-01 00:00:00',
    });
  });

  test.each([
    '2026-01-31T23:30:00Z',
    '2026-01-31T23:00:01Z',
    '2026-01-31T23:00:00+01:00',
    '2026-01-31T23:00:00.000Z',
    '2026-01-31T24:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-31',
    "2026-01-31T23:00:00Z' OR TRUE --",
    '2026-01-31T23:00:00Z\n',
    '',
  ])('an hour is not written %j', (from) => {
    expect(mistakes({ ...valid, from })).toContain(
      `"from" is "${from}", expected an instant on the hour in UTC, written like 2026-01-31T17:00:00Z`,
    );
  });

  test('every hour is written in one way, so that what loads the same has the same name', () => {
    const hours = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(hours, (hour) => {
        const iso = new Date(hour * 3_600_000).toISOString();
        const from = iso.replace('.000Z', 'Z');
        const { from: literal } = batchSqlValues(definition, { from, to: '2999-01-01T00:00:00Z' });
        expect(new Date(`${literal}Z`).toISOString()).toBe(iso);
      }),
    );
  });

  test('nothing but digits, hyphens, colons and one space ever reaches the SQL', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom(valid.from, valid.to)), (from) => {
        if (mistakes({ ...valid, from }) === '')
          expect(batchSqlValues(definition, { ...valid, from })['from']).toMatch(/^[\d-]+ [\d:]+$/);
      }),
    );
  });

  test('that end before they begin are refused, and also a range of nothing', () => {
    expect(mistakes({ from: valid.to, to: valid.from })).toContain(
      '"from" (2026-02-01T00:00:00Z) must lie before "to" (2026-01-31T23:00:00Z)',
    );
    expect(mistakes({ from: valid.to, to: valid.to })).toContain('must lie before');
  });

  test('that are missing or strange are told all at once', () => {
    expect(mistakes({ since: 'x', to: '' })).toBe(
      'The batch job rebuild cannot run: it has no parameter "since", there are: from, to; "from" is missing, an instant on the hour in UTC, written like 2026-01-31T17:00:00Z; "to" is "", expected an instant on the hour in UTC, written like 2026-01-31T17:00:00Z.',
    );
    expect(mistakes(JSON.parse('{"__proto__": "x"}'))).toContain('"from" is missing');
  });
});

describe('a range of offsets', () => {
  const load = batchJobDefinitionSchema.parse({
    ...{ name: 'load', files: ['jobs/load.sql'], parallelism: 1, settings: {} },
    parameters: { offsets: 'offsets', topic: 'topic', load: 'name' },
  });
  const given = { offsets: '0:17-42;1:5-5', topic: 'a.topic_1-x', load: 'load-1' };
  const isRefused = (changed: Readonly<Record<string, string>>): boolean => {
    try {
      batchSqlValues(load, { ...given, ...changed });
      return false;
    } catch (error) {
      return error instanceof BatchParametersError;
    }
  };

  test('becomes where to begin and where to end, each with every partition', () => {
    expect(batchSqlValues(load, given)).toEqual({
      ...{ topic: 'a.topic_1-x', load: 'load-1' },
      offsets_first: 'partition:0,offset:17;partition:1,offset:5',
      offsets_end: 'partition:0,offset:42;partition:1,offset:5',
    });
  });

  test.each(['', '0:5-4', '0:1-2;0:3-4', '0:1-2;', '0:1', 'a:1-2', "0:1-2' OR"])(
    'is not written %j',
    (offsets) => {
      expect(isRefused({ offsets })).toBe(true);
    },
  );

  test.each([{ topic: "t'" }, { topic: '' }, { load: '-x' }, { load: 'a b' }, { load: 'x'.repeat(201) }])(
    'does not come with %j',
    (changed) => {
      expect(isRefused(changed)).toBe(true);
    },
  );
});
