/** The air pollution pipeline as data: its tables, its topics, its SQL files and the settings of its jobs. */
import { type PipelineDefinition, pipelineDefinitionSchema } from '../../schemas/pipeline.ts';
import { measurements } from './measurements.ts';

const DAY_MS = 24 * 3_600_000;

export const airPollution: PipelineDefinition = pipelineDefinitionSchema.parse({
  name: 'air-pollution',
  tables: {
    registry: 'air_locations',
    key: 'city_id',
    facts: 'air_observations',
    windows: 'air_hourly',
    figures: measurements.flatMap(({ column }) => [`${column}_avg`, `${column}_min`, `${column}_max`]),
  },
  // Two: an hour has but one or two records of each location.
  topics: {
    live: { name: 'air.observations.v1', partitions: 2, retentionMs: 7 * DAY_MS },
    repairs: { name: 'air.repairs.v1', partitions: 2, retentionMs: 7 * DAY_MS },
    history: { name: 'air.history.v1', partitions: 2, retentionMs: 7 * DAY_MS },
    deadLetters: { name: 'air.dead-letters.v1', partitions: 1, retentionMs: 7 * DAY_MS },
  },
  consumerGroup: 'hourglass-air',
  job: {
    name: 'air-stream',
    files: [
      'tables/air-records.sql',
      'tables/air-observations.sql',
      'tables/air-hourly.sql',
      'views/flattened-air.sql',
      'views/accepted-observations.sql',
      'views/plausible-air.sql',
      'views/hourly-air.sql',
      'jobs/air-stream.sql',
    ],
    parallelism: 1,
    settings: {
      'table.local-time-zone': 'UTC',
      // One deduplication for all tables; without it the planner makes one for each, and they may disagree.
      'table.optimizer.reuse-optimize-block-with-digest-enabled': 'true',
      // Deduplication must outlive the aggregate it feeds by more than a day, or a duplicate would be counted again.
      'table.exec.state.ttl': '96 h',
      'pipeline.object-reuse': 'true',
    },
  },
  backfill: { loadJob: 'load-air-history', recomputeJob: 'recompute-air-hours' },
  batchJobs: [
    {
      name: 'load-air-history',
      files: [
        'tables/air-records.sql',
        'tables/bounded-records.sql',
        'tables/record-headers.sql',
        'tables/attributed-records.sql',
        'tables/records-read.sql',
        'tables/air-observations.sql',
        'tables/loaded-air-observations.sql',
        'tables/batch-reads.sql',
        'views/flattened-air.sql',
        'views/loaded-observations.sql',
        'views/plausible-air.sql',
        'jobs/load-air-history.sql',
      ],
      parameters: {
        topic: 'topic',
        offsets: 'offsets',
        backfill: 'name',
        from: 'hour',
        to: 'hour',
        load: 'name',
      },
      ascending: [['from', 'to']],
      parallelism: 1,
      settings: { 'table.local-time-zone': 'UTC' },
      policy: { attempts: 7 },
    },
    {
      name: 'recompute-air-hours',
      files: [
        'tables/stored-air-observations.sql',
        'tables/air-hourly.sql',
        'views/stored-air-hours.sql',
        'views/hourly-air.sql',
        'jobs/recompute-air-hours.sql',
      ],
      parameters: { from: 'hour', to: 'hour' },
      ascending: [['from', 'to']],
      // For the aggregate; its single writer is chained to an aggregate of one, and then cannot be counted by itself.
      parallelism: 2,
      settings: { 'table.local-time-zone': 'UTC' },
      policy: { attempts: 7 },
    },
  ],
});
