import type { Client } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { type DeployFacts, drainingBuilds } from '../../domain/deploy-steps.ts';
import { temporaryDirectories } from '../../tests/support/temporary-directories.ts';
import { otherHosts } from './elsewhere.ts';
import { pollingBuilds } from './polling-builds.ts';

const CURRENT = 'aaaaaaaaaaaaaaaa';
const DRAINING = 'bbbbbbbbbbbbbbbb';
const NEW = 'cccccccccccccccc';
const temporary = temporaryDirectories();

/** A server that workers of other hosts poll. */
function elsewhere(polling: readonly string[]): Client {
  const lastAccessTime = { seconds: Math.floor(Date.now() / 1_000) };
  const summary = (buildId: string, status: number) => ({
    ...{ deploymentVersion: { buildId }, status, lastCurrentTime: { seconds: 1 } },
  });
  const workflowService = {
    describeWorkerDeployment: async () => ({
      workerDeploymentInfo: { versionSummaries: [summary(CURRENT, 2), summary(DRAINING, 4)] },
    }),
    describeTaskQueue: async () => ({
      pollers: polling.map((buildId) => ({ deploymentOptions: { buildId }, lastAccessTime })),
    }),
  };
  return { options: { namespace: 'ours' }, workflowService } as unknown as Client;
}

describe('where no supervisor is', () => {
  test('builds have workers that poll; that one does not poll just now does not make its runs lost', async () => {
    const { builds, workers } = await pollingBuilds(elsewhere([CURRENT]), temporary());
    expect(workers).toEqual(new Map([[CURRENT, 'ready']]));
    const versions = [DRAINING].map((buildId) => ({
      ...{ buildId, hasFiles: builds.includes(buildId), worker: workers.get(buildId) ?? 'none' },
      ...{ unpolled: [], status: 'draining', openRuns: 1, lastCurrentMs: 1, ceasedMs: 1, verdicts: {} },
    }));
    const facts = { nowMs: 2, currentBuild: CURRENT, versions } as unknown as DeployFacts;
    expect(drainingBuilds(facts, 10)).toMatchObject([{ buildId: DRAINING, isLost: false }]);
  });

  test('it is said which worker to start, and a start is over when it polls every queue', async () => {
    const polling: string[] = [];
    const said: string[] = [];
    const dataDir = temporary();
    const hosts = otherHosts(elsewhere(polling), dataDir, (text) => said.push(text));
    const started = hosts.start(NEW);
    expect(said).toEqual([
      `Start a worker of build ${NEW} beside the others, for every task queue: node ${dataDir}/builds/${NEW}/workers/main.js`,
    ]);
    polling.push(NEW);
    await started;
  });

  test('a worker that may be stopped is not said to have ended, and that is said once', async () => {
    const hosts = otherHosts(elsewhere([]), temporary(), () => undefined);
    expect(await hosts.stop(DRAINING)).toBe(
      `Workers of build ${DRAINING} may be stopped: nothing needs them.`,
    );
    expect(await hosts.stop(DRAINING)).toBeUndefined();
  });
});
