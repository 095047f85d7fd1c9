/** The batch job that makes records of a range of offsets rows, on real engines: what it loads, what it leaves, and how that is checked. */
import { randomBytes } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBackfillLoadActivities } from '../../activities/backfill-loads.ts';
import { readFlinkSql } from '../../clients/sql-files.ts';
import { kafkaBrokers, postgresAddress } from '../../config/addresses.ts';
import { overPartitions, rangesText, widen } from '../../domain/backfill-offsets.ts';
import { batchSqlValues } from '../../domain/batch-job-parameters.ts';
import { renderFlinkSql } from '../../domain/flink-sql.ts';
import { parametersOf } from '../../pipelines/flink-parameters.ts';
import { batchJobs, contracts } from '../../pipelines/index.ts';
import { eventually } from '../support/eventually.ts';
import { createIsolatedPipeline, type IsolatedPipeline, observation } from '../support/isolated-pipeline.ts';
import { config } from '../support/shared-stack.ts';

const definition = batchJobs['load-history'];
if (definition === undefined) throw new Error('there is no job load-history');
const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
const HOUR = '2003-05-05T10:00:00Z';
const range = { from: '2003-05-05T10:00:00Z', to: '2003-05-05T12:00:00Z' };
const at = (minutes: number): Date => new Date(Date.parse(HOUR) + minutes * 60_000);
const ID = 'weather-20030505T10-20030505T12-0123456789ab';

let pipeline: IsolatedPipeline;
let loads: ReturnType<typeof createBackfillLoadActivities>;

beforeAll(async () => {
  pipeline = await createIsolatedPipeline('load-history');
  const { database, kafka, definition: weather } = pipeline;
  loads = createBackfillLoadActivities({ database, kafka, pipelines: { weather }, contracts });
  await pipeline.sql.query(
    `insert into backfills (
      backfill_id, pipeline, request_key, repeat, request, purpose, reason, windows, skipped, chunks, calls, seconds, workflow_id
    )
    values ($1, 'weather', 'key', 1, $2, 'backfill', '', 2, '{}', 1, 0, 0, 'by-hand')`,
    [ID, JSON.stringify({ pipeline: 'weather', ...range, input: 'history' })],
  );
});
afterAll(() => pipeline?.close());

interface Sent {
  readonly city: number;
  readonly minutes: number;
  readonly temp?: number;
  readonly backfill?: string;
  readonly revision?: number;
  readonly value?: string;
}

/** @returns the ranges that hold exactly these */
async function publish(records: readonly Sent[], topic = pipeline.topics.history.name) {
  const places = await pipeline.kafka.publish(
    topic,
    records.map(({ city, minutes, temp = 20, backfill = ID, revision = 0, value }) => ({
      key: String(city),
      value: value ?? observation({ cityId: city, at: at(minutes), temp }).body,
      headers: { source: 'mock', backfill, revision: String(revision) },
    })),
  );
  return overPartitions(widen([], places), await pipeline.kafka.watermarks(topic));
}

/** Runs the job, and the check of it. */
async function load(
  offsets: Parameters<typeof rangesText>[0],
  { topic = pipeline.topics.history.name, backfill = ID } = {},
) {
  const load = `load-${randomBytes(4).toString('hex')}`;
  const parameters = { topic, offsets: rangesText(offsets), backfill, ...range, load };
  const values = {
    ...batchSqlValues(definition as NonNullable<typeof definition>, parameters),
    ...parametersOf(pipeline.definition, {
      brokers: kafkaBrokers(config),
      postgres: { ...postgresAddress(config), user: config.values.POSTGRES_PIPELINE_USER },
      schema: pipeline.id,
    }),
  };
  const jobId = randomBytes(16).toString('hex');
  await pipeline.gateway.execute(
    (definition?.files ?? []).map((file) => renderFlinkSql(readFlinkSql(file), values)),
    {
      ...definition?.settings,
      'pipeline.name': load,
      'parallelism.default': '2',
      'execution.runtime-mode': 'batch',
      'restart-strategy.type': 'none',
      '$internal.pipeline.job-id': jobId,
    },
  );
  const ended = await eventually(
    'the load ends',
    () => pipeline.rest.job(jobId),
    (job) => ['FINISHED', 'FAILED', 'CANCELED'].includes(job?.state ?? ''),
    { withinMs: 120_000 },
  );
  expect(ended?.state).toBe('FINISHED');
  return { load, parameters };
}

const check = (job: Awaited<ReturnType<typeof load>>, id = ID) =>
  environment.run(loads.checkLoad, { id, job }) as Promise<void>;
const rowsOf = (cities: readonly number[]) =>
  pipeline.rows<{ city_id: number; minutes: number; temp: number; revision: number }>(
    `select city_id::integer, (extract(epoch from observed_at - '${HOUR}') / 60)::integer as minutes, temp, revision
     from observations where city_id in (${cities.join(', ')}) order by city_id, observed_at`,
  );

describe('a load of a range of offsets', () => {
  test('stores the records of its backfill and hours, each key once, and makes what is odd a dead letter', async () => {
    await publish([{ city: 1, minutes: 5, temp: 1 }]);
    const offsets = await publish([
      ...[0, 10, 20].map((minutes) => ({ city: 2, minutes, temp: minutes })),
      { city: 2, minutes: 10, temp: 30 },
      { city: 3, minutes: 119 },
      // Of the hour after the range, and of another backfill.
      { city: 3, minutes: 120 },
      { city: 4, minutes: 0, backfill: 'another-backfill' },
      { city: 5, minutes: 0, value: '{"id": 5, "dt": 1052128800, "main": {}}' },
      { city: 6, minutes: 0, value: 'no JSON' },
    ]);
    // Later ones belong to another load.
    await publish([{ city: 2, minutes: 40 }]);
    const job = await load(offsets);
    expect(await rowsOf([1, 2, 3, 4, 5, 6])).toEqual([
      { city_id: 2, minutes: 0, temp: 0, revision: 0 },
      { city_id: 2, minutes: 10, temp: 10, revision: 0 },
      { city_id: 2, minutes: 20, temp: 20, revision: 0 },
      { city_id: 3, minutes: 119, temp: 20, revision: 0 },
    ]);
    const reads = await pipeline.rows<{ records: number }>(
      `select records::integer from batch_reads where load_id = '${job.load}'`,
    );
    expect(reads.reduce((sum, { records }) => sum + records, 0)).toBe(9);
    // What is out of the range of hours fits, has no row, and is of this backfill: nobody publishes such.
    await expect(check(job)).rejects.toThrow('1 records of');
    const letters = await pipeline.rows<{ reason: string }>(
      `select reason from dead_letters where topic = '${pipeline.topics.history.name}' order by record_offset`,
    );
    expect(letters).toHaveLength(2);
  });

  test('stores over a row only a record with a higher revision', async () => {
    const job = await load(await publish([{ city: 10, minutes: 0, temp: 1 }]));
    await check(job);
    await check(await load(await publish([{ city: 10, minutes: 0, temp: 2 }])));
    expect(await rowsOf([10])).toMatchObject([{ temp: 1, revision: 0 }]);
    const offsets = await publish([
      { city: 10, minutes: 0, temp: 3, revision: 7 },
      { city: 10, minutes: 0, temp: 4, revision: 9 },
      { city: 10, minutes: 0, temp: 5, revision: 9 },
      { city: 10, minutes: 0, temp: 6, revision: 8 },
    ]);
    await check(await load(offsets));
    expect(await rowsOf([10])).toMatchObject([{ temp: 4, revision: 9 }]);
    await check(await load(offsets));
    expect(await rowsOf([10])).toMatchObject([{ temp: 4, revision: 9 }]);
  });

  test('takes the records of the live topic whoever published them, and none of their revisions', async () => {
    const topic = pipeline.topics.live.name;
    const offsets = await publish(
      [
        { city: 20, minutes: 0, backfill: '', revision: 99 },
        { city: 21, minutes: 60, value: 'no JSON' },
      ],
      topic,
    );
    await check(await load(offsets, { topic, backfill: 'any' }));
    expect(await rowsOf([20])).toMatchObject([{ revision: 0 }]);
  });
});

describe('the check of a load', () => {
  test('fails when not all was read, also of a job that finished', async () => {
    const job = await load(await publish([0, 1, 2].map((minutes) => ({ city: 30, minutes }))));
    await check(job);
    await pipeline.sql.query('update batch_reads set records = records - 1 where load_id = $1', [job.load]);
    await expect(check(job)).rejects.toMatchObject({ code: 'RECORDS_NOT_READ' });
    await pipeline.sql.query('delete from batch_reads where load_id = $1', [job.load]);
    await expect(check(job)).rejects.toThrow('none were read');
  });

  test('counts records where a transaction has left offsets without one', async () => {
    const topic = pipeline.topics.history.name;
    const producer = new Kafka({
      brokers: [...kafkaBrokers(config)],
      logLevel: logLevel.NOTHING,
    }).producer({ idempotent: true, maxInFlightRequests: 1, transactionalId: pipeline.id });
    await producer.connect();
    const before = await pipeline.kafka.watermarks(topic);
    for (const minutes of [1, 2]) {
      const transaction = await producer.transaction();
      const value = observation({ cityId: 31, at: at(minutes), temp: 1 }).body;
      await transaction.send({ topic, messages: [{ key: '31', value, headers: { backfill: ID } }] });
      await transaction.commit();
    }
    await producer.disconnect();
    const after = await pipeline.kafka.watermarks(topic);
    const offsets = before.map(({ partition, high }, index) => ({
      partition,
      first: high,
      end: after[index]?.high ?? high,
    }));
    await check(await load(offsets));
    expect(await rowsOf([31])).toHaveLength(2);
  });

  test('fails when its records have left the topic', async () => {
    const topic = pipeline.topics.history.name;
    const offsets = await publish([{ city: 40, minutes: 0 }]);
    const job = await load(offsets);
    const admin = new Kafka({ brokers: [...kafkaBrokers(config)], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    // Otherwise the library does not know the topic's leaders.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({
      topic,
      partitions: offsets.map(({ partition, end }) => ({ partition, offset: String(end) })),
    });
    await admin.disconnect();
    await expect(check(job)).rejects.toMatchObject({ code: 'RECORDS_NOT_IN_TOPIC' });
  });
});
