/** Starts and stops the workers of builds under the supervisor, and says which run. */
import type { LocalBuilds } from '../clients/deploy-facts.ts';
import { createPortChooser } from './ports.ts';
import type { RunningServices } from './services.ts';
import { presentBuilds, runningWorkers, workerName, workerService } from './workers.ts';

export interface WorkerHost {
  local(): Promise<LocalBuilds>;
  /** Resolves when the worker is ready; it is kept alive from then on. @throws ServiceStartError when it never is */
  start(buildId: string): Promise<void>;
  /** Resolves when the process has ended in order; at once when there is none. @returns what was done, in a sentence; undefined when that was said before */
  stop(buildId: string): Promise<string | undefined>;
}

export function createWorkerHost(services: RunningServices): WorkerHost {
  const { dataDir, ports } = services.context;
  const chooser = createPortChooser();
  return {
    local: async () => ({
      builds: presentBuilds(dataDir),
      workers: runningWorkers(services.statuses()),
    }),
    async start(buildId) {
      // The port of the last start where it is free: what asks a worker for its health finds it again.
      const port = await chooser.internal(ports.workerHealth);
      try {
        await services.add(workerService(services, buildId, port));
      } catch (error) {
        const failed = services.find(workerName(buildId));
        if (failed !== undefined) await services.remove(failed);
        throw error;
      }
    },
    async stop(buildId) {
      const worker = services.find(workerName(buildId));
      if (worker !== undefined) await services.remove(worker);
      return `the worker of ${buildId} has ended: nothing needs it`;
    },
  };
}
