/** Owns how long each step of a backfill took, as the history of its workflow tells. What the steps do is the workflow's. */
import type { WorkflowHandle } from '@temporalio/client';

export type BackfillHistory = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type HistoryEvent = NonNullable<BackfillHistory['events']>[number];

/** By what they do: the activities and the batch jobs that belong to a step. */
const STEPS = {
  planning: ['beginBackfill', 'beginAllChunks'],
  publishing: ['publishFile'],
  loading: ['planFileLoad', 'load-history'],
  checking: ['checkLoad'],
  recomputing: ['hoursOfBackfill', 'outgrownHours', 'recompute-hours'],
  finishing: ['awaitStream', 'planSwallowed', 'finishChunks', 'endBackfill'],
} as const;
type BackfillStep = keyof typeof STEPS;

export interface StepTime {
  /** `waiting`: for a worker to go on with the workflow. */
  readonly step: BackfillStep | 'waiting';
  /** Seconds in which something of the step was under way; steps overlap. */
  readonly seconds: number;
}

/** What has not come to its end, or failed, counts for nothing. */
export function stepTimes({ events }: BackfillHistory): readonly StepTime[] {
  const begun = new Map<string, { readonly name: string; readonly atMs: number }>();
  const spans: { name: string; fromMs: number; toMs: number }[] = [];
  for (const event of events ?? []) {
    const name = beginningOf(event);
    if (name !== undefined) begun.set(String(event.eventId), { name, atMs: timeOf(event) });
    const known = begun.get(endOf(event) ?? '');
    if (known !== undefined) spans.push({ name: known.name, fromMs: known.atMs, toMs: timeOf(event) });
  }
  const [first, last] = [events?.[0], events?.at(-1)];
  const allMs = first === undefined || last === undefined ? 0 : timeOf(last) - timeOf(first);
  const steps = Object.entries(STEPS).map(([step, names]: [string, readonly string[]]) => ({
    step: step as BackfillStep,
    seconds: lengthOf(spans.filter(({ name }) => names.includes(name))) / 1_000,
  }));
  return [...steps, { step: 'waiting', seconds: (allMs - lengthOf(spans)) / 1_000 }];
}

/** The activity, or the batch job, that begins with the event. */
function beginningOf(event: HistoryEvent): string | undefined {
  const { activityTaskScheduledEventAttributes: activity } = event;
  const { startChildWorkflowExecutionInitiatedEventAttributes: child } = event;
  // `batch-job/<job>/<what it loads>`
  return activity?.activityType?.name ?? child?.workflowId?.split('/')[1] ?? undefined;
}

/** The id of the event that began what has come to its end with this one. */
function endOf(event: HistoryEvent): string | undefined {
  const id =
    event.activityTaskCompletedEventAttributes?.scheduledEventId ??
    event.childWorkflowExecutionCompletedEventAttributes?.initiatedEventId;
  return id === undefined || id === null ? undefined : String(id);
}

const timeOf = ({ eventTime }: HistoryEvent): number =>
  Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1_000_000;

/** Of the time that the spans cover together. */
function lengthOf(spans: readonly { readonly fromMs: number; readonly toMs: number }[]): number {
  let coveredTo = Number.NEGATIVE_INFINITY;
  let lengthMs = 0;
  for (const { fromMs, toMs } of [...spans].sort((one, other) => one.fromMs - other.fromMs)) {
    lengthMs += Math.max(0, toMs - Math.max(fromMs, coveredTo));
    coveredTo = Math.max(coveredTo, toMs);
  }
  return lengthMs;
}
