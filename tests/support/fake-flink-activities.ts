/** The activities of Flink jobs over a Flink and a database in memory, one call at a time. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createFlinkActivities, type JobTarget } from '../../activities/flink.ts';
import { createSavepointActivities } from '../../activities/savepoints.ts';
import type { ReadProgress } from '../../domain/job-health.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { JobDefinition } from '../../schemas/pipeline.ts';
import { type FakeDatabase, fakeDatabase } from './fake-database.ts';
import { fakeFlink } from './fake-flink.ts';
import type { FakeTimes } from './fake-job-manager.ts';

const { job } = weather;

export const parameters = {
  ...{ topics: 't', kafka_brokers: 'k:1', consumer_group: 'g', jdbc_url: 'jdbc:postgresql://h/d' },
};

/** A version as it is on record: two statements and a setting. */
export const recordedVersion = {
  statements: [`CREATE TABLE a WITH ('url' = \${jdbc_url})`, 'EXECUTE STATEMENT SET BEGIN END'],
  settings: { 'parallelism.default': '2' },
};

export const target: JobTarget = {
  ...{ name: job.name, version: '0123456789ab', attempt: 1, restorePath: '' },
  jobId: '0123456789abcdef0123456789abcdef',
};

export interface ActivitiesOptions {
  /** An empty one. */
  readonly directory: string;
  readonly database?: FakeDatabase;
  readonly definition?: JobDefinition;
  readonly times?: Partial<FakeTimes>;
  readonly readProgress?: () => Promise<Omit<ReadProgress, 'atMs'> | undefined>;
}

export function flinkActivities({
  directory,
  database = fakeDatabase({
    'record-job-target': [{ name: job.name }],
    'job-version': [recordedVersion],
  }),
  definition = job,
  times = {},
  readProgress = async () => undefined,
}: ActivitiesOptions) {
  const flink = fakeFlink({ directory, times });
  const { rest, gateway } = flink;
  const flinkOnes = createFlinkActivities({
    ...{ database, rest, gateway, readProgress, pollMs: 1, watchMs: 2 },
    tables: () => [weather.tables.facts, weather.tables.windows],
    jobs: { [definition.name]: definition },
    parameters: () => parameters,
  });
  const savepoints = createSavepointActivities({
    ...{ database, rest, pollMs: 1, checkpointDirectory: flink.snapshots.checkpoints },
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  return { activities: { ...flinkOnes, ...savepoints }, flink, database, environment };
}
