import { expect, test } from 'vitest';
import { type BackfillHistory, stepTimes } from './backfill-steps.ts';

const at = (seconds: number) => ({ seconds, nanos: 500_000_000 });
const scheduled = (eventId: number, seconds: number, name: string) => ({
  ...{ eventId, eventTime: at(seconds) },
  activityTaskScheduledEventAttributes: { activityType: { name } },
});
const completed = (scheduledEventId: number, seconds: number) => ({
  ...{ eventId: 1_000 + scheduledEventId, eventTime: at(seconds) },
  activityTaskCompletedEventAttributes: { scheduledEventId },
});
const child = (eventId: number, seconds: number, workflowId: string) => ({
  ...{ eventId, eventTime: at(seconds) },
  startChildWorkflowExecutionInitiatedEventAttributes: { workflowId },
});
const childCompleted = (initiatedEventId: number, seconds: number) => ({
  ...{ eventId: 1_000 + initiatedEventId, eventTime: at(seconds) },
  childWorkflowExecutionCompletedEventAttributes: { initiatedEventId },
});

test('each step is as long as its activities and batch jobs are under way, those at the same time counted once; the rest is waiting', () => {
  const events = [
    scheduled(1, 0, 'beginBackfill'),
    completed(1, 2),
    scheduled(2, 2, 'publishFile'),
    completed(2, 12),
    child(3, 12, 'batch-job/load-history/load=1'),
    scheduled(4, 12, 'publishFile'),
    completed(4, 20),
    child(5, 14, 'batch-job/load-history/load=2'),
    childCompleted(3, 18),
    childCompleted(5, 24),
    child(6, 30, 'batch-job/recompute-hours/from=1,to=2'),
    childCompleted(6, 37),
    scheduled(7, 40, 'checkLoad'),
  ];
  // From 24 to 30, and from 37 to 40.
  const times = stepTimes({ events } as unknown as BackfillHistory);
  expect(Object.fromEntries(times.map(({ step, seconds }) => [step, seconds]))).toEqual({
    planning: 2,
    publishing: 18,
    loading: 12,
    checking: 0,
    recomputing: 7,
    finishing: 0,
    waiting: 9,
  });
});
