import { expect, test } from 'vitest';
import { citiesFor, inputBatches } from './records.ts';

const endSeconds = 1_800_000_000;
const input = [...inputBatches({ records: 1_000, endSeconds, batchSize: 300 })];

test('the input has as many observations as asked for, each once and none after its end', () => {
  const all = input.flat();
  expect(input.map((batch) => batch.length)).toEqual([300, 300, 300, 100]);
  expect(new Set(all.map(({ id, dt }) => `${id}/${dt}`)).size).toBe(1_000);
  expect(Math.max(...all.map(({ dt }) => dt))).toBeLessThan(endSeconds);
});

test('the cities are as many as let each have several hours', () => {
  expect(citiesFor(1_000_000)).toBe(10_000);
  expect(citiesFor(36_000)).toBe(1_000);
  const [first] = input.flat();
  expect(input.flat().filter(({ id }) => id === first?.id).length).toBeGreaterThanOrEqual(36);
});
