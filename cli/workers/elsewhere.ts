/**
 * Deploys where no supervisor is: workers are started and stopped by whoever runs them, a platform or a person, and this process
 * carries the deploy from gate to gate, saying what has to be done. It may be ended and begun anew at any moment.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { polledQueues } from '../../clients/worker-deployments.ts';
import { projectRoot } from '../../config/load.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { WorkerDeploys } from '../../stack/worker-deploys.ts';
import type { WorkerHost } from '../../stack/worker-host.ts';
import { buildsDirectory } from '../../stack/workers.ts';
import type { ProgressView } from '../progress-view.ts';
import type { DeployDoors } from './known.ts';
import { pollingBuilds } from './polling-builds.ts';

const POLL_MS = 1_000;

/** What is said goes beside the steps that are shown. */
export const sayIn =
  ({ report }: ProgressView) =>
  (text: string): void =>
    report({ at: new Date().toISOString(), step: 'Workers', status: 'note', text });

/** Until `stop` it takes the steps that a supervisor would take. */
export function deployElsewhere(
  { config, client, database }: DeployDoors,
  say: (text: string) => void,
): WorkerDeploys {
  const { dataDir, values } = config;
  const deploys = new WorkerDeploys({
    ...{ client, database, tell: say, now: () => new Date() },
    host: otherHosts(client, dataDir, say),
    verify: verifyInItsOwnProcess,
    watchMs: values.DEPLOY_WATCH_SECONDS * 1_000,
    drainMs: values.DEPLOY_DRAIN_SECONDS * 1_000,
  });
  deploys.run();
  return deploys;
}

async function verifyInItsOwnProcess(buildId: string): Promise<void> {
  const command = [join(projectRoot, 'cli/bin.js'), 'workers', 'verify', buildId, '--record', '--json'];
  await promisify(execFile)(process.execPath, command, { cwd: projectRoot });
}

/** Where nobody is who could be asked to start or stop a worker: it is said, and seen by who polls. */
export function otherHosts(client: Client, dataDir: string, say: (text: string) => void): WorkerHost {
  const told = new Set<string>();
  return {
    local: () => pollingBuilds(client, dataDir),
    async start(buildId) {
      told.delete(buildId);
      const main = join(buildsDirectory(dataDir), buildId, 'workers/main.js');
      say(`Start a worker of build ${buildId} beside the others, for every task queue: node ${main}`);
      const all = Object.values(taskQueues).length;
      while ((await polledQueues(client, buildId, Date.now())).length < all) await delay(POLL_MS);
    },
    async stop(buildId) {
      // It is seen to poll for a minute after its end: once is enough.
      if (told.has(buildId)) return undefined;
      told.add(buildId);
      return `Workers of build ${buildId} may be stopped: nothing needs them.`;
    },
  };
}
