/** What a watch sees of runs that hang, on a real server. */

import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTemporal } from '../../clients/temporal.ts';
import { describeWorkerDeployment, watchedFailures } from '../../clients/worker-deployments.ts';
import { temporalAddress } from '../../config/addresses.ts';
import { projectRoot } from '../../config/load.ts';
import { eventually } from '../support/eventually.ts';
import { config } from '../support/shared-stack.ts';

const QUEUE = 'runs that hang';
const TYPES = ['hangsInItsTask', 'hangsInAnActivity', 'triesForAWhile'];
const namespace = config.values.TEMPORAL_NAMESPACE;
let client: Client;
let connection: NativeConnection;
let worker: Worker;
let ended: Promise<void>;

/** A worker without a version, as what a run's first task never succeeds on has none. */
beforeAll(async () => {
  // That a workflow task fails is what is wanted here.
  const logging = { filter: makeTelemetryFilterString({ core: 'ERROR' }) };
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging } });
  client = await connectTemporal(temporalAddress(config), namespace);
  connection = await NativeConnection.connect({ address: temporalAddress(config) });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: join(projectRoot, 'tests/support/hanging-workflows.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  const failOn = async (): Promise<void> => {
    throw new Error('always');
  };
  worker = await Worker.create({
    ...{ connection, namespace, taskQueue: QUEUE, workflowBundle, activities: { failOn } },
  });
  ended = worker.run();
}, 120_000);
afterAll(async () => {
  worker?.shutdown();
  await ended;
  await connection?.close();
  await client?.connection.close();
});

test('is each that hangs since the build is current, in its task or in an activity, and none that hung before', async () => {
  const buildId = (await describeWorkerDeployment(client)).currentBuild ?? '';
  const startedAtMs = Date.now();
  const seen = async (sinceMs: number) =>
    (await watchedFailures(client, { buildId, sinceMs, watchMs: 600_000 })).stuck
      .filter(({ workflowId }) => TYPES.includes(workflowId))
      .map(({ workflowId, activity }) => [workflowId, activity])
      .sort();
  for (const type of TYPES) await client.workflow.start(type, { workflowId: type, taskQueue: QUEUE });
  const laterMs = Date.now() + 1;
  try {
    await eventually(
      'both hang',
      () => seen(startedAtMs),
      (stuck) => stuck.length === 2,
      { withinMs: 90_000, everyMs: 1_000 },
    );
    console.log(`seen after ${((Date.now() - startedAtMs) / 1_000).toFixed(1)} s`);
    expect(await seen(startedAtMs)).toEqual([
      ['hangsInAnActivity', 'failOn'],
      ['hangsInItsTask', undefined],
    ]);
    expect(await seen(laterMs)).toEqual([]);
  } finally {
    for (const type of TYPES) await client.workflow.getHandle(type).terminate('it was to hang');
  }
}, 120_000);
