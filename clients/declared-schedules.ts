/**
 * The one place that lists every schedule of the system, and says which schedules of a namespace are the system's. Bringing
 * the server to it is `schedules.ts`'s.
 */
import { type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import {
  completenessScheduleId,
  completenessWatchScheduleId,
  ingestScheduleId,
  partitionsScheduleId,
  recordsScheduleId,
} from '../domain/identities.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { taskQueues } from '../domain/task-queues.ts';
import type { CompletenessInput } from '../schemas/completeness.ts';
import type { IngestInput, PipelineInput } from '../schemas/workflow-inputs.ts';

export interface ScheduleScope {
  readonly pipelines: readonly string[];
  readonly source: string;
  /** In so many parts the registry is polled, each by a schedule of its own. */
  readonly shards: number;
}

export function declaredSchedules(scope: ScheduleScope): readonly ScheduleOptions[] {
  return [
    ...ingestSchedules(scope),
    ...scope.pipelines.map((pipeline) => recordsSchedule({ pipeline })),
    ...scope.pipelines.map((pipeline) => completenessSchedule({ ...scope, pipeline })),
    ...scope.pipelines.map((pipeline) => completenessWatchSchedule({ pipeline })),
    partitionsSchedule,
  ];
}

/** Those whose first rows need not wait for the next minute. */
export const ingestSchedules = ({ pipelines, source, shards }: ScheduleScope): readonly ScheduleOptions[] =>
  pipelines.flatMap((pipeline) =>
    Array.from({ length: shards }, (_, shard) => ingestSchedule({ pipeline, source, shard, shards })),
  );

/** What the server lists of a schedule. */
export interface ListedSchedule {
  readonly scheduleId: string;
  readonly workflowType: string | undefined;
}

/**
 * Whether a schedule was once declared here, if not now: its id is of our form, and what it starts is what we start under such
 * an id. Those of another source are another installation's; whatever else is in the namespace is somebody else's.
 */
export function isOurs({ scheduleId, workflowType }: ListedSchedule, source: string): boolean {
  const families: Readonly<Record<string, RegExp>> = {
    ingestWeather: /^ingest\/[^/]+\/([^/]+)\/\d+$/,
    accountForRecords: /^account-for-records\/[^/]+$/,
    checkCompleteness: /^completeness\/[^/]+$/,
    watchCompleteness: /^watch-completeness\/[^/]+$/,
    maintainPartitions: /^maintain-partitions$/,
  };
  const found = families[workflowType ?? '']?.exec(scheduleId);
  return found !== undefined && found !== null && (found[1] === undefined || found[1] === source);
}

/** Each minute; whether a location is polled then is decided by its cadence. */
function ingestSchedule(input: IngestInput): ScheduleOptions {
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
      typedSearchAttributes: [
        { key: searchAttributes.pipeline, value: input.pipeline },
        { key: searchAttributes.source, value: input.source },
      ],
    },
  };
}

/** Each minute: so long, and as long as the stream's checkpoints take, a dead letter waits for its row. */
function recordsSchedule({ pipeline }: PipelineInput): ScheduleOptions {
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
      typedSearchAttributes: [{ key: searchAttributes.pipeline, value: pipeline }],
    },
  };
}

interface CheckedPipeline extends Pick<ScheduleScope, 'source' | 'shards'> {
  readonly pipeline: string;
}

/** Each hour, two minutes after the time of grace: the hour that has just ended is judged, and those before it again. */
function completenessSchedule({ pipeline, source, shards }: CheckedPipeline): ScheduleOptions {
  const scheduleId = completenessScheduleId(pipeline);
  const input: CompletenessInput = { pipeline, source, shards };
  return {
    scheduleId,
    spec: { intervals: [{ every: '1 hour', offset: '12 minutes' }] },
    // Its range goes on from the last check that ended: after an outage one run judges the whole gap.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour' },
    action: {
      type: 'startWorkflow',
      workflowType: 'checkCompleteness',
      workflowId: scheduleId,
      args: [input],
      taskQueue: taskQueues.control,
      workflowRunTimeout: '6 hours',
      staticSummary: `Judge every hour of ${pipeline}, repair what is not complete`,
      typedSearchAttributes: [
        { key: searchAttributes.pipeline, value: pipeline },
        { key: searchAttributes.source, value: source },
      ],
    },
  };
}

/** Each hour, at another time than the check: one that hangs, fails or is paused cannot tell of itself. */
function completenessWatchSchedule({ pipeline }: PipelineInput): ScheduleOptions {
  const scheduleId = completenessWatchScheduleId(pipeline);
  return {
    scheduleId,
    spec: { intervals: [{ every: '1 hour', offset: '42 minutes' }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10 minutes' },
    action: {
      type: 'startWorkflow',
      workflowType: 'watchCompleteness',
      workflowId: scheduleId,
      args: [{ pipeline }],
      taskQueue: taskQueues.control,
      workflowRunTimeout: '50 minutes',
      staticSummary: `Tell when no completeness check of ${pipeline} ends`,
      typedSearchAttributes: [{ key: searchAttributes.pipeline, value: pipeline }],
    },
  };
}

const partitionsSchedule: ScheduleOptions = {
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
