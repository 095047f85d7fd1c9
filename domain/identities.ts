/** Derives every id from what it stands for, so that a retry finds what the first try began. */

export const jobActorId = (job: string): string => `flink-job/${job}`;

/** The server appends the nominal time to the id of a run that a schedule starts. */
export const ingestScheduleId = (pipeline: string, source: string, shard: number): string =>
  `ingest/${pipeline}/${source}/${shard}`;

export const recordsScheduleId = (pipeline: string): string => `account-for-records/${pipeline}`;

export const partitionsScheduleId = 'maintain-partitions';
