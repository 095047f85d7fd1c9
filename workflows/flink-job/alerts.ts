/** The notices of a Flink job's actor: one when a person is needed, one when that is over. */
import { isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { NotifyActivities } from '../../activities/notify.ts';
import { alertKindOf } from '../../domain/job-machine.ts';
import { jobPhases } from '../../domain/job-phases.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import type { JobState } from '../../schemas/job.ts';
import { retry } from './calls.ts';
import type { JobMemory } from './memory.ts';

const { notify } = proxyActivities<NotifyActivities>({
  taskQueue: taskQueues.control,
  startToCloseTimeout: '15 seconds',
  // The job is not kept waiting by a webhook that is away: what was not delivered is tried again with the next look.
  retry: { ...retry, maximumAttempts: 2 },
});

type OpenAlert = NonNullable<JobState['alert']>;

export async function alertIfNeeded(memory: JobMemory): Promise<void> {
  const { alert } = memory.state;
  const kind = alertKindOf(memory.state, alert?.kind);
  if (alert !== undefined && alert.kind !== kind) {
    const isDelivered = await tell(memory.state, 'resolved', alert);
    memory.change({ alert: isDelivered ? undefined : { ...alert, isDelivered } });
    if (!isDelivered) return;
  }
  if (kind === undefined || memory.state.alert?.isDelivered === true) return;
  const open = memory.state.alert ?? { kind, sinceMs: Date.now(), isDelivered: false };
  memory.change({ alert: { ...open, isDelivered: await tell(memory.state, 'raised', open) } });
}

async function tell(
  { phase, reason, upgrades }: JobState,
  status: 'raised' | 'resolved',
  { kind, sinceMs }: OpenAlert,
): Promise<boolean> {
  const { workflowId } = workflowInfo();
  const { rejected } = upgrades;
  const why =
    kind === 'job-rolled-back' && rejected !== undefined
      ? `version ${rejected.version} was rolled back: ${rejected.reason}`
      : reason;
  try {
    await notify({
      status,
      kind,
      id: `${workflowId}/${kind}/${sinceMs}`,
      subject: workflowId,
      reason: why === '' ? jobPhases[phase].description : why,
      since: new Date(sinceMs).toISOString(),
      at: new Date().toISOString(),
    });
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
  }
}
