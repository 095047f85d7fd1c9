/** Puts the activities of a worker together: what each of them needs, from the configuration and the doors. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { createBackfillFetchActivities } from '../activities/backfill-fetch.ts';
import { createBackfillFileActivities } from '../activities/backfill-file.ts';
import { createBackfillLoadActivities } from '../activities/backfill-loads.ts';
import { createBackfillActivities } from '../activities/backfills.ts';
import { createBatchJobActivities } from '../activities/batch-jobs.ts';
import { createCandidateActivities } from '../activities/candidates.ts';
import { createCompletenessActivities } from '../activities/completeness.ts';
import { createCompletenessRepairActivities } from '../activities/completeness-repairs.ts';
import { createDeadLetterActivities } from '../activities/dead-letters.ts';
import { createDoorActivities } from '../activities/doors.ts';
import { createFlinkActivities } from '../activities/flink.ts';
import type { FlinkDoors } from '../activities/flink-submission.ts';
import { createIngestionTroubleActivities } from '../activities/ingestion-trouble.ts';
import { createNotifyActivities } from '../activities/notify.ts';
import { createPostgresActivities } from '../activities/postgres.ts';
import { createRecordsActivities } from '../activities/records.ts';
import { createSavepointActivities } from '../activities/savepoints.ts';
import { createShadowUpgradeActivities } from '../activities/shadow-upgrades.ts';
import { createSourceActivities } from '../activities/source.ts';
import { createAlertWebhook } from '../clients/alert-webhook.ts';
import { backfillRun } from '../clients/backfill-control.ts';
import { createCallBudget, fingerprintOf } from '../clients/call-budget.ts';
import { createFlinkGatewayClient } from '../clients/flink-gateway.ts';
import { createJobProgress } from '../clients/flink-progress.ts';
import { createFlinkRestClient } from '../clients/flink-rest.ts';
import { jobActor } from '../clients/job-actor.ts';
import type { KafkaClient } from '../clients/kafka.ts';
import { expectMigrated } from '../clients/migrations.ts';
import type { Database } from '../clients/postgres.ts';
import { expectReachable } from '../clients/reachability.ts';
import { readProgress } from '../clients/read-progress.ts';
import {
  flinkCheckpointDirectory,
  flinkGatewayUrl,
  flinkRestUrl,
  kafkaBrokers,
  postgresAddress,
  weatherApi,
} from '../config/addresses.ts';
import { type Config, projectRoot } from '../config/load.ts';
import { type CallLimits, livePart } from '../domain/call-budget.ts';
import { backfillFacts } from '../pipelines/backfill-facts.ts';
import { type FlinkAddresses, flinkParameters, parametersOf } from '../pipelines/flink-parameters.ts';
import {
  batchJobs,
  byPipeline,
  contracts,
  lineReaders,
  pipelineOfJob,
  pipelines,
  pipelinesNamed,
} from '../pipelines/index.ts';
import { leaseTerms, termsOf } from '../pipelines/openweathermap-plans.ts';
import { guardedJobs } from './job-policies.ts';

const FLINK_POLL_MS = 250;
const FLINK_WATCH_MS = 2_000;
const STREAM_POLL_MS = 1_000;

export interface Doors {
  readonly database: Database;
  readonly kafka: KafkaClient;
}

interface Given extends Doors {
  readonly config: Config;
  readonly client: Client;
  readonly logger: Logger;
  readonly now: () => Date;
}

/** By task queue. */
export function createActivities(config: Config, doors: Doors, client: Client, logger: Logger) {
  const given: Given = { ...doors, config, client, logger, now: () => new Date() };
  const { control, ...source } = onTheSource(given);
  const tests = testsOfDoors(given);
  return {
    control: { ...onTheDatabase(given), ...control, ...tests.control },
    sourceApi: { ...source.sourceApi, ...tests.sourceApi },
    sourceHistory: { ...source.sourceHistory, ...tests.sourceHistory },
    flink: { ...onFlink(given), ...tests.flink },
  };
}

/** What a smoke test asks on each task queue: nothing that changes or costs anything. */
function testsOfDoors({ config, database, kafka }: Given) {
  const { buildId } = JSON.parse(readFileSync(join(projectRoot, 'build.json'), 'utf8')) as {
    buildId: string;
  };
  const { baseUrl, historyUrl, timeoutMs } = weatherApi(config);
  const postgres = () => database.query('answer');
  const rest = createFlinkRestClient(flinkRestUrl(config));
  const gateway = createFlinkGatewayClient(flinkGatewayUrl(config));
  const topics = pipelinesNamed(config.values.PIPELINES).map((pipeline) => pipeline.topics.live.name);
  return {
    control: createDoorActivities(buildId, {
      PostgreSQL: () => expectMigrated(database),
      Kafka: () => Promise.all(topics.map((topic) => kafka.watermarks(topic))),
    }),
    sourceApi: createDoorActivities(buildId, {
      PostgreSQL: postgres,
      'the source': () => expectReachable(baseUrl, timeoutMs),
    }),
    sourceHistory: createDoorActivities(buildId, {
      PostgreSQL: postgres,
      'the history of the source': () => expectReachable(historyUrl, timeoutMs),
    }),
    flink: createDoorActivities(buildId, {
      'the JobManager': () => rest.overview(),
      'the SQL Gateway': () => gateway.execute(['SHOW CATALOGS'], {}),
    }),
  };
}

function onTheDatabase({ database, kafka, config, client, logger, now }: Given) {
  const { ALERT_WEBHOOK_URL: url, INGEST_ALERT_AFTER_FAILURES, INGEST_PAUSE_AFTER_FAILURES } = config.values;
  return {
    ...createPostgresActivities({ database, pipelines: Object.keys(pipelines), now }),
    ...createRecordsActivities({ database, kafka, pipelines, contracts, logger }),
    ...createDeadLetterActivities({ database, kafka, pipelines, contracts, now, pollMs: STREAM_POLL_MS }),
    ...createBackfillLoadActivities({ database, kafka, pipelines, contracts }),
    ...createNotifyActivities({
      webhook: url === undefined ? undefined : createAlertWebhook({ url }),
      logger,
    }),
    ...createIngestionTroubleActivities({
      database,
      policy: { alertAfter: INGEST_ALERT_AFTER_FAILURES, pauseAfter: INGEST_PAUSE_AFTER_FAILURES },
      now,
      pauseSchedule: (id, note) => client.schedule.getHandle(id).pause(note),
    }),
  };
}

/** What calls the source, and what plans for it. */
function onTheSource({ database, kafka, config, client, logger, now }: Given) {
  const { values } = config;
  const api = weatherApi(config);
  const terms = leaseTerms(api.plan, values.BACKFILL_CALL_SHARE);
  const sources = byPipeline(({ createSource }) => createSource(api));
  const shared = {
    ...{ database, kafka, pipelines, now, logger },
    sources,
    sourceName: values.WEATHER_SOURCE,
    // All that ask with one key take their calls from one row.
    budgets: byPipeline(({ definition, limits }) =>
      createCallBudget(
        database,
        fingerprintOf(limits === undefined ? api.apiKey : `pipeline ${definition.name}`),
        termsOf(terms, limits),
      ),
    ),
    concurrency: concurrencyFor(terms.limits),
  };
  const planning = {
    ...{ database, kafka, pipelines, contracts, now, repairs: values.COMPLETENESS_REPAIR },
    facts: byPipeline(({ definition, limits }) =>
      backfillFacts(definition, sources[definition.name]?.history, termsOf(terms, limits)),
    ),
    pollMs: STREAM_POLL_MS,
    isOpenWorkflow: (workflowId: string) => backfillRun(client, { workflowId }).isOpen(),
  };
  return {
    control: {
      ...createBackfillActivities(planning),
      ...createCompletenessActivities(planning),
      ...createCompletenessRepairActivities(planning),
    },
    sourceApi: createSourceActivities({ ...shared, spreadMs: values.INGEST_SPREAD_SECONDS * 1_000 }),
    sourceHistory: {
      ...createBackfillFetchActivities(shared),
      ...createBackfillFileActivities({ ...shared, lineReaders }),
    },
  };
}

/** Enough calls at once for half of the plan when each takes a second. */
const concurrencyFor = ({ callsPerMinute }: CallLimits): number =>
  Math.min(64, Math.max(8, Math.ceil((callsPerMinute / 60) * livePart)));

function onFlink(given: Given) {
  const { database, kafka, config } = given;
  const rest = createFlinkRestClient(flinkRestUrl(config));
  const shared = {
    rest,
    gateway: createFlinkGatewayClient(flinkGatewayUrl(config)),
    pollMs: FLINK_POLL_MS,
    watchMs: FLINK_WATCH_MS,
    parameters: (job: string) => flinkParameters(job, flinkAddresses(config)),
  };
  return {
    ...createFlinkActivities({
      ...shared,
      database,
      readProgress: (job) => {
        const { consumerGroup, topics } = pipelineOfJob(job);
        return readProgress(kafka, consumerGroup, [topics.live.name, topics.repairs.name]);
      },
      tables: (job) => {
        const { facts, windows } = pipelineOfJob(job).tables;
        return [facts, windows];
      },
      jobs: guardedJobs(
        Object.values(pipelines).map(({ job }) => job),
        config.values.JOB_UPGRADE_LEAST_SECONDS,
      ),
    }),
    ...createBatchJobActivities({
      ...shared,
      batchJobs,
      progress: createJobProgress(flinkRestUrl(config)),
    }),
    ...createSavepointActivities({
      database,
      rest,
      pollMs: FLINK_POLL_MS,
      checkpointDirectory: flinkCheckpointDirectory(config),
    }),
    ...onCandidates(given, shared),
  };
}

function onCandidates({ database, kafka, config, client }: Given, doors: FlinkDoors) {
  const streams = Object.fromEntries(
    Object.values(pipelines).map((pipeline) => [pipeline.job.name, pipeline]),
  );
  const shared = { ...doors, database, kafka, streams };
  return {
    ...createCandidateActivities({
      ...shared,
      watchMs: STREAM_POLL_MS,
      writer: config.values.POSTGRES_PIPELINE_USER,
      parameters: (job, { schema, consumerGroup }) =>
        parametersOf({ ...pipelineOfJob(job), consumerGroup }, { ...flinkAddresses(config), schema }),
    }),
    ...createShadowUpgradeActivities({
      ...shared,
      pollMs: STREAM_POLL_MS,
      actorOf: (job) => jobActor(client, job),
    }),
  };
}

const flinkAddresses = (config: Config): FlinkAddresses => ({
  brokers: kafkaBrokers(config),
  postgres: { ...postgresAddress(config), user: config.values.POSTGRES_PIPELINE_USER },
});
