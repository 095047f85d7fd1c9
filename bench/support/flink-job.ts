/** The pipeline's own job on a bench's topics and tables: the SQL files and settings of its definition, changed only where a variant says so. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { readFlinkSql } from '../../clients/sql-files.ts';
import { flinkRestUrl, kafkaBrokers, postgresAddress } from '../../config/addresses.ts';
import { renderFlinkSql } from '../../domain/flink-sql.ts';
import { parametersOf } from '../../pipelines/flink-parameters.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { ContestantFailedError } from './errors.ts';
import type { BenchStack } from './stack.ts';
import type { BenchTopics } from './topics.ts';

export interface JobQuestion {
  readonly topics: BenchTopics;
  readonly schema: string;
  /** Over the settings of the definition. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Options of Flink's tables over those of their files, by table. */
  readonly tableOptions?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Options of the PostgreSQL driver over those of the pipeline. */
  readonly driver?: Readonly<Record<string, string>>;
}

export interface RunningJob {
  /** When every task ran, in Unix milliseconds. */
  readonly runningAt: number;
  /** @throws ContestantFailedError when the job does not run any more or has been restarted */
  expectHealthy(): Promise<void>;
  /** Takes a checkpoint now and tells how many bytes of state it holds. */
  checkpointBytes(): Promise<number>;
  cancel(): Promise<void>;
}

const POLL_MS = 50;
const START_DEADLINE_MS = 120_000;
const ENDED = ['CANCELED', 'FINISHED', 'FAILED'];

/** Returns when every task runs. @throws ContestantFailedError, FlinkStatementError */
export async function startFlinkJob(stack: BenchStack, question: JobQuestion): Promise<RunningJob> {
  const { rest, gateway, config } = stack;
  const { job } = weather;
  const what = `The Flink job of ${question.schema}`;
  const settings = {
    ...job.settings,
    'parallelism.default': String(job.parallelism),
    'pipeline.name': question.schema,
    ...question.settings,
  };
  const { jobId } = await gateway.execute(statementsOf(stack, question), settings);
  if (jobId === undefined)
    throw new ContestantFailedError(what, 'the SQL Gateway named no job for the statement set');
  const deadline = Date.now() + START_DEADLINE_MS;
  while ((await rest.job(jobId))?.vertices.every(({ status }) => status === 'RUNNING') !== true) {
    if (Date.now() > deadline)
      throw new ContestantFailedError(what, `it does not run after ${START_DEADLINE_MS / 1_000} s`);
    await delay(POLL_MS);
  }
  const runningAt = Date.now();
  return {
    runningAt,
    async expectHealthy() {
      const found = await rest.job(jobId);
      const [exception] = await rest.exceptions(jobId);
      if (found?.state === 'RUNNING' && exception === undefined) return;
      throw new ContestantFailedError(
        what,
        `it is ${found?.state ?? 'unknown'}: ${exception?.trace.split('\n').slice(0, 3).join(' ') ?? 'Flink gives no reason'}`,
      );
    },
    checkpointBytes: () => takeCheckpoint(flinkRestUrl(config), jobId),
    async cancel() {
      await rest.cancel(jobId);
      while (!ENDED.includes((await rest.job(jobId))?.state ?? 'CANCELED')) await delay(POLL_MS);
    },
  };
}

function statementsOf(
  { config }: BenchStack,
  { topics, schema, tableOptions = {}, driver = {} }: JobQuestion,
): string[] {
  const own = parametersOf(
    // A group of its own, so that nobody goes on where another has read to.
    { topics, consumerGroup: schema },
    {
      brokers: kafkaBrokers(config),
      postgres: { ...postgresAddress(config), user: config.values.POSTGRES_PIPELINE_USER },
      schema,
    },
  );
  // Of an option that is given twice the driver takes the last.
  const url = [own['jdbc_url'], ...Object.entries(driver).map(([name, value]) => `${name}=${value}`)].join(
    '&',
  );
  const parameters = { ...own, jdbc_url: url };
  const statements = weather.job.files.map((file) => renderFlinkSql(readFlinkSql(file), parameters));
  const changes = Object.entries(tableOptions).map(([table, options]) => {
    const list = Object.entries(options).map(([name, value]) => `'${name}' = '${value}'`);
    return `ALTER TABLE ${table} SET (${list.join(', ')})`;
  });
  return [...statements.slice(0, -1), ...changes, ...statements.slice(-1)];
}

const triggeredSchema = z.object({ 'request-id': z.string() });
const checkpointSchema = z.object({
  status: z.object({ id: z.string() }),
  operation: z.object({ checkpointId: z.number().nullish() }).nullish(),
});
const detailsSchema = z.object({ state_size: z.number() });

async function takeCheckpoint(url: string, jobId: string): Promise<number> {
  const base = `${url}/jobs/${jobId}/checkpoints`;
  const asked = await fetch(base, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ checkpointType: 'FULL' }),
  });
  const { 'request-id': request } = triggeredSchema.parse(await asked.json());
  for (;;) {
    const { status, operation } = checkpointSchema.parse(await (await fetch(`${base}/${request}`)).json());
    const id = operation?.checkpointId;
    if (status.id === 'COMPLETED' && id === undefined)
      throw new ContestantFailedError(`The Flink job ${jobId}`, 'it could not take a checkpoint');
    if (status.id === 'COMPLETED')
      return detailsSchema.parse(await (await fetch(`${base}/details/${id}`)).json()).state_size;
    await delay(POLL_MS);
  }
}
