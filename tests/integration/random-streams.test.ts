import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIsolatedPipeline, type IsolatedPipeline } from '../support/isolated-pipeline.ts';
import { poisons } from '../support/poison.ts';
import { type ModelRecord, modelHours, modelObservations } from '../support/reference-model.ts';
import { rowDifferences } from '../support/row-differences.ts';

let pipeline: IsolatedPipeline;
beforeAll(async () => {
  pipeline = await createIsolatedPipeline('random-streams', { settings: { 'parallelism.default': '2' } });
  await pipeline.start();
});
afterAll(() => pipeline?.close());

// Those of a megabyte would not fit into one batch together.
const kinds = poisons().filter(({ value }) => value === null || value.length < 100_000);
const now = Math.floor(Date.now() / 1_000);
/** Each run has cities of its own, so that runs share the job and the tables. */
const CITIES = 4;

/** Where a measurement stands in the JSON, and values that are possible. */
const fields: readonly (readonly [
  column: string,
  path: readonly [string, string],
  range: [number, number],
])[] = [
  ['temp', ['main', 'temp'], [-90, 60]],
  ['humidity', ['main', 'humidity'], [0, 100]],
  ['pressure', ['main', 'pressure'], [850, 1_100]],
  ['wind_speed', ['wind', 'speed'], [0, 120]],
  ['wind_gust', ['wind', 'gust'], [0, 120]],
  ['clouds', ['clouds', 'all'], [0, 100]],
  ['rain_1h', ['rain', '1h'], [0, 450]],
  ['snow_1h', ['snow', '1h'], [0, 450]],
];

const measurements = fc
  .record(
    Object.fromEntries(
      fields.map(([column, , [min, max]]) => [column, fc.double({ min, max, noNaN: true })]),
    ),
    { requiredKeys: [] },
  )
  .filter((given) => Object.keys(given).length > 0) as fc.Arbitrary<Record<string, number>>;

/** Few times, so that many records fall on the same one: this hour, yesterday, and thirteen years ago. */
const time = fc
  .tuple(fc.constantFrom(0, 3 * 3_600, 24 * 3_600, 13 * 365 * 24 * 3_600), fc.integer({ min: 0, max: 9 }))
  .map(([ago, step]) => now - ago - 480 * step);

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ city: fc.nat(CITIES - 1), atSeconds: time, measurements }) },
  { weight: 1, arbitrary: fc.record({ city: fc.nat(CITIES - 1), poison: fc.nat(kinds.length - 1) }) },
);

function documentOf({ cityId, atSeconds, measurements: given }: ModelRecord): string {
  const document: Record<string, unknown> = { id: cityId, dt: atSeconds };
  for (const [column, [group, field]] of fields) {
    const value = given[column];
    if (value !== undefined) document[group] = { ...(document[group] as object | undefined), [field]: value };
  }
  return JSON.stringify(document);
}

test('any stream, however disordered, repeated, late or poisoned, ends in the tables of the model', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 200, size: 'max' }), async (steps) => {
      runs += 1;
      const firstCity = 1_000 * runs;
      const before = await pipeline.rows<{ count: string }>('select count(*) from dead_letters');
      const records = steps.flatMap((one) =>
        'poison' in one
          ? []
          : [{ cityId: firstCity + one.city, atSeconds: one.atSeconds, measurements: one.measurements }],
      );
      await pipeline.send(
        steps.map((one) => ({
          key: String(firstCity + one.city),
          value:
            'poison' in one
              ? (kinds[one.poison]?.value ?? null)
              : documentOf({ ...one, cityId: firstCity + one.city }),
        })),
      );
      await pipeline.untilRead();
      const account = await pipeline.accountForRecords();

      const own = `city_id between ${firstCity} and ${firstCity + CITIES}`;
      const expected = modelObservations(records);
      const rows = await pipeline.rows<Record<string, unknown>>(
        `select * from observations where ${own} order by city_id, observed_at`,
      );
      expect(
        rows.map((row) => [
          Number(row['city_id']),
          (row['observed_at'] as Date).getTime() / 1_000,
          Object.fromEntries(fields.flatMap(([name]) => (row[name] === null ? [] : [[name, row[name]]]))),
        ]),
      ).toEqual(expected.map((record) => [record.cityId, record.atSeconds, withoutNegativeZero(record)]));
      const hours = await pipeline.rows<Record<string, unknown>>(`select * from weather_hourly where ${own}`);
      expect(rowDifferences(hours, modelHours(records), hourKey)).toEqual([]);
      expect(account).toEqual({
        read: steps.length,
        stored: expected.length,
        duplicates: records.length - expected.length,
        deadLetters: steps.length - records.length,
        expired: 0,
      });
      const after = await pipeline.rows<{ count: string }>('select count(*) from dead_letters');
      expect(Number(after[0]?.count) - Number(before[0]?.count)).toBe(steps.length - records.length);
    }),
    { numRuns: 12, endOnFailure: true },
  );
});

const hourKey = (hour: Readonly<Record<string, unknown>>): string =>
  `city ${hour['city_id']} at ${(hour['window_start'] as Date).toISOString()}`;

const withoutNegativeZero = ({ measurements: given }: ModelRecord): Record<string, number> =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value === 0 ? 0 : value]));
