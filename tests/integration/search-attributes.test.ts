import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBatchJob } from '../../clients/batch-job.ts';
import { startReplay } from '../../clients/dead-letter-replay.ts';
import { smokeTest } from '../../clients/smoke-gate.ts';
import { connectTemporal, ensureNamespace } from '../../clients/temporal.ts';
import { describeWorkerDeployment } from '../../clients/worker-deployments.ts';
import { temporalAddress } from '../../config/addresses.ts';
import { completenessWatchScheduleId, partitionsScheduleId, SMOKE_TEST } from '../../domain/identities.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { pipelinesNamed } from '../../pipelines/index.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { replayInputSchema } from '../../schemas/workflow-inputs.ts';
import * as workflows from '../../workflows/index.ts';
import { eventually } from '../support/eventually.ts';
import { config, connectSql } from '../support/shared-stack.ts';

const { job, state, pipeline, source, window, backfill } = searchAttributes;
const workflowTypes = Object.entries(workflows).flatMap(([name, exported]) =>
  typeof exported === 'function' ? [name] : [],
);
let client: Client;

const hourWithoutRows = {
  job: 'recompute-hours',
  parameters: { from: '2020-01-01T00:00:00Z', to: '2020-01-01T01:00:00Z' },
};

/** An hour of one city that the stream still owns. */
const hourAgo = (hours: number): string =>
  new Date(Math.floor(Date.now() / 3_600_000 - hours) * 3_600_000).toISOString();
const oneHour = { pipeline: 'weather', from: hourAgo(16), to: hourAgo(15), entities: [292223] };

const timeWithoutLetters = replayInputSchema.parse({ pipeline: 'weather', until: '2020-01-01T00:00:00Z' });

beforeAll(async () => {
  client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  // The daily and hourly ones need not be waited for.
  await client.schedule.getHandle(partitionsScheduleId).trigger();
  await client.schedule.getHandle(completenessWatchScheduleId('weather')).trigger();
  await client.workflow.start<typeof workflows.checkCompleteness>('checkCompleteness', {
    ...{ workflowId: 'completeness/found-by-search-attributes', taskQueue: taskQueues.control },
    args: [{ ...oneHour, source: 'mock', repair: false }],
  });
  await startBatchJob(client, hourWithoutRows);
  await startReplay(client, timeWithoutLetters);
  await smokeTest(client, (await describeWorkerDeployment(client)).currentBuild ?? '');
  // Of a version that is not on record: each fails before it touches the job.
  const unknown = { job: weather.job.name, version: '0123456789ab' };
  for (const type of ['tryVersion', 'shadowUpgrade'])
    await client.workflow.start(type, {
      ...{ workflowId: `${type}/found-by-search-attributes`, taskQueue: taskQueues.control, args: [unknown] },
    });
  await client.workflow.start<typeof workflows.backfill>('backfill', {
    ...{ workflowId: 'found-by-search-attributes', taskQueue: taskQueues.control, args: [oneHour] },
  });
});
afterAll(async () => {
  await client?.connection.close();
});

/** The newest run that the query finds, within two minutes: a run of each minute has begun by then. */
const found = (query: string) =>
  eventually(
    `a run is found by ${query}`,
    async () => {
      for await (const run of client.workflow.list({ query })) return run;
      return undefined;
    },
    (run) => run !== undefined,
    { withinMs: 120_000, everyMs: 500 },
  );

/** What each workflow type is found by; a type that is missing here fails the test. */
const queries: Readonly<Record<string, readonly string[]>> = {
  flinkJob: pipelinesNamed(config.values.PIPELINES).map(
    (each) => `${job.name} = '${each.job.name}' AND ${state.name} IN ('settling', 'stable', 'unstable')`,
  ),
  ingestWeather: [
    `${pipeline.name} = 'weather' AND ${source.name} = 'mock'`,
    `${window.name} STARTS_WITH '${new Date().toISOString().slice(0, 10)}'`,
  ],
  accountForRecords: [`${pipeline.name} = 'weather' AND ${window.name} > '2026-01-01'`],
  checkCompleteness: [
    `${pipeline.name} = 'weather' AND ${source.name} = 'mock' AND ${window.name} > '2026-01-01'`,
  ],
  watchCompleteness: [`${pipeline.name} = 'weather' AND ${window.name} > '2026-01-01'`],
  maintainPartitions: [`${window.name} > '2026-01-01'`],
  replayDeadLetters: [`${pipeline.name} = 'weather'`],
  backfill: [
    `${pipeline.name} = 'weather' AND ${backfill.name} STARTS_WITH 'weather-' AND ${state.name} = 'completed'`,
  ],
  backfillChunk: [`${pipeline.name} = 'weather' AND ${backfill.name} STARTS_WITH 'weather-'`],
  tryVersion: [`${job.name} = '${weather.job.name}'`],
  shadowUpgrade: [`${job.name} = '${weather.job.name}'`],
  smokeTest: [`${state.name} = 'passed'`],
  runBatchJob: [`${job.name} = '${hourWithoutRows.job}' AND ${state.name} = 'finished'`],
};

describe('the search attributes', () => {
  test.each(workflowTypes)('find the runs of %s', async (type) => {
    expect(queries[type], `queries for ${type}`).toBeDefined();
    for (const query of queries[type] ?? []) {
      const run = await found(`WorkflowType = '${type}' AND ${query}`);
      expect(run?.type).toBe(type);
    }
  });

  test('are on every run: none is found by nothing but its type', async () => {
    // What tests a build belongs to no job and to no pipeline.
    const types = workflowTypes
      .filter((type) => type !== SMOKE_TEST)
      .map((type) => `'${type}'`)
      .join(', ');
    const ours = [job, pipeline, window].map(({ name }) => `${name} IS NULL`).join(' AND ');
    await eventually(
      'each run has an attribute of ours',
      // One whose input is not valid fails at once, with nothing to be found by.
      () => client.workflow.count(`WorkflowType IN (${types}) AND ExecutionStatus != 'Failed' AND ${ours}`),
      ({ count }) => count === 0,
    );
    expect((await client.workflow.count(`WorkflowType IN (${types})`)).count).toBeGreaterThan(3);
  });

  test('of a poll lead from its row in the ledger to its run', async () => {
    const sql = await connectSql();
    const { rows } = await sql.query<{ scheduled_at: Date; workflow_run_id: string }>(
      'select scheduled_at, workflow_run_id from ingest_runs order by scheduled_at desc limit 1',
    );
    await sql.end();
    const [row] = rows;
    expect(row).toBeDefined();
    const run = await found(
      `WorkflowType = 'ingestWeather' AND ${window.name} = '${row?.scheduled_at.toISOString()}'`,
    );
    expect(run?.runId).toBe(row?.workflow_run_id);
  });

  test('are registered again without an effect', async () => {
    const attributes = async () => {
      const { namespace } = client.options;
      const { customAttributes } = await client.connection.operatorService.listSearchAttributes({
        namespace,
      });
      return customAttributes;
    };
    const before = await attributes();
    await ensureNamespace(client);
    expect(await attributes()).toEqual(before);
    expect(Object.keys(before)).toEqual(
      expect.arrayContaining(Object.values(searchAttributes).map(({ name }) => name)),
    );
  });
});
