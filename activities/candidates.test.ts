import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { FlinkStatementError, FlinkUnreachableError } from '../clients/flink-errors.ts';
import type { FlinkGatewayClient } from '../clients/flink-gateway.ts';
import type { FlinkJob, FlinkRestClient } from '../clients/flink-rest.ts';
import { type JobVersion, PARALLELISM } from '../clients/job-versions.ts';
import type { KafkaClient } from '../clients/kafka.ts';
import { weather } from '../pipelines/weather/definition.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { type Candidate, type CandidateQuestion, createCandidateActivities } from './candidates.ts';

const job = weather.job.name;
const version = '0123456789ab';
const jobId = '0123456789abcdef0123456789abcdef';
const content: JobVersion = {
  statements: [
    `CREATE TABLE hours (place BIGINT) WITH ('connector' = 'jdbc', 'url' = \${jdbc_url}, 'table-name' = 'real_hours')`,
    `CREATE TABLE records (place BIGINT) WITH ('connector' = 'kafka', 'properties.group.id' = \${consumer_group})`,
    'INSERT INTO hours SELECT place FROM records',
  ],
  settings: { [PARALLELISM]: '2' },
};

interface FakeJob {
  name: string;
  state: string;
  vertices: { status: string }[];
  'start-time': number;
}

function world(given: { version?: JobVersion; columns?: string[]; freeSlots?: number } = {}) {
  const { columns = ['place', 'more'], freeSlots = 2 } = given;
  const happened: string[] = [];
  const jobs = new Map<string, FakeJob>();
  const database = fakeDatabase({
    'job-version': ([, name]) => (name === version ? [given.version ?? content] : []),
    'table-columns': () =>
      columns.length === 0 ? [] : [{ table_name: 'real_hours', columns, required: [] }],
    'make-shadow-tables': ([schema]) => {
      happened.push(`make ${schema}`);
      return [];
    },
    'drop-shadow-tables': ([schema]) => {
      happened.push(`drop ${schema}`);
      return [];
    },
  });
  const flink = {
    checkpointAtMs: undefined as number | undefined,
    exceptions: [] as { atMs: number; trace: string }[],
    onDescribe: (): void => undefined,
    refuses: undefined as string | undefined,
  };
  const rest: Partial<FlinkRestClient> = {
    overview: async () => ({ taskManagers: 1, slots: 4, freeSlots }),
    jobs: async () => [...jobs].map(([id, each]) => ({ id, ...each })) as never,
    async job(id) {
      flink.onDescribe();
      const found = jobs.get(id);
      return found === undefined ? undefined : ({ jid: id, ...found } as unknown as FlinkJob);
    },
    checkpoints: async () => ({ latestAtMs: flink.checkpointAtMs }) as never,
    exceptions: async () => flink.exceptions,
    executionFailure: async () => undefined,
    async cancel(id) {
      happened.push(`cancel ${jobs.get(id)?.name}`);
      const found = jobs.get(id);
      if (found !== undefined) found.state = 'CANCELED';
    },
  };
  /** All that Flink was asked to run, a session each. */
  const sessions: (readonly string[])[] = [];
  const submissions: { statements: readonly string[]; properties: Readonly<Record<string, string>> }[] = [];
  const gateway: FlinkGatewayClient = {
    async execute(statements, properties) {
      sessions.push(statements);
      if (flink.refuses !== undefined) throw new FlinkStatementError('SELECT', flink.refuses);
      if (statements.at(-1)?.startsWith('DESCRIBE')) return { jobId: undefined, rows: [['place', 'BIGINT']] };
      submissions.push({ statements, properties });
      return { jobId, rows: [] };
    },
  };
  const kafka: Partial<KafkaClient> = {
    watermarks: async () => [{ partition: 0, low: 5, high: 1_000 }],
    async forgetGroup(group) {
      happened.push(`forget ${group}`);
    },
  };
  const activities = createCandidateActivities({
    ...{ database, rest: rest as FlinkRestClient, gateway, kafka: kafka as KafkaClient },
    ...{ pollMs: 1, watchMs: 1, writer: 'a_writer', streams: { [job]: weather } },
    parameters: (_, own) => ({
      jdbc_url: `jdbc:x?currentSchema=${own.schema}`,
      consumer_group: own.consumerGroup,
    }),
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  const question: CandidateQuestion = { job, version, purpose: 'dry_run', run: 'abcdef01' };
  const describeIt = () => environment.run(activities.describeCandidate, question) as Promise<Candidate>;
  return { activities, environment, happened, jobs, flink, database, sessions, submissions, describeIt };
}

const running = (name: string): FakeJob => ({
  ...{ name, state: 'RUNNING', 'start-time': 1_000 },
  vertices: [{ status: 'RUNNING' }],
});

describe('describeCandidate', () => {
  test('tells its names, its tables and what a replay takes', async () => {
    expect(await world().describeIt()).toMatchObject({
      schema: 'dry_run_weather_stream_0123456789ab',
      tables: ['real_hours'],
      jobGroup: weather.consumerGroup,
      replay: { records: 1_990 },
      isOfThisBuild: false,
      refusal: '',
    });
  });

  test.each([
    ['a version that is not on record', {}, 'ffffffffffff', 'UNKNOWN_VERSION'],
    ['a table that is not there', { columns: [] }, version, 'NOT_SHADOWABLE'],
    ['a column that the table has not', { columns: ['other'] }, version, 'NOT_SHADOWABLE'],
    ['too few free slots', { freeSlots: 1 }, version, 'NO_FREE_SLOTS'],
  ])('refuses %s before anything is made', async (_, given, named, code) => {
    const { environment, activities, happened } = world(given);
    const question = { job, version: named, purpose: 'shadow', run: 'abcdef01' } as const;
    await expect(environment.run(activities.describeCandidate, question)).rejects.toMatchObject({
      ...{ code, retryable: false },
    });
    expect(happened).toEqual([]);
  });

  test('runs nothing to look at a version, and refuses one that would run something before its last statement', async () => {
    const looked = world();
    await looked.describeIt();
    const [creating = []] = looked.sessions;
    expect(creating.map((sql) => sql.split(' ')[0])).toEqual(['CREATE', 'CREATE', 'DESCRIBE']);
    const view = 'CREATE VIEW later AS SELECT place FROM records';
    const disordered = world({ version: { ...content, statements: [...content.statements, view] } });
    await expect(disordered.describeIt()).rejects.toMatchObject({ code: 'NOT_SHADOWABLE', retryable: false });
    expect(disordered.sessions).toEqual([]);
  });

  test('hands on what Flink refuses', async () => {
    const { flink, describeIt } = world();
    flink.refuses = 'Caused by: a.ValidationException: no such function';
    expect(await describeIt()).toMatchObject({ refusal: expect.stringContaining('no such function') });
  });
});

describe('a candidate', () => {
  test('writes into its own schema, for its own group, and under its own name', async () => {
    const { activities, environment, describeIt, submissions } = world();
    const candidate = await describeIt();
    const input = { candidate, jobId, restorePath: 'file:/savepoints/1' };
    expect(await environment.run(activities.submitCandidate, input)).toBeUndefined();
    const [{ statements = [], properties = {} } = {}] = submissions;
    expect(statements[0]).toContain(`currentSchema=${candidate.schema}`);
    expect(statements[1]).toContain(`'${candidate.consumerGroup}'`);
    expect(properties).toMatchObject({
      'pipeline.name': candidate.flinkName,
      '$internal.pipeline.job-id': jobId,
      'execution.state-recovery.path': 'file:/savepoints/1',
      'execution.state-recovery.claim-mode': 'NO_CLAIM',
      'restart-strategy.type': 'none',
      [PARALLELISM]: '2',
    });
  });

  test('ends before its tables go, and its group with them; the job itself is left alone', async () => {
    const { activities, environment, describeIt, happened, jobs } = world();
    const candidate = await describeIt();
    jobs.set('a', running(job)).set('b', running(candidate.flinkName));
    await environment.run(activities.endCandidate, candidate);
    const { flinkName, schema, consumerGroup } = candidate;
    expect(happened).toEqual([`cancel ${flinkName}`, `drop ${schema}`, `forget ${consumerGroup}`]);
    expect(jobs.get('a')?.state).toBe('RUNNING');
  });

  test('that an earlier try has left ends before the tables are made anew', async () => {
    const { activities, environment, describeIt, happened, jobs } = world();
    const candidate = await describeIt();
    jobs.set('b', running(candidate.flinkName));
    await environment.run(activities.prepareCandidate, candidate);
    expect(happened).toEqual([`cancel ${candidate.flinkName}`, `make ${candidate.schema}`]);
  });
});

describe('watchCandidate', () => {
  const watching = () => {
    const it = world();
    it.jobs.set(jobId, running('a candidate'));
    const watch = (untilMs = 60_000) => it.environment.run(it.activities.watchCandidate, { jobId, untilMs });
    return { ...it, watch };
  };

  test('returns with the first checkpoint after all its parts run', async () => {
    const { flink, jobs, watch } = watching();
    jobs.set(jobId, { ...running('a candidate'), vertices: [{ status: 'RUNNING' }, { status: 'CREATED' }] });
    flink.checkpointAtMs = 5_000;
    let looks = 0;
    flink.onDescribe = () => {
      looks += 1;
      if (looks === 3) jobs.set(jobId, running('a candidate'));
    };
    expect(await watch()).toEqual({ end: 'checkpoint', seconds: 4 });
    expect(looks).toBe(3);
  });

  test('returns what Flink says of one that failed, all of it', async () => {
    const { flink, jobs, watch } = watching();
    jobs.set(jobId, { ...running('a candidate'), state: 'FAILED' });
    const trace = `a.JobException: outer\n${'at a.b.c\n'.repeat(10)}Caused by: b.StateMigrationException: it must not be incompatible`;
    flink.exceptions = [{ atMs: 1, trace }];
    const reason = 'StateMigrationException: it must not be incompatible';
    expect(await watch()).toEqual({ end: 'failed', reason, trace: `${reason}\n${trace}` });
  });

  test('tells of one that the cluster has forgotten', async () => {
    const { jobs, watch } = watching();
    jobs.clear();
    expect(await watch()).toMatchObject({
      end: 'failed',
      reason: expect.stringContaining('does not know it'),
    });
  });

  test('asks a JobManager that does not answer again, and gives up when the time is over', async () => {
    const { flink, watch } = watching();
    flink.onDescribe = () => {
      throw new FlinkUnreachableError('Flink JobManager', 'http://a', 'ECONNREFUSED', undefined);
    };
    expect(await watch(20)).toEqual({ end: 'untold', reason: 'it completed no checkpoint within 0.02 s' });
  });
});
