/** How much a worker does at once on each task queue, and how long what is under way may go on when it stops. */
import type { WorkerOptions } from '@temporalio/worker';
import type { Config } from '../config/load.ts';
import { taskQueues } from '../domain/task-queues.ts';

/** A task queue, by its key. */
export type Role = keyof typeof taskQueues;

/** The roles that are named, in the order of the task queues. */
export function rolesNamed(names: Config['values']['WORKER_ROLES']): readonly Role[] {
  const roles = Object.keys(taskQueues) as Role[];
  return roles.filter((role) => names.includes('all') || names.includes(taskQueues[role]));
}

/** From the first signal, in milliseconds: an activity is cancelled, the workers are given up, the process ends. */
export interface Grace {
  readonly cancelMs: number;
  readonly forceMs: number;
  readonly exitMs: number;
}

/** After their cancellation activities write down how far they are: so much of the time is kept for it, at most. */
const MOST_FOR_WRITING_MS = 10_000;
/** Who waits for others, or has a position to go on from, gains nothing from more: another worker goes on at once. */
const SHORT_MS = 2_000;

/**
 * A poll of the present is let go on, as long as the time allows: an answer that was under way is not asked for twice. All other
 * activities are short, wait for others, or go on from their heartbeat.
 */
export function graceOf(role: Role, graceSeconds: number): Grace {
  const exitMs = graceSeconds * 1_000;
  const writingMs = Math.min(MOST_FOR_WRITING_MS, 0.4 * exitMs);
  const latestMs = exitMs - writingMs;
  return {
    cancelMs: role === 'sourceApi' ? latestMs : Math.min(SHORT_MS, latestMs),
    forceMs: exitMs - writingMs / 4,
    exitMs,
  };
}

/** Each chunk under way holds the records of some locations. */
const MOST_CHUNKS = 40;

/** What is the same for all queues is `main.ts`'s. */
export function limitsOf(role: Role, { values }: Pick<Config, 'values'>): Partial<WorkerOptions> {
  const most = values.WORKER_MAX_ACTIVITIES;
  const { cancelMs, forceMs } = graceOf(role, values.WORKER_GRACE_SECONDS);
  return {
    shutdownGraceTime: cancelMs,
    shutdownForceTime: forceMs,
    maxConcurrentActivityTaskExecutions: role === 'sourceHistory' ? Math.min(MOST_CHUNKS, most) : most,
    ...(role === 'control'
      ? { maxCachedWorkflows: values.WORKER_MAX_CACHED_WORKFLOWS, maxConcurrentWorkflowTaskExecutions: 40 }
      : {}),
    // A backstop only, which counts starts and not calls: the budget in the database is what holds the limits.
    ...(role === 'sourceApi' ? { maxTaskQueueActivitiesPerSecond: 20 } : {}),
  };
}
