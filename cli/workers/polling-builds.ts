/** Which builds have workers, where no supervisor says it: those that poll. */
import type { Client } from '@temporalio/client';
import type { LocalBuilds } from '../../clients/deploy-facts.ts';
import { describeWorkerDeployment, polledQueues } from '../../clients/worker-deployments.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { presentBuilds } from '../../stack/workers.ts';

/** Ready is a build whose workers, together, poll every task queue. */
export async function pollingBuilds(client: Client, dataDir: string): Promise<LocalBuilds> {
  const { versions } = await describeWorkerDeployment(client);
  const known = versions.filter(({ status }) => status !== 'drained').map(({ buildId }) => buildId);
  const asked = [...new Set([...known, ...presentBuilds(dataDir)])];
  const all = Object.values(taskQueues).length;
  const polled = await Promise.all(asked.map((buildId) => polledQueues(client, buildId, Date.now())));
  const workers = asked.flatMap((buildId, index) => {
    const queues = polled[index]?.length ?? 0;
    return queues === 0 ? [] : [[buildId, queues === all ? 'ready' : 'starting'] as const];
  });
  // Directories are where the workers are: that one does not poll just now does not mean that nobody can start it.
  return { builds: asked, workers: new Map(workers) };
}
