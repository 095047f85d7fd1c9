import { describe, expect, test } from 'vitest';
import { inspectWeatherRecord } from '../../pipelines/weather/contract.ts';
import { poisons } from '../../tests/support/poison.ts';
import { rowOfTruth } from '../../tests/support/truth.ts';
import { inputBatches } from '../support/records.ts';
import { flatten, flattenedColumns } from './flatten.ts';

const publishedMs = Date.now();
const flattened = (document: unknown) =>
  flatten({ value: Buffer.from(JSON.stringify(document)), publishedMs });

const namesOf = (document: unknown): Record<string, unknown> => {
  const result = flattened(document);
  if ('poison' in result) throw new Error(result.poison);
  return Object.fromEntries(flattenedColumns.map(({ name }, index) => [name, result.row[index]]));
};

const usual = { id: 17, dt: Math.floor(publishedMs / 1_000), name: 'Oslo', main: { temp: 1 } };

test('a record of the mock becomes the row it must become', () => {
  for (const weather of [...inputBatches({ records: 200, endSeconds: usual.dt })].flat()) {
    const { revision: _, ...truth } = rowOfTruth(weather);
    const row = namesOf(weather);
    expect({
      ...row,
      city_id: String(row['city_id']),
      observed_at: new Date(Number(row['observed_at'])),
      conditions: JSON.parse(String(row['conditions'])),
    }).toEqual({ ...truth, rejected_values: null });
  }
});

test.each(poisons())('$name is refused, with a reason', ({ value, reason }) => {
  expect(flatten({ value, publishedMs })).toEqual({ poison: expect.stringMatching(reason) });
});

describe('what is unusual is judged as the contract judges it', () => {
  test.each([
    { ...usual, id: '17' },
    { ...usual, id: 1.5 },
    { ...usual, dt: usual.dt + 601 },
    { ...usual, dt: -5 },
    { ...usual, name: 'x'.repeat(201) },
    { ...usual, name: 17 },
    { ...usual, main: null, visibility: 9 },
    { ...usual, main: {} },
    { ...usual, weather: [null] },
    { ...usual, sys: null },
    { ...usual, name: 'a\u0000b' },
  ])('%j', (document) => {
    const value = Buffer.from(JSON.stringify(document));
    const { kind } = inspectWeatherRecord({ value, publishedAt: new Date(publishedMs) });
    expect('row' in flatten({ value, publishedMs })).toBe(kind === 'fits');
  });
});

test('what is impossible is null and kept with its range', () => {
  const row = namesOf({ ...usual, main: { temp: 999, humidity: 'wet' } });
  expect(row).toMatchObject({ temp: null, humidity: null });
  expect(JSON.parse(String(row['rejected_values']))).toEqual({
    temp: { value: 999, range: [-90, 60] },
    humidity: { value: 'NaN', range: [0, 100] },
  });
});
