import type { Client } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { taskQueues } from '../domain/task-queues.ts';
import {
  describeWorkerDeployment,
  polledQueues,
  stuckRunsOf,
  watchedFailures,
} from './worker-deployments.ts';

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
  const SINCE = NOW - 60_000;
  const WATCH_MS = 120_000;
  const iso = (ms: number): string => new Date(ms).toISOString();
  const watched = { buildId: BUILD, sinceMs: SINCE, watchMs: WATCH_MS };

  function serverOfRuns(runs: readonly object[] = [], count: (query: string) => number = () => 0) {
    const queries: string[] = [];
    const asked = async (query: string) => {
      queries.push(query);
      return { count: count(query) };
    };
    const workflow = {
      count: asked,
      list: async function* ({ query }: { query: string }) {
        queries.push(query);
        yield* runs.map((_, index) => ({ workflowId: String(index), runId: String(index) }));
      },
      getHandle: (workflowId: string) => ({ describe: async () => ({ raw: runs[Number(workflowId)] }) }),
    };
    return { queries, client: serverWith({}, workflow) };
  }

  test('are counted on the build for as long as it is watched, and on all in as long a time before', async () => {
    const { client, queries } = serverOfRuns();
    await watchedFailures(client, watched);
    const [own, before] = queries.filter((query) => query.includes('CloseTime'));
    expect(own).toContain(`hourglass:${BUILD}`);
    expect(own).toContain(`CloseTime >= '${iso(SINCE)}' AND CloseTime < '${iso(SINCE + WATCH_MS)}'`);
    expect(before).toContain(`CloseTime >= '${iso(SINCE - WATCH_MS)}' AND CloseTime < '${iso(SINCE)}'`);
    for (const query of [own, before]) expect(query).toContain("WorkflowType != 'smokeTest'");
  });

  test('at the same rate before and after are no breach, whenever the build became current', async () => {
    for (let sinceMs = SINCE; sinceMs < SINCE + 60_000; sinceMs += 7_000) {
      const every = Array.from({ length: 20 }, (_, minute) => NOW + (minute - 10) * 60_000);
      const within = (query: string): number => {
        const [from = 0, to = 0] = [...query.matchAll(/CloseTime [<>=]+ '([^']+)'/g)].map(([, at = '']) =>
          Date.parse(at),
        );
        return every.filter((ms) => ms >= from && ms < to).length;
      };
      const { client } = serverOfRuns([], within);
      const failures = await watchedFailures(client, { ...watched, sinceMs });
      expect(failures).toEqual({ failedRuns: 2, failedRunsBefore: 2, stuck: [] });
    }
  });

  test('are also runs that hang: in their workflow task, or in an activity that nothing ends', async () => {
    const activity = (change: object) => ({
      pendingActivities: [
        { activityType: { name: 'recordJob' }, attempt: 8, maximumAttempts: 0, lastFailure: {}, ...change },
      ],
    });
    const { client } = serverOfRuns([
      { pendingWorkflowTask: { attempt: 1 } },
      { pendingWorkflowTask: { attempt: 4 } },
      activity({}),
      activity({ attempt: 7 }),
      activity({ maximumAttempts: 20 }),
      activity({ expirationTime: at(NOW) }),
      // It beats on, and has never failed.
      activity({ lastFailure: null }),
    ]);
    expect((await watchedFailures(client, watched)).stuck).toEqual([
      { workflowId: '1', attempt: 4 },
      { workflowId: '2', attempt: 8, activity: 'recordJob' },
    ]);
  });

  test('are none that hung before the build was current; once it is asked what hangs on it, they are', async () => {
    const { client, queries } = serverOfRuns();
    await watchedFailures(client, watched);
    expect(queries.find((query) => query.includes('Version IS NULL'))).toContain(
      `StartTime >= '${iso(SINCE)}'`,
    );
    await stuckRunsOf(client, BUILD);
    expect(queries.at(-1)).not.toContain('StartTime');
  });
});
