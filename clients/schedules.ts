/** Declares Temporal schedules: makes those that do not exist, and brings those that do to their declaration. */
import {
  type Client,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { ingestScheduleId, partitionsScheduleId, recordsScheduleId } from '../domain/identities.ts';
import { taskQueues } from '../domain/task-queues.ts';
import type { IngestInput, PipelineInput } from '../schemas/workflow-inputs.ts';

/** @returns the ids of those that were made now */
export async function applySchedules(
  client: Client,
  schedules: readonly ScheduleOptions[],
): Promise<readonly string[]> {
  const made: string[] = [];
  for (const schedule of schedules) {
    const handle = client.schedule.getHandle(schedule.scheduleId);
    try {
      // Whether it is paused is the user's decision and stays.
      await handle.update(({ state }) => ({ ...schedule, state }));
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      await client.schedule.create(schedule);
      made.push(schedule.scheduleId);
    }
  }
  return made;
}

/** Each minute; whether a location is polled then is decided by its cadence. */
export function ingestSchedule(input: IngestInput): ScheduleOptions {
  const scheduleId = ingestScheduleId(input.pipeline, input.source, input.shard);
  return {
    scheduleId,
    spec: { intervals: [{ every: '1 minute' }], jitter: '2 seconds' },
    // A slow source skips runs instead of piling them up; after an outage one run catches up, as the next poll gives the present.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
    action: {
      type: 'startWorkflow',
      workflowType: 'ingestWeather',
      workflowId: scheduleId,
      args: [input],
      taskQueue: taskQueues.control,
      workflowRunTimeout: '5 minutes',
      staticSummary: `Poll ${input.pipeline} from ${input.source}, shard ${input.shard + 1} of ${input.shards}`,
    },
  };
}

/** Each minute: so long, and as long as the stream's checkpoints take, a dead letter waits for its row. */
export function recordsSchedule({ pipeline }: PipelineInput): ScheduleOptions {
  const scheduleId = recordsScheduleId(pipeline);
  return {
    scheduleId,
    spec: { intervals: [{ every: '1 minute', offset: '30 seconds' }] },
    // One run accounts for everything since the last one that ended.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
    action: {
      type: 'startWorkflow',
      workflowType: 'accountForRecords',
      workflowId: scheduleId,
      args: [{ pipeline }],
      taskQueue: taskQueues.control,
      workflowRunTimeout: '1 hour',
      staticSummary: `Account for the records of ${pipeline}, collect dead letters`,
    },
  };
}

export const partitionsSchedule: ScheduleOptions = {
  scheduleId: partitionsScheduleId,
  spec: { calendars: [{ hour: 3, minute: 30 }] },
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 day' },
  action: {
    type: 'startWorkflow',
    workflowType: 'maintainPartitions',
    workflowId: partitionsScheduleId,
    args: [],
    taskQueue: taskQueues.control,
    workflowRunTimeout: '1 hour',
    staticSummary: 'Make the partitions of the coming months',
  },
};
