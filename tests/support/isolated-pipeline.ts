/** The weather pipeline once more for one test file: topics, schema, consumer group and Flink job of its own on the shared stack. */
import { createHash, randomBytes } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { Kafka, logLevel, type Message, Partitioners } from 'kafkajs';
import { createRecordsActivities, type RecordsSummary } from '../../activities/records.ts';
import { createFlinkGatewayClient } from '../../clients/flink-gateway.ts';
import { createFlinkRestClient } from '../../clients/flink-rest.ts';
import { connectKafka } from '../../clients/kafka.ts';
import { migrate } from '../../clients/migrations.ts';
import { connectDatabase } from '../../clients/postgres.ts';
import { readFlinkSql } from '../../clients/sql-files.ts';
import { flinkGatewayUrl, flinkRestUrl, kafkaBrokers, postgresAddress } from '../../config/addresses.ts';
import { renderFlinkSql } from '../../domain/flink-sql.ts';
import { parametersOf } from '../../pipelines/flink-parameters.ts';
import { contracts } from '../../pipelines/index.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { eventually } from './eventually.ts';
import { config, connectSql } from './shared-stack.ts';
import { weatherTables } from './weather-tables.ts';

export interface Published {
  readonly cityId: number;
  readonly body: string;
}

export type IsolatedPipeline = Awaited<ReturnType<typeof createIsolatedPipeline>>;

export interface IsolatedOptions {
  /** Settings of the job that differ from the pipeline's own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Changes the text of a Flink SQL file, to show what a rule is good for or to make time pass faster. */
  readonly changeSql?: (sql: string, file: string) => string;
}

export async function createIsolatedPipeline(name: string, options: IsolatedOptions = {}) {
  const { changeSql = (sql: string) => sql } = options;
  const id = `${name.replaceAll('-', '_')}_${randomBytes(3).toString('hex')}`;
  const topics = {
    live: { ...weather.topics.live, name: `${id}.observations` },
    repairs: { ...weather.topics.repairs, name: `${id}.repairs` },
    history: { ...weather.topics.history, name: `${id}.history` },
    deadLetters: { ...weather.topics.deadLetters, name: `${id}.dead-letters` },
  };
  const sql = await connectSql();
  await sql.query(`create schema ${id}`);
  await sql.query(`set search_path = ${id}`);
  await migrate({ ...postgresAddress(config), schema: id }, config.values.POSTGRES_PIPELINE_USER);
  const kafka = connectKafka(kafkaBrokers(config));
  // An idle reader commits what it has read only when its poll of ten seconds ends: a tick ends it.
  const ticks = { ...weather.topics.live, name: `${id}.ticks` };
  await kafka.ensureTopics([...Object.values(topics), ticks]);
  const rest = createFlinkRestClient(flinkRestUrl(config));
  const gateway = createFlinkGatewayClient(flinkGatewayUrl(config));
  const own = parametersOf(
    { topics, consumerGroup: id },
    {
      brokers: kafkaBrokers(config),
      postgres: { ...postgresAddress(config), user: config.values.POSTGRES_PIPELINE_USER },
      schema: id,
    },
  );
  const parameters = { ...own, topics: `${own['topics']};${ticks.name}` };
  const statements = weather.job.files.map((file) =>
    renderFlinkSql(changeSql(readFlinkSql(file), file), parameters),
  );
  const settings = {
    ...weather.job.settings,
    'parallelism.default': '1',
    'pipeline.name': id,
    // What the stream has read is committed with each checkpoint, and tests wait for it.
    'execution.checkpointing.interval': '1 s',
    'execution.checkpointing.min-pause': '0 s',
    ...options.settings,
  };
  const definition = { ...weather, topics, consumerGroup: id };
  const database = connectDatabase({ ...postgresAddress(config), schema: id, connections: 2 }, weatherTables);
  const producer = new Kafka({ brokers: [...kafkaBrokers(config)], logLevel: logLevel.NOTHING }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  const connected = producer.connect();
  const { accountForRecords } = createRecordsActivities({
    database,
    kafka,
    pipelines: { weather: definition },
    contracts,
    logger: { warn: () => undefined },
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  let submissions = 0;
  let running: string | undefined;

  const untilEnded = async (jobId: string): Promise<void> => {
    await eventually(
      `job ${jobId} ends`,
      () => rest.job(jobId),
      (job) => job === undefined || ['CANCELED', 'FINISHED', 'FAILED'].includes(job.state),
    );
  };

  return {
    id,
    topics,
    sql,
    definition,
    database,
    kafka,
    rest,
    gateway,
    statements,
    settings,
    /** Submits the job and returns once it runs. */
    async start(restorePath?: string): Promise<string> {
      submissions += 1;
      const jobId = createHash('sha256').update(`${id}/${submissions}`).digest('hex').slice(0, 32);
      await gateway.execute(statements, {
        ...settings,
        '$internal.pipeline.job-id': jobId,
        ...(restorePath === undefined ? {} : { 'execution.state-recovery.path': restorePath }),
      });
      await eventually(
        'the job runs',
        () => rest.job(jobId),
        (job) => job?.vertices.every(({ status }) => status === 'RUNNING') === true,
        { withinMs: 180_000 },
      );
      running = jobId;
      return jobId;
    },
    /** Stops the job as an orderly stop of everything does. @returns the path of its savepoint */
    async stop(): Promise<string> {
      if (running === undefined) throw new Error('no job runs');
      const [jobId, triggerId] = [running, createHash('md5').update(running).digest('hex')];
      await rest.stopWithSavepoint(jobId, triggerId);
      const progress = await eventually(
        'the savepoint is complete',
        () => rest.savepoint(jobId, triggerId),
        ({ status }) => status !== 'in_progress',
      );
      await untilEnded(jobId);
      running = undefined;
      if (progress.status !== 'completed') throw new Error(`no savepoint: ${JSON.stringify(progress)}`);
      return progress.path;
    },
    /** Waits for a checkpoint that began after this call. */
    async untilCheckpoint(): Promise<void> {
      const completed = async () => (await rest.checkpoints(running ?? '')).completed;
      const before = await completed();
      // The next one may have begun already.
      await eventually('two checkpoints are made', completed, (count) => count >= before + 2);
    },
    /** Ends the job as a crash of everything would: without a savepoint. */
    async cancel(): Promise<void> {
      if (running === undefined) return;
      await rest.cancel(running);
      await untilEnded(running);
      running = undefined;
    },
    async publish(records: readonly Published[], topic = topics.live.name): Promise<void> {
      await kafka.publish(
        topic,
        records.map(({ cityId, body }) => ({
          key: String(cityId),
          value: body,
          headers: { source: 'mock' },
        })),
      );
    },
    /** Sends messages as they are, also such as no client of ours would send. */
    async send(messages: Message[], topic = topics.live.name): Promise<void> {
      await connected;
      await producer.send({ topic, messages });
    },
    /** Waits until the job has read all that was published and, by a checkpoint, stored what came of it. */
    async untilRead(): Promise<void> {
      await connected;
      const tick = Array.from({ length: ticks.partitions }, (_, partition) => ({ partition, value: null }));
      for (const { name: topic } of [topics.live, topics.repairs]) {
        const ends = await kafka.watermarks(topic);
        await eventually(
          `all of ${topic} is read`,
          async () => {
            await producer.send({ topic: ticks.name, messages: tick });
            return kafka.committedOffsets(id, topic);
          },
          (committed) => ends.every(({ partition, high }) => (committed.get(partition) ?? 0) >= high),
          { withinMs: 180_000 },
        );
      }
    },
    /** What the schedule does each minute. */
    accountForRecords: (): Promise<RecordsSummary> =>
      environment.run(accountForRecords, { pipeline: 'weather' }) as Promise<RecordsSummary>,
    async rows<Row extends object>(query: string): Promise<Row[]> {
      return (await sql.query<Row>(query)).rows;
    },
    async close(): Promise<void> {
      await this.cancel();
      await kafka.close();
      await connected.then(() => producer.disconnect());
      await database.close();
      await sql.query(`drop schema ${id} cascade`);
      await sql.end();
    },
  };
}

export interface ObservationParts {
  readonly cityId: number;
  readonly at: Date;
  readonly temp?: number;
  readonly [part: string]: unknown;
}

/** A small current-weather document; what is not given is left out, as the source does. */
export function observation({ cityId, at, temp, ...rest }: ObservationParts): Published {
  const document = {
    id: cityId,
    dt: Math.floor(at.getTime() / 1_000),
    name: `City ${cityId}`,
    main: temp === undefined ? undefined : { temp },
    ...rest,
  };
  return { cityId, body: JSON.stringify(document) };
}
