import type { Client } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { taskQueues } from '../domain/task-queues.ts';
import { describeWorkerDeployment, polledQueues, watchedFailures } from './worker-deployments.ts';

const BUILD = 'aaaaaaaaaaaaaaaa';
const NOW = 1_800_000_000_000;
const at = (ms: number) => ({ seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 });

function serverWith(service: object, workflow: object = {}): Client {
  return { options: { namespace: 'ours' }, workflowService: service, workflow } as unknown as Client;
}

const versionWith = async (summary: object) => {
  const versionSummaries = [{ deploymentVersion: { buildId: BUILD }, ...summary }];
  const client = serverWith({
    describeWorkerDeployment: async () => ({ workerDeploymentInfo: { versionSummaries } }),
  });
  return (await describeWorkerDeployment(client)).versions[0];
};

describe('the worker deployment', () => {
  test('that no worker has polled for yet has no versions', async () => {
    const client = serverWith({
      describeWorkerDeployment: async () => {
        throw Object.assign(new Error('not found'), { code: 5 });
      },
    });
    expect(await describeWorkerDeployment(client)).toEqual({
      currentBuild: undefined,
      currentSinceMs: undefined,
      versions: [],
    });
  });

  test('says which build is current, and since when', async () => {
    const client = serverWith({
      describeWorkerDeployment: async () => ({
        workerDeploymentInfo: {
          routingConfig: {
            currentDeploymentVersion: { buildId: BUILD },
            currentVersionChangedTime: at(NOW + 7),
          },
        },
      }),
    });
    expect(await describeWorkerDeployment(client)).toMatchObject({
      currentBuild: BUILD,
      currentSinceMs: NOW + 7,
    });
  });

  test('a status that the server does not specify counts as draining, but of a version that never served', async () => {
    expect(await versionWith({ status: 0, lastCurrentTime: at(NOW) })).toMatchObject({ status: 'draining' });
    expect(await versionWith({ status: 0 })).toMatchObject({ status: 'unknown', lastCurrentMs: undefined });
    expect(await versionWith({ status: 5, lastDeactivationTime: at(NOW) })).toMatchObject({
      status: 'drained',
      ceasedMs: NOW,
    });
    expect(await versionWith({ status: 6 })).toMatchObject({ status: 'inactive' });
  });
});

describe('the task queues that a build polls', () => {
  test('are those where one of its workers asked for work of late; the control queue where it asks for workflows', async () => {
    const asked: string[] = [];
    const client = serverWith({
      describeTaskQueue: async ({ taskQueue, taskQueueType }: never) => {
        const { name } = taskQueue as { name: string };
        asked.push(`${name} ${taskQueueType}`);
        const agoMs = name === taskQueues.flink ? 120_000 : 1_000;
        const buildId = name === taskQueues.sourceApi ? 'another' : BUILD;
        return { pollers: [{ deploymentOptions: { buildId }, lastAccessTime: at(NOW - agoMs) }] };
      },
    });
    expect(await polledQueues(client, BUILD, NOW)).toEqual([taskQueues.control, taskQueues.sourceHistory]);
    expect(asked).toEqual(['control 1', 'source-api 2', 'source-history 2', 'flink 2']);
  });
});

describe('failures that are watched', () => {
  test('are counted on the build since it is current, and on all in the same time before', async () => {
    const queries: string[] = [];
    const runs = [
      { workflowId: 'well', runId: '1', attempt: 1 },
      { workflowId: 'stuck', runId: '2', attempt: 4 },
    ];
    const client = serverWith(
      {},
      {
        count: async (query: string) => {
          queries.push(query);
          return { count: queries.length };
        },
        list: async function* () {
          yield* runs;
        },
        getHandle: (workflowId: string) => ({
          describe: async () => ({
            raw: { pendingWorkflowTask: runs.find((run) => run.workflowId === workflowId) },
          }),
        }),
      },
    );
    expect(await watchedFailures(client, { buildId: BUILD, sinceMs: NOW - 60_000, nowMs: NOW })).toEqual({
      failedRuns: 1,
      failedRunsBefore: 2,
      stuck: [{ workflowId: 'stuck', attempt: 4 }],
    });
    const iso = (ms: number): string => new Date(ms).toISOString();
    expect(queries[0]).toContain(`hourglass:${BUILD}`);
    expect(queries[0]).toContain(`CloseTime >= '${iso(NOW - 60_000)}'`);
    expect(queries[1]).toContain(
      `CloseTime >= '${iso(NOW - 120_000)}' AND CloseTime < '${iso(NOW - 60_000)}'`,
    );
    for (const query of queries) expect(query).toContain("WorkflowType != 'smokeTest'");
  });
});
