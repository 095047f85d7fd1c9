/** All workflow types, by the names they are started with; and what some of them carry over, for whoever deploys them. */
export { accountForRecords } from './account-for-records.ts';
export { backfill } from './backfill.ts';
export { backfillChunk } from './backfill-chunk.ts';
export { carriedStates } from './carried-states.ts';
export { checkCompleteness } from './check-completeness.ts';
export { flinkJob } from './flink-job.ts';
export { ingestWeather } from './ingest-weather.ts';
export { maintainPartitions } from './maintain-partitions.ts';
export { replayDeadLetters } from './replay-dead-letters.ts';
export { runBatchJob } from './run-batch-job.ts';
export { shadowUpgrade } from './shadow-upgrade.ts';
export { smokeTest } from './smoke-test.ts';
export { tryVersion } from './try-version.ts';
export { watchCompleteness } from './watch-completeness.ts';
