/** The weather pipeline as data: its topics, its SQL files and the settings of its jobs. */
import { type PipelineDefinition, pipelineDefinitionSchema } from '../../schemas/pipeline.ts';

const DAY_MS = 24 * 3_600_000;

export const weather: PipelineDefinition = pipelineDefinitionSchema.parse({
  name: 'weather',
  tables: {
    registry: 'locations',
    key: 'city_id',
    facts: 'observations',
    windows: 'weather_hourly',
    figures: [
      'temp_avg',
      'temp_min',
      'temp_max',
      'humidity_avg',
      'humidity_min',
      'humidity_max',
      'pressure_avg',
      'pressure_min',
      'pressure_max',
      'wind_avg',
      'wind_min',
      'wind_max',
      'clouds_avg',
      'clouds_min',
      'clouds_max',
      'gust_max',
      'rain_mm',
      'snow_mm',
    ],
  },
  topics: {
    live: { name: 'weather.observations.v1', partitions: 4, retentionMs: 7 * DAY_MS },
    repairs: { name: 'weather.repairs.v1', partitions: 4, retentionMs: 7 * DAY_MS },
    history: { name: 'weather.history.v1', partitions: 4, retentionMs: 7 * DAY_MS },
    deadLetters: { name: 'weather.dead-letters.v1', partitions: 1, retentionMs: 7 * DAY_MS },
  },
  consumerGroup: 'hourglass-weather',
  job: {
    name: 'weather-stream',
    files: [
      'tables/weather-records.sql',
      'tables/observations.sql',
      'tables/weather-hourly.sql',
      'views/flattened-weather.sql',
      'views/accepted-observations.sql',
      'views/plausible-observations.sql',
      'views/hourly-weather.sql',
      'jobs/weather-stream.sql',
    ],
    parallelism: 2,
    settings: {
      'table.local-time-zone': 'UTC',
      // One deduplication for all tables; without it the planner makes one for each, and they may disagree.
      'table.optimizer.reuse-optimize-block-with-digest-enabled': 'true',
      // Deduplication must outlive the aggregate it feeds by more than a day, or a duplicate would be counted again.
      'table.exec.state.ttl': '96 h',
      // Operators of one task hand rows on instead of copying them; Flink's own SQL operators keep none they were handed.
      'pipeline.object-reuse': 'true',
    },
  },
  backfill: { loadJob: 'load-history', recomputeJob: 'recompute-hours' },
  batchJobs: [
    {
      // Makes rows of the records of a range of offsets, which the stream has not read or has swallowed.
      name: 'load-history',
      files: [
        'tables/weather-records.sql',
        'tables/bounded-records.sql',
        'tables/record-headers.sql',
        'tables/attributed-records.sql',
        'tables/records-read.sql',
        'tables/observations.sql',
        'tables/loaded-observations.sql',
        'tables/batch-reads.sql',
        'views/flattened-weather.sql',
        'views/loaded-observations.sql',
        'views/plausible-observations.sql',
        'jobs/load-history.sql',
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
      parallelism: 2,
      settings: { 'table.local-time-zone': 'UTC' },
      policy: { attempts: 7 },
    },
    {
      // Makes the hours in [from, to) anew from the stored observations, by the stream's own view.
      name: 'recompute-hours',
      files: [
        'tables/stored-observations.sql',
        'tables/weather-hourly.sql',
        'views/plausible-stored-observations.sql',
        'views/hourly-weather.sql',
        'jobs/recompute-hours.sql',
      ],
      parameters: { from: 'hour', to: 'hour' },
      ascending: [['from', 'to']],
      // For the aggregate; its single writer is chained to an aggregate of one, and then cannot be counted by itself.
      parallelism: 2,
      settings: { 'table.local-time-zone': 'UTC' },
      // Six pauses, 390 s together, outlast a database that is away for five minutes.
      policy: { attempts: 7 },
    },
  ],
});
