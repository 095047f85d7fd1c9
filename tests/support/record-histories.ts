/**
 * Records the histories that `tests/replay.test.ts` replays, on a stack of its own: `npm run histories:record`, or some of
 * them: `npm run histories:record -- backfills`. Each is a file of tests/histories, named by workflow type and by what happened
 * to the run. What a changed workflow did before stays, in tests/histories/earlier.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { wrongAverages } from '../../bench/support/sql-changes.ts';
import { startBatchJob } from '../../clients/batch-job.ts';
import { startDryRun, startShadowUpgrade } from '../../clients/candidate-runs.ts';
import { startReplay } from '../../clients/dead-letter-replay.ts';
import { createFlinkRestClient } from '../../clients/flink-rest.ts';
import { jobActor } from '../../clients/job-actor.ts';
import { definedVersion, recordVersion } from '../../clients/job-versions.ts';
import { connectDatabase } from '../../clients/postgres.ts';
import { smokeTest } from '../../clients/smoke-gate.ts';
import { describeWorkerDeployment } from '../../clients/worker-deployments.ts';
import { flinkRestUrl, postgresAddress } from '../../config/addresses.ts';
import { projectRoot } from '../../config/load.ts';
import {
  completenessScheduleId,
  completenessWatchScheduleId,
  ingestScheduleId,
  jobActorId,
  partitionsScheduleId,
  recordsScheduleId,
  smokeTestId,
} from '../../domain/identities.ts';
import { hasEnded } from '../../domain/job-health.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { BackfillInputOfWorkflow } from '../../schemas/backfill.ts';
import type { JobCommandInput, JobCommandName, JobState } from '../../schemas/job.ts';
import { replayInputSchema } from '../../schemas/workflow-inputs.ts';
import type { backfill } from '../../workflows/backfill.ts';
import { fastCheckpoints, recordChangedVersion, withOtherState } from './changed-versions.ts';
import { createCheckedLoad } from './checked-load.ts';
import { eventually } from './eventually.ts';
import { historyAsJson, historyFromJson } from './histories.ts';
import { keepEarlier } from './kept-histories.ts';
import { type OwnStack, startOwnStack } from './own-stack.ts';

const directory = join(projectRoot, 'tests/histories');
const job = weather.job.name;
const LONG = { withinMs: 240_000 };

/** Replay asks for none of it: the process and the machine that recorded a history, and where its checkout was. */
const PROCESS_ON_MACHINE = /\d+@[\w.-]+/g;

const bundle = bundleWorkflowCode({
  workflowsPath: join(projectRoot, 'workflows/index.ts'),
  logger: new DefaultLogger('ERROR'),
});

async function replays(json: string): Promise<boolean> {
  const history = historyFromJson(json);
  const { workflowId } = history.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  const given = [{ workflowId: workflowId ?? 'recorded', history }];
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: await bundle }, given))
    return error === undefined;
  return false;
}

async function save(client: Client, name: string, workflowId: string, runId?: string): Promise<void> {
  const kept = await keepEarlier(directory, name, replays);
  if (kept !== undefined)
    console.log(`  ${name}: the workflow was changed; what was recorded is kept as ${kept}`);
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const withoutNames = historyAsJson(history)
    .replace(PROCESS_ON_MACHINE, 'worker')
    .replaceAll(`${projectRoot}/`, '');
  writeFileSync(join(directory, `${name}.json`), `${withoutNames}\n`);
  console.log(`  ${name}: ${history.events?.length ?? 0} events`);
}

const newestRun = async (client: Client, query: string): Promise<{ workflowId: string; runId: string }> => {
  for await (const run of client.workflow.list({ query })) return run;
  throw new Error(`no run is found by ${query}`);
};

async function recordActor(stack: OwnStack, client: Client): Promise<void> {
  const actor = jobActor(client, job);
  const rest = createFlinkRestClient(flinkRestUrl(stack.config));
  const until = (what: string, holds: (state: JobState) => boolean) =>
    eventually(
      what,
      () => actor.status(),
      (state) => state !== undefined && holds(state),
      LONG,
    );
  const command = <Name extends JobCommandName>(name: Name, input: JobCommandInput<Name>) =>
    actor.command(name, input);
  const stable = (attempt: number) =>
    until(
      `submission ${attempt} is stable`,
      (state) => state.phase === 'stable' && state.attempt === before + attempt,
    );

  const begun = await until('it is stable', ({ phase }) => phase === 'stable');
  const before = (begun?.attempt ?? 1) - 1;
  await command('savepoint', { commandId: 'a savepoint' });
  await actor.versionChanged();
  await command('suspend', { commandId: 'suspend' });
  await until('it is suspended', ({ phase }) => phase === 'suspended');
  await command('resume', { commandId: 'resume' });
  const second = await stable(2);
  await rest.cancel(second?.jobId ?? '');
  await stable(3);
  await save(client, 'flinkJob.commands-and-a-lost-job', jobActorId(job));

  const gateway = stack.service('flink-gateway').process;
  process.kill(gateway?.pid ?? 0, 'SIGKILL');
  await command('restart', { commandId: 'restart without a gateway' });
  await stable(4);
  await save(client, 'flinkJob.retried-submission', jobActorId(job));

  const carried = await actor.status();
  await client.workflow.getHandle(jobActorId(job)).terminate('to begin with a short history');
  await client.workflow.start('flinkJob', {
    workflowId: jobActorId(job),
    taskQueue: taskQueues.control,
    args: [{ ...carried, mostEvents: 50 }],
  });
  const first = await client.workflow.getHandle(jobActorId(job)).describe();
  for (let index = 0; index < 20; index += 1) await command('resume', { commandId: `resume ${index}` });
  await eventually(
    'it continued as a new run',
    () => client.workflow.getHandle(jobActorId(job), first.runId).describe(),
    ({ status }) => status.name === 'CONTINUED_AS_NEW',
    LONG,
  );
  await save(client, 'flinkJob.continued-as-new', jobActorId(job), first.runId);
  await save(client, 'flinkJob.after-continuing-as-new', jobActorId(job));
  await command('stop', { commandId: 'stop' });
  await until('it is stopped', ({ phase }) => phase === 'stopped');
  await save(client, 'flinkJob.stopped', jobActorId(job));
}

/** An upgrade that is confirmed, one that is rolled back by itself, and a rollback by hand. */
async function recordUpgrades(stack: OwnStack, client: Client): Promise<void> {
  const actor = jobActor(client, job);
  const stable = (what: string, holds: (state: JobState) => boolean) =>
    eventually(
      what,
      () => actor.status(),
      (state) => state?.phase === 'stable' && holds(state),
      LONG,
    );
  const first = await stable('the job is stable', () => true);
  const own = first?.version ?? '';
  const fast = await recordChangedVersion(stack, job, own, { settings: fastCheckpoints });
  const misfit = await recordChangedVersion(stack, job, fast, { sql: withOtherState });
  await actor.command('deploy', { commandId: 'upgrade', version: fast, upgradeMode: 'checkpoint' });
  const before = await stable('it is upgraded', ({ version }) => version === fast);
  await actor.command('deploy', { commandId: 'misfit', version: misfit });
  await stable(
    'it is rolled back',
    ({ version, attempt }) => version === fast && attempt > (before?.attempt ?? 0),
  );
  await actor.command('rollback', { commandId: 'rollback' });
  await stable('it is gone back from by hand', ({ version }) => version === own);
  await save(client, 'flinkJob.upgraded-and-rolled-back', jobActorId(job));
}

async function recordBatchJobs(stack: OwnStack, client: Client): Promise<void> {
  const rest = createFlinkRestClient(flinkRestUrl(stack.config));
  const hour = (ago: number): string =>
    `${new Date(Math.floor(Date.now() / 3_600_000 - ago) * 3_600_000).toISOString().slice(0, 19)}Z`;
  const finished = await startBatchJob(client, {
    job: 'recompute-hours',
    parameters: { from: hour(1), to: hour(-1) },
  });
  await finished.result();
  await save(client, 'runBatchJob.finished', finished.workflowId, finished.firstExecutionRunId);

  const running = async () =>
    (await rest.jobs()).filter(({ name, state }) => name.includes('recompute-hours') && !hasEnded(state));
  const lost = await startBatchJob(client, {
    job: 'recompute-hours',
    parameters: { from: hour(900), to: hour(-1) },
  });
  const [flinkJob] = await eventually('it runs', running, (found) => found.length === 1, { everyMs: 20 });
  await rest.cancel(flinkJob?.id ?? '');
  await lost.result();
  await save(client, 'runBatchJob.lost-and-submitted-again', lost.workflowId, lost.firstExecutionRunId);

  const cancelled = await startBatchJob(client, {
    job: 'recompute-hours',
    parameters: { from: hour(800), to: hour(-1) },
  });
  await eventually('it runs', running, (found) => found.length === 1, { everyMs: 20 });
  await cancelled.cancel();
  await cancelled.result().catch(() => undefined);
  await save(client, 'runBatchJob.cancelled', cancelled.workflowId, cancelled.firstExecutionRunId);
}

/** A range of which the stream owns the newest hours: chunks of both kinds. */
async function recordBackfills(stack: OwnStack, client: Client): Promise<void> {
  await stack.sql(`update locations set active_from = '2020-01-01', min_observations_per_hour = 1`);
  const hour = (ago: number): string =>
    new Date(Math.floor(Date.now() / 3_600_000 - ago) * 3_600_000).toISOString();
  const run = (workflowId: string, input: BackfillInputOfWorkflow) =>
    client.workflow.start<typeof backfill>('backfill', {
      ...{ workflowId, taskQueue: taskQueues.control, args: [input] },
    });
  const request = { pipeline: weather.name, from: hour(24 * 100), to: hour(1) };
  const cancelled = await run('cancelled', { ...request, maxConcurrency: 1 });
  await eventually(
    'a chunk is begun',
    () => stack.sql(`select from backfill_chunks where status <> 'pending'`),
    (rows) => rows.length > 0,
    { everyMs: 50 },
  );
  await cancelled.executeUpdate('pause');
  await cancelled.executeUpdate('resume');
  await cancelled.executeUpdate('cancel');
  const ending = await cancelled.result();
  await save(client, 'backfill.cancelled', cancelled.workflowId);

  const retried = await run('retried', { plan: ending.id, retry: true, policy: { chunksPerRun: 1 } });
  await retried.result();
  await save(client, 'backfill.continued-as-new', retried.workflowId, retried.firstExecutionRunId);
  await save(client, 'backfill.completed', retried.workflowId);
  for (const path of ['stream', 'batch']) {
    const query = `WorkflowType = 'backfillChunk' AND ExecutionStatus = 'Completed' AND WorkflowId STARTS_WITH 'backfill/${ending.id}/${path}'`;
    const chunk = await newestRun(client, query);
    await save(client, `backfillChunk.${path}`, chunk.workflowId, chunk.runId);
  }
}

async function recordScheduled(client: Client): Promise<void> {
  const schedules = {
    ingestWeather: ingestScheduleId(weather.name, 'mock', 0),
    accountForRecords: recordsScheduleId(weather.name),
    watchCompleteness: completenessWatchScheduleId(weather.name),
    maintainPartitions: partitionsScheduleId,
  };
  for (const [type, scheduleId] of Object.entries(schedules)) {
    await client.schedule.getHandle(scheduleId).trigger();
    const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Completed'`;
    const run = await eventually(
      `${type} has run`,
      () => newestRun(client, query),
      () => true,
      LONG,
    );
    await save(client, `${type}.completed`, run.workflowId, run.runId);
  }
}

/** One that finds a row which is not the aggregate of its observations and mends it, and observations that are lost. */
async function recordChecks(stack: OwnStack, client: Client): Promise<void> {
  await eventually(
    'rows flow',
    () => stack.sql('select from weather_hourly'),
    (rows) => rows.length > 0,
    LONG,
  );
  // One location is expected to have some hours more: one of them has a row that is wrong, the others have none.
  const one = 'city_id = (select min(city_id) from weather_hourly)';
  const earlier = (table: string, moved: string): string =>
    `insert into ${table} select (jsonb_populate_record(o, ${moved})).* from ${table} o where ${one} limit 1`;
  await stack.sql(`update locations set active_from = now() - interval '6 hours' where ${one}`);
  await stack.sql(
    earlier('observations', `jsonb_build_object('observed_at', observed_at - interval '3 hours')`),
  );
  await stack.sql(
    earlier(
      'weather_hourly',
      `jsonb_build_object('window_start', window_start - interval '3 hours', 'window_end', window_end - interval '3 hours', 'temp_avg', 99, 'origin', 'batch')`,
    ),
  );
  await client.schedule.getHandle(completenessScheduleId(weather.name)).trigger();
  const query = `WorkflowType = 'checkCompleteness' AND ExecutionStatus = 'Completed'`;
  const run = await eventually(
    'a check has ended',
    () => newestRun(client, query),
    () => true,
    LONG,
  );
  await save(client, 'checkCompleteness.with-repairs', run.workflowId, run.runId);
}

async function recordReplay(client: Client): Promise<void> {
  const replay = await startReplay(client, replayInputSchema.parse({ pipeline: weather.name, all: true }));
  await replay.result();
  await save(client, 'replayDeadLetters.completed', replay.workflowId);
}

/** A dry run that fits, a shadow upgrade that finds wrong averages, and one that cuts over and makes an hour anew. */
async function recordCandidates(stack: OwnStack, client: Client): Promise<void> {
  const database = connectDatabase(postgresAddress(stack.config));
  const wrong = await recordVersion(database, job, wrongAverages.apply(definedVersion(weather.job)));
  const rescaled = await recordVersion(database, job, definedVersion(weather.job, 1));
  await database.close();
  const late = createCheckedLoad(stack);
  await late.publish(100);
  await late.close();
  await eventually(
    'hours that are over have rows of the stream',
    () => stack.sql(`select from weather_hourly where window_end < now() and origin = 'stream'`),
    (rows) => rows.length > 0,
    LONG,
  );
  const tried = await startDryRun(client, { job, version: rescaled });
  await tried.result();
  await save(client, 'tryVersion.fits', tried.workflowId);
  const refused = await startShadowUpgrade(client, { job, version: wrong });
  await refused.result();
  await save(client, 'shadowUpgrade.refused', refused.workflowId);
  await stack.sql(
    `update weather_hourly set temp_avg = temp_avg + 1 where (city_id, window_start) in (
       select city_id, window_start from weather_hourly where window_end < now() and origin = 'stream' limit 1
     )`,
  );
  const accepted = { job, version: rescaled, acceptDifferences: ['temp_avg'] };
  const cutOver = await startShadowUpgrade(client, accepted);
  await cutOver.result();
  await save(client, 'shadowUpgrade.cut-over', cutOver.workflowId);
}

async function recordSmokeTest(client: Client): Promise<void> {
  const { currentBuild = '' } = await describeWorkerDeployment(client);
  await smokeTest(client, currentBuild);
  await save(client, 'smokeTest.passed', smokeTestId(currentBuild));
}

const recorders: Readonly<Record<string, (stack: OwnStack, client: Client) => Promise<void>>> = {
  scheduled: (_, client) => recordScheduled(client),
  checks: recordChecks,
  replay: (_, client) => recordReplay(client),
  smoke: (_, client) => recordSmokeTest(client),
  batchJobs: recordBatchJobs,
  backfills: recordBackfills,
  candidates: recordCandidates,
  upgrades: recordUpgrades,
  actor: recordActor,
};
const named = process.argv.slice(2);

const stack = await startOwnStack();
try {
  await stack.withTemporal(async (client) => {
    for (const [name, record] of Object.entries(recorders))
      if (named.length === 0 || named.includes(name)) await record(stack, client);
  });
} finally {
  await stack.close();
}
