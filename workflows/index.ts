/** All workflow types, by the names they are started with. */
export { flinkJob } from './flink-job.ts';
export { ingestWeather } from './ingest-weather.ts';
export { maintainPartitions } from './maintain-partitions.ts';
