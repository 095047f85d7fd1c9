/** How a completeness check calls its activities: how long each may take, and how often it is tried. */
import { proxyActivities } from '@temporalio/workflow';
import type { BackfillLoadActivities } from '../../activities/backfill-loads.ts';
import type { CompletenessActivities } from '../../activities/completeness.ts';
import type { CompletenessRepairActivities } from '../../activities/completeness-repairs.ts';
import type { NotifyActivities } from '../../activities/notify.ts';
import { priorities, taskQueues } from '../../domain/task-queues.ts';

/** Each gives signs of life while it works: what is silent is begun anew, what works may take its time. */
const shared = {
  taskQueue: taskQueues.control,
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
} as const;
const repairing = { ...shared, priority: { priorityKey: priorities.repair } } as const;

export const { beginCompletenessCheck } = proxyActivities<CompletenessActivities>({
  ...shared,
  summary: 'Find what is to be judged',
});
export const { awaitReading } = proxyActivities<CompletenessActivities>({
  ...shared,
  summary: 'Wait until the stream has read what was published',
});
export const { judgeRange, explainRange } = proxyActivities<CompletenessActivities>(shared);
export const { endCompletenessCheck } = proxyActivities<CompletenessActivities>({
  ...shared,
  summary: 'Put the end on record',
});
export const { judgeSilence } = proxyActivities<CompletenessActivities>({
  ...shared,
  startToCloseTimeout: '1 minute',
  summary: 'See when the last check ended',
});

export const { planWindowRepairs, giveUpWindows } = proxyActivities<CompletenessRepairActivities>({
  ...repairing,
  summary: 'Plan what is repaired',
});
export const {
  planReload,
  isAllStored,
  requireNothingToForget,
  planFetch,
  recordRepair,
  recordFetch,
  jobsOfRepairs,
} = proxyActivities<CompletenessRepairActivities>(repairing);
export const { checkLoad } = proxyActivities<BackfillLoadActivities>({
  ...repairing,
  summary: 'Make sure that all was read',
});

/** A receiver that is away for half an hour is told all the same. */
export const { notify } = proxyActivities<NotifyActivities>({
  taskQueue: taskQueues.control,
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '30 minutes',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  summary: 'Tell a person',
});
