/** What the server says of the workers that run, and the doors that a smoke test goes through. */
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smokeTest } from '../../clients/smoke-gate.ts';
import { connectTemporal } from '../../clients/temporal.ts';
import { describeWorkerDeployment, openRunsByType, polledQueues } from '../../clients/worker-deployments.ts';
import { temporalAddress } from '../../config/addresses.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { config, hourglass } from '../support/shared-stack.ts';

const UNKNOWN = '0123456789abcdef';
let client: Client;
let current: string;

beforeAll(async () => {
  client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  current = (await describeWorkerDeployment(client)).currentBuild ?? '';
});
afterAll(async () => {
  await client?.connection.close();
});

describe('the worker of the current build', () => {
  test('polls every task queue, and a build that is not there polls none', async () => {
    expect(await polledQueues(client, current, Date.now())).toEqual(Object.values(taskQueues));
    expect(await polledQueues(client, UNKNOWN, Date.now())).toEqual([]);
  });

  test('holds the runs that are open', async () => {
    expect(await openRunsByType(client, current)).toMatchObject({ flinkJob: 1 });
    expect(await openRunsByType(client, UNKNOWN)).toEqual({});
  });

  test('goes through every door', async () => {
    const { passed, reason, details } = await smokeTest(client, current);
    expect([passed, reason]).toEqual([true, '']);
    expect(details).toEqual({
      control: 'PostgreSQL, Kafka answered',
      'source-api': 'PostgreSQL, the source answered',
      'source-history': 'PostgreSQL, the history of the source answered',
      flink: 'the JobManager, the SQL Gateway answered',
    });
  });

  test('is what the commands show, and nothing is open on older builds', async () => {
    const status = await hourglass(['workers', 'status']);
    expect([status.code, status.stdout]).toEqual([
      0,
      expect.stringContaining(`Build ${current} is current since`),
    ]);
    expect((await hourglass(['workers', 'versions'])).stdout).toMatch(
      new RegExp(`${current} +current +ready +\\d+ .*here`),
    );
    expect((await hourglass(['workers', 'drain'])).stdout).toBe('Nothing is open on older builds.\n');
    expect(await hourglass(['workers', 'rollback'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no build to roll back to'),
    });
    const verified = await hourglass(['workers', 'verify', current]);
    expect([verified.code, verified.stderr]).toEqual([0, '']);
    expect(verified.stdout).toMatch(
      /passes: \d+ recorded histories, [1-9]\d* of the server's and [1-9]\d* carried states/,
    );
  });
});
