import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIsolatedPipeline, type IsolatedPipeline, observation } from '../support/isolated-pipeline.ts';
import { poisons } from '../support/poison.ts';

let pipeline: IsolatedPipeline;
const kinds = poisons();

beforeAll(async () => {
  pipeline = await createIsolatedPipeline('poison');
  await pipeline.start();
});
afterAll(() => pipeline?.close());

interface DeadLetterRow {
  readonly partition_id: number;
  readonly record_offset: string;
  readonly reason: string;
  readonly key: Buffer | null;
  readonly raw_bytes: Buffer | null;
}

const good = (cityId: number) => ({
  key: String(cityId),
  value: observation({ cityId, at: new Date(Math.floor(Date.now() / 1_000) * 1_000), temp: 10 }).body,
});

describe('records that are no observations', () => {
  test('each kind becomes one dead letter with its bytes and its reason, the good records beside them arrive', async () => {
    expect(kinds.length).toBeGreaterThanOrEqual(30);
    // Each partition begins and ends with a poison, so that none has a readable record before or behind it.
    const places = kinds.map((kind, index) => ({ kind, partition: index % 4 }));
    await pipeline.send(
      places.flatMap(({ kind, partition }, index) => [
        { partition, key: `poison ${index}`, value: kind.value },
        ...(index + 4 < kinds.length ? [{ partition, ...good(1_000 + index) }] : []),
      ]),
    );
    await pipeline.untilRead();
    const summary = await pipeline.accountForRecords();
    expect(summary).toMatchObject({
      read: kinds.length + kinds.length - 4,
      stored: kinds.length - 4,
      duplicates: 0,
      deadLetters: kinds.length,
      expired: 0,
    });
    const letters = await pipeline.rows<DeadLetterRow>(
      `select * from dead_letters where topic = '${pipeline.topics.live.name}'`,
    );
    expect(letters).toHaveLength(kinds.length);
    for (const [index, { kind }] of places.entries()) {
      const letter = letters.find(({ key }) => String(key) === `poison ${index}`);
      expect(letter?.reason, kind.name).toMatch(kind.reason);
      // Not toEqual, which takes seconds for a megabyte.
      const isSame = kind.value === null ? letter?.raw_bytes === null : letter?.raw_bytes?.equals(kind.value);
      expect(isSame, kind.name).toBe(true);
    }
    const stored = await pipeline.rows<{ city_id: string }>('select city_id from observations');
    expect(stored.map(({ city_id }) => Number(city_id)).sort((a, b) => a - b)).toEqual(
      kinds.slice(0, -4).map((_, index) => 1_000 + index),
    );
    expect(await pipeline.rows('select from weather_hourly where city_id = 666')).toEqual([]);
  });

  test('the job has not failed once', async () => {
    const jobs = (await pipeline.rest.jobs()).filter(({ name }) => name === pipeline.id);
    expect(jobs).toHaveLength(1);
    expect(await pipeline.rest.exceptions(jobs[0]?.id ?? '')).toEqual([]);
  });

  test('accounting for them again changes nothing', async () => {
    const letters =
      'select partition_id, record_offset, reason, md5(raw_bytes), first_seen from dead_letters order by 1, 2';
    const before = await pipeline.rows(letters);
    await pipeline.sql.query('delete from record_accounts');
    const summary = await pipeline.accountForRecords();
    expect(summary).toMatchObject({ stored: kinds.length - 4, deadLetters: kinds.length });
    expect(await pipeline.rows(letters)).toEqual(before);
  });
});
