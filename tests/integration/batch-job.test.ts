/** Batch jobs of the running stack, on hours of long ago that no other test and no source knows. */
import { CancelledFailure, type Client, WorkflowFailedError } from '@temporalio/client';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBatchJob } from '../../clients/batch-job.ts';
import { createFlinkGatewayClient } from '../../clients/flink-gateway.ts';
import { createFlinkRestClient } from '../../clients/flink-rest.ts';
import { readFlinkSql } from '../../clients/sql-files.ts';
import { connectTemporal } from '../../clients/temporal.ts';
import {
  flinkGatewayUrl,
  flinkRestUrl,
  kafkaBrokers,
  postgresAddress,
  temporalAddress,
} from '../../config/addresses.ts';
import { flinkNameOf } from '../../domain/batch-job.ts';
import { batchSqlValues } from '../../domain/batch-job-parameters.ts';
import { renderFlinkSql } from '../../domain/flink-sql.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import type { MockWeather } from '../../mock/weather.ts';
import { flinkParameters } from '../../pipelines/flink-parameters.ts';
import { batchJobs } from '../../pipelines/index.ts';
import { eventually } from '../support/eventually.ts';
import { rowDifferences } from '../support/row-differences.ts';
import { config, connectSql, stack } from '../support/shared-stack.ts';
import { type HourOfTruth, hoursOfTruth, rowOfTruth } from '../support/truth.ts';
import { createWeatherLoad } from '../support/weather-load.ts';

const job = 'recompute-hours';
const FIRST_CITY = 990_001;
const CITIES = 8;
const HOURS = 6;
const PARTITION = 'observations_2001_03';
const hour = (number: number): string => `2001-03-05T0${number}:00:00Z`;
const parameters = { from: hour(1), to: hour(5) };
const isWithin = ({ window_start }: Pick<HourOfTruth, 'window_start'>): boolean =>
  window_start >= new Date(parameters.from) && window_start < new Date(parameters.to);
const keyOf = (row: Readonly<Record<string, unknown>>): string =>
  `${row['city_id']} ${(row['window_start'] as Date).toISOString()}`;

const rest = createFlinkRestClient(flinkRestUrl(config));
const observations = weatherOfLongAgo();
const truth = hoursOfTruth(observations);
let client: Client;
let sql: pg.Client;

/** Six observations in each hour of each city, ten minutes apart; the first is on the hour. */
function weatherOfLongAgo(): MockWeather[] {
  const load = createWeatherLoad({ firstCity: FIRST_CITY, cities: CITIES });
  load.next(2 * CITIES * HOURS * 6);
  return [...load.observations.values()].slice(0, CITIES * HOURS * 6).map((weather, index) => ({
    ...weather,
    id: FIRST_CITY + (index % CITIES),
    dt: Date.parse(hour(0)) / 1_000 + Math.floor(index / CITIES) * 600,
  }));
}

const insert = (table: string, rows: readonly object[]) =>
  sql.query(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1)`, [
    JSON.stringify(rows),
  ]);
const stored = {
  topic: 'none',
  partition_id: 0,
  record_offset: 0,
  published_at: hour(0),
  stored_at: hour(0),
};
const storedHours = async (where = 'true') =>
  (
    await sql.query<HourOfTruth>(
      `select * from weather_hourly where city_id between $1 and $1 + 99 and ${where} order by city_id, window_start`,
      [FIRST_CITY],
    )
  ).rows;
const flinkJobs = async (workflowId: string) =>
  (await rest.jobs()).filter(({ name }) => name === flinkNameOf(workflowId)).map(({ state }) => state);

beforeAll(async () => {
  client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  sql = await connectSql();
  await sql.query("select ensure_partitions('observations', '2001-03-01', '2001-03-01')");
  await insert(
    'observations',
    observations.map((weather) => ({ ...rowOfTruth(weather), ...stored })),
  );
});
afterAll(async () => {
  await sql?.query('delete from weather_hourly where city_id between $1 and $1 + 99', [FIRST_CITY]);
  await sql?.query(`drop table if exists ${PARTITION}`);
  await sql?.end();
  await client?.connection.close();
});

describe('hours that are made anew', () => {
  test('hold exactly the aggregate of the observations, whatever stood there; hours beside them stay', async () => {
    // Of each third hour there is no row; of the others a figure is wrong in either direction.
    const tampered = truth
      .filter((_, index) => index % 3 !== 0)
      .map((row, index) => ({
        ...{ ...row, updated_at: hour(0) },
        ...(index % 2 === 0 ? { observation_count: 99, temp_max: 59 } : { observation_count: 1, rain_mm: 7 }),
      }));
    await insert('weather_hourly', tampered);
    const before = (await storedHours()).filter((row) => !isWithin(row));
    expect(before.length).toBeGreaterThan(0);

    const run = await startBatchJob(client, { job, parameters });
    const within = truth.filter(isWithin);
    expect(await run.result()).toEqual({
      ...{ jobId: expect.stringMatching(/^[0-9a-f]{32}$/), attempts: 1 },
      recordsWritten: within.length,
    });

    const after = await storedHours();
    expect(after.filter((row) => !isWithin(row))).toEqual(before);
    const expected = within.map((row) => ({ ...row, origin: 'batch' }));
    expect(expected).toHaveLength(CITIES * 4);
    expect(rowDifferences(after.filter(isWithin), expected, keyOf)).toEqual([]);
  });

  test('count a rate that was rejected as not known, and one that is absent as zero', async () => {
    const cityId = FIRST_CITY + 50;
    const [first] = observations as [MockWeather];
    const minute = (number: number): string => `2001-03-06T00:0${number}:00Z`;
    const rejected = (field: string) => ({ [field]: { value: 999, range: [0, 450] } });
    await insert(
      'observations',
      [
        { rain_1h: 4, snow_1h: null, rejected_values: null },
        { rain_1h: null, snow_1h: 3, rejected_values: null },
        { rain_1h: null, snow_1h: null, rejected_values: rejected('rain_1h') },
        { rain_1h: null, snow_1h: null, rejected_values: { ...rejected('snow_1h'), ...rejected('temp') } },
      ].map((own, index) => ({
        ...{ ...rowOfTruth(first), ...stored, city_id: cityId, observed_at: minute(index) },
        ...own,
      })),
    );
    const run = await startBatchJob(client, {
      job,
      parameters: { from: '2001-03-06T00:00:00Z', to: '2001-03-06T01:00:00Z' },
    });
    await run.result();
    expect(await storedHours(`city_id = ${cityId}`)).toMatchObject([
      { observation_count: '4', rain_mm: 4 / 3, snow_mm: 1, origin: 'batch' },
    ]);
  });

  test('are all that PostgreSQL is asked for: the filter is part of the scan', async () => {
    const definition = batchJobs[job];
    if (definition === undefined) throw new Error(`there is no ${job}`);
    const postgres = { ...postgresAddress(config), user: config.values.POSTGRES_PIPELINE_USER };
    const values = {
      ...batchSqlValues(definition, parameters),
      ...flinkParameters(job, { brokers: kafkaBrokers(config), postgres }),
    };
    const statements = definition.files.map((file) => renderFlinkSql(readFlinkSql(file), values));
    const explained = (statements.pop() ?? '').replace('INSERT INTO', 'EXPLAIN INSERT INTO');
    const { rows } = await createFlinkGatewayClient(flinkGatewayUrl(config)).execute(
      [...statements, explained],
      { ...definition.settings, 'execution.runtime-mode': 'batch' },
    );
    const [, plan = ''] = rows.flat().join('\n').split('== Optimized Execution Plan ==');
    expect(plan).toContain(
      'filter=[and(>=(observed_at, 2001-03-05 01:00:00), <(observed_at, 2001-03-05 05:00:00))]',
    );
    expect(plan).not.toContain('where=');
    expect(plan).toContain('HashAggregate(');
  });
});

describe('a run of a batch job', () => {
  test('started twice is one job; started again after its end it is another', async () => {
    const input = { job, parameters: { from: hour(1), to: hour(2) } };
    const [one, two] = await Promise.all([startBatchJob(client, input), startBatchJob(client, input)]);
    expect(two.firstExecutionRunId).toBe(one.firstExecutionRunId);
    expect(await two.result()).toEqual(await one.result());
    expect(await flinkJobs(one.workflowId)).toEqual(['FINISHED']);
    const again = await startBatchJob(client, input);
    expect(again.firstExecutionRunId).not.toBe(one.firstExecutionRunId);
    expect((await again.result()).jobId).not.toBe((await one.result()).jobId);
    expect(await flinkJobs(one.workflowId)).toEqual(['FINISHED', 'FINISHED']);
  });

  test('finds room beside another one and the stream', async () => {
    const ranges = [1, 2, 3].map((from) => ({ from: hour(from), to: hour(from + 1) }));
    const runs = await Promise.all(ranges.map((range) => startBatchJob(client, { job, parameters: range })));
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(results.map(({ attempts, recordsWritten }) => [attempts, recordsWritten])).toEqual(
      ranges.map(() => [1, CITIES]),
    );
  });

  test('with parameters that cannot be right is refused with every mistake, and nothing is submitted', async () => {
    const run = await startBatchJob(client, { job, parameters: { from: hour(5), to: hour(1) } });
    await expect(run.result()).rejects.toMatchObject({
      cause: { type: 'BATCH_JOB_REFUSED', message: expect.stringContaining('must lie before "to"') },
    });
    expect(await flinkJobs(run.workflowId)).toEqual([]);
  });

  test('that is cancelled takes its Flink job along, and waits for its end', async () => {
    const holder = await connectSql();
    const watcher = await connectSql({ user: 'postgres', password: stack.superuserPassword });
    try {
      await holder.query('begin');
      await holder.query(`lock table ${PARTITION} in access exclusive mode`);
      const input = { job, parameters: { from: hour(2), to: hour(4) }, priority: 3 };
      const run = await startBatchJob(client, input);
      const scan = await eventually(
        'the scan waits for the lock',
        async () =>
          (
            await watcher.query<{ query: string }>(
              `select query from pg_stat_activity where wait_event_type = 'Lock' and usename = $1`,
              [config.values.POSTGRES_PIPELINE_USER],
            )
          ).rows,
        (rows) => rows.length > 0,
      );
      expect(scan[0]?.query).toMatch(/WHERE \(*observed_at >= \$1\)* AND \(*observed_at < \$2\)*$/);
      expect(await flinkJobs(run.workflowId)).toEqual(['RUNNING']);
      expect((await run.describe()).typedSearchAttributes.get(searchAttributes.job)).toBe(job);

      await run.cancel();
      await eventually(
        'the run waits for the end of its Flink job',
        () => run.describe(),
        ({ typedSearchAttributes }) => typedSearchAttributes.get(searchAttributes.state) === 'cancelling',
      );
      await eventually(
        'Flink cancels',
        () => flinkJobs(run.workflowId),
        ([state]) => state === 'CANCELLING',
      );
      expect((await run.describe()).status.name).toBe('RUNNING');
      await holder.query('rollback');
      const failure = await run.result().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(WorkflowFailedError);
      expect((failure as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
      expect(await flinkJobs(run.workflowId)).toEqual(['CANCELED']);
    } finally {
      await holder.end();
      await watcher.end();
    }
  });
});
