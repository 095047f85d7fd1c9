/** The task queues, by what is done on them; a worker may serve all or only some. */

export const taskQueues = {
  /** Workflows, and activities that only ask the database. */
  control: 'control',
  /** Calls to a pipeline's source. */
  sourceApi: 'source-api',
  /** The same for the past, which takes long: it must not stand in the way of the present. */
  sourceHistory: 'source-history',
  /** Operations on Flink, long-polling ones among them. */
  flink: 'flink',
} as const;

/** All workers of the system are versions of this one deployment. */
export const deploymentName = 'hourglass';

/** Priorities: a lower number is served first. */
export const priorities = { live: 1, repair: 3, backfill: 5 } as const;
