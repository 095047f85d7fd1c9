import { MockActivityEnvironment } from '@temporalio/testing';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSourceActivities } from '../../activities/source.ts';
import { accountFor } from '../../clients/record-accounts.ts';
import { kafkaBrokers } from '../../config/addresses.ts';
import { addAccounts, emptyAccount, type RecordAccount } from '../../domain/record-accounts.ts';
import { inspectWeatherRecord } from '../../pipelines/weather/contract.ts';
import { eventually } from '../support/eventually.ts';
import { fakeCallBudget } from '../support/fake-call-budget.ts';
import { createIsolatedPipeline, type IsolatedPipeline, observation } from '../support/isolated-pipeline.ts';
import { config, hourglass } from '../support/shared-stack.ts';

let pipeline: IsolatedPipeline;
beforeAll(async () => {
  pipeline = await createIsolatedPipeline('accounting');
  await pipeline.start();
});
afterAll(() => pipeline?.close());

const at = (second: number): Date =>
  new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 + second * 1_000);
const live = (): string => pipeline.topics.live.name;

/** Accounts for one range of one partition, as the command does. */
const account = (partition: number, first: number, end: number): Promise<RecordAccount> =>
  accountFor(
    pipeline,
    live(),
    { partition, first, end },
    {
      ...{ pipeline: 'weather', inspect: inspectWeatherRecord },
    },
  );

async function accountForAll(): Promise<RecordAccount> {
  let total = emptyAccount;
  for (const { partition, low, high } of await pipeline.kafka.watermarks(live()))
    total = addAccounts(total, await account(partition, low, high));
  return total;
}

describe('read = stored + duplicates + dead letters', () => {
  test('holds for every range of offsets', async () => {
    const partition = 0;
    const one = (second: number) => ({
      ...{ partition, key: '1' },
      value: observation({ cityId: 1, at: at(second), temp: second }).body,
    });
    await pipeline.send([one(1), one(1), { partition, value: 'poison' }, one(2), one(1), one(3)]);
    await pipeline.untilRead();
    await pipeline.accountForRecords();
    const kinds = ['stored', 'duplicates', 'deadLetters', 'stored', 'duplicates', 'stored'] as const;
    for (let first = 0; first <= kinds.length; first += 1) {
      for (let end = first; end <= kinds.length; end += 1) {
        const expected = { ...emptyAccount, read: end - first };
        for (const kind of kinds.slice(first, end)) expected[kind as 'stored'] += 1;
        expect(await account(partition, first, end), `${first} to ${end}`).toEqual(expected);
      }
    }
  });

  test('a row that was lost is found, and its record becomes a dead letter that says so', async () => {
    await pipeline.publish([observation({ cityId: 31, at: at(1), temp: 5 })]);
    await pipeline.untilRead();
    expect(await accountForAll()).toMatchObject({ unaccounted: 0 });
    const [row] = await pipeline.rows<{ partition_id: number; record_offset: string }>(
      'delete from observations where city_id = 31 returning partition_id, record_offset',
    );
    const before = await accountForAll();
    expect(before).toMatchObject({ unaccounted: 1 });
    expect(before.read).toBe(before.stored + before.duplicates + before.deadLetters + 1);
    await pipeline.accountForRecords();
    const letters = await pipeline.rows(
      `select reason from dead_letters where partition_id = ${row?.partition_id} and record_offset = ${row?.record_offset}`,
    );
    expect(letters).toEqual([
      {
        reason:
          'The record fits the contract, but no row came from it and none has its key: the stream passed it over.',
      },
    ]);
    expect(await accountForAll()).toMatchObject({ unaccounted: 0 });
  });
});

test('an answer that ingestion refuses is published and becomes a dead letter with its reason and its bytes', async () => {
  const body = '{"id":"not a number","cod":200}';
  const reason = 'The field "id" is "not a number", expected a positive safe integer.';
  await pipeline.sql.query(
    "insert into locations (city_id, name, country, lat, lon, timezone, active_from) values (51, 'Oslo', 'NO', 59.9, 10.7, 'Europe/Oslo', '2020-01-01')",
  );
  const { pollShard } = createSourceActivities({
    ...{ database: pipeline.database, kafka: pipeline.kafka },
    pipelines: { weather: pipeline.definition },
    sources: { weather: { poll: async () => ({ kind: 'rejected', reason, body }) } },
    ...{ sourceName: 'mock', budgets: { weather: fakeCallBudget() }, concurrency: 1, spreadMs: 0 },
    now: () => new Date(),
    logger: { warn: () => undefined },
  });
  const input = { pipeline: 'weather', source: 'mock', shard: 0, shards: 1 };
  const summary = await new MockActivityEnvironment({ scheduledTimestampMs: Date.now() }).run(pollShard, {
    ...input,
    scheduledAt: at(0).toISOString(),
  });
  expect(summary).toMatchObject({ called: 1, rejected: 1, published: 0 });
  expect(await pipeline.accountForRecords()).toMatchObject({ deadLetters: 1 });
  const letters = await pipeline.rows<{ raw_bytes: Buffer; headers: object }>(
    `select reason, convert_from(key, 'UTF8') as key, raw_bytes, headers from dead_letters where topic = '${pipeline.topics.deadLetters.name}'`,
  );
  expect(letters).toMatchObject([{ reason, key: '51', headers: { source: 'mock', pipeline: 'weather' } }]);
  expect(String(letters[0]?.raw_bytes)).toBe(body);
});

// Last of those on this topic: the stream's committed offset never passes markers behind which no record stands.
test('the account holds beside transactions: markers and what was withdrawn are no records, and are not stored', async () => {
  const partition = 1;
  const producer = new Kafka({ brokers: [...kafkaBrokers(config)], logLevel: logLevel.NOTHING }).producer({
    ...{ transactionalId: pipeline.id, idempotent: true, maxInFlightRequests: 1 },
  });
  await producer.connect();
  const send = async (cityIds: readonly number[], outcome: 'commit' | 'abort'): Promise<void> => {
    const transaction = await producer.transaction();
    await transaction.send({
      topic: live(),
      messages: cityIds.map((cityId) => ({
        partition,
        value: observation({ cityId, at: at(1), temp: 1 }).body,
      })),
    });
    await transaction[outcome]();
  };
  await send([21, 22], 'commit');
  await send([23, 24], 'abort');
  await send([25], 'commit');
  // The partition ends in nothing but markers and withdrawn records.
  await send([26], 'abort');
  await producer.disconnect();
  await eventually(
    'the committed records are stored',
    () => pipeline.rows('select city_id from observations where partition_id = 1'),
    (rows) => rows.length === 3,
  );
  await pipeline.untilCheckpoint();
  const [, marks] = await pipeline.kafka.watermarks(live());
  expect(marks?.high).toBe(10);
  expect(await account(partition, 0, 10)).toEqual({ ...emptyAccount, read: 3, stored: 3 });
  expect(await pipeline.rows('select city_id from observations where partition_id = 1 order by 1')).toEqual([
    { city_id: '21' },
    { city_id: '22' },
    { city_id: '25' },
  ]);
});

describe('the commands', () => {
  test('show the account of the running stack, and its dead letters', async () => {
    const { code, stdout } = await hourglass(['accounting', '--json']);
    const { partitions, total } = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(partitions).toHaveLength(8);
    expect(total.read).toBe(total.stored + total.duplicates + total.deadLetters);
    expect(total.stored).toBeGreaterThan(0);
    const text = await hourglass(['accounting', '--topic', 'weather.observations.v1']);
    expect(text.stdout).toMatch(/\d+ read = \d+ stored \+ \d+ duplicates \+ \d+ dead letters/);
    expect((await hourglass(['dead-letters', 'list'])).stdout).toContain('There are no dead letters.');
  });

  test('refuse in a sentence what they cannot find', async () => {
    const topic = await hourglass(['accounting', '--topic', 'nothing']);
    expect([topic.code, topic.stderr]).toEqual([
      1,
      expect.stringContaining('No stream reads a topic "nothing"'),
    ]);
    const letter = await hourglass(['dead-letters', 'show', 'weather.observations.v1', '0', '999999']);
    expect([letter.code, letter.stderr]).toEqual([
      1,
      expect.stringContaining('There is no dead letter at offset 999999'),
    ]);
    expect((await hourglass(['accounting', '--partition', 'one'])).code).toBe(2);
  });
});
