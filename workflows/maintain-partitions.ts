/** Makes the monthly partitions of the coming months, so that the default one stays nearly empty. Started daily. */
import { proxyActivities } from '@temporalio/workflow';
import type { PostgresActivities } from '../activities/postgres.ts';
import { taskQueues } from '../domain/task-queues.ts';
import { showWindow } from './scheduled-window.ts';

const { ensurePartitions } = proxyActivities<PostgresActivities>({
  taskQueue: taskQueues.control,
  startToCloseTimeout: '5 minutes',
  retry: { initialInterval: '5 seconds', maximumInterval: '2 minutes' },
  summary: 'Make the partitions of the coming months',
});

export async function maintainPartitions(): Promise<number> {
  showWindow();
  return ensurePartitions();
}
