import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFlinkRestClient } from '../../clients/flink-rest.ts';
import { jobActor } from '../../clients/job-actor.ts';
import { connectTemporal } from '../../clients/temporal.ts';
import { flinkRestUrl, temporalAddress } from '../../config/addresses.ts';
import { jobActorId } from '../../domain/identities.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { JobState } from '../../schemas/job.ts';
import { eventually } from '../support/eventually.ts';
import { config, connectSql } from '../support/shared-stack.ts';

const job = weather.job.name;
const rest = createFlinkRestClient(flinkRestUrl(config));
let client: Client;
let sql: pg.Client;

beforeAll(async () => {
  client = await connectTemporal(temporalAddress(config), config.values.TEMPORAL_NAMESPACE);
  sql = await connectSql();
});
afterAll(async () => {
  await sql?.end();
  await client?.connection.close();
});

const active = async () =>
  (await rest.jobs()).filter(
    ({ name, state }) => name === job && !['CANCELED', 'FAILED', 'FINISHED'].includes(state),
  );
const running = async () => {
  const state = await eventually(
    'the actor says the job runs',
    () => jobActor(client, job).status(),
    (found) => found?.phase === 'stable',
    { withinMs: 90_000 },
  );
  await eventually(
    'Flink runs exactly this job',
    active,
    (found) => found.length === 1 && found[0]?.id === state?.jobId && found[0]?.state === 'RUNNING',
    { withinMs: 90_000 },
  );
  return state;
};

const untilCheckpoint = (state: JobState | undefined) =>
  eventually(
    'the job has a checkpoint',
    () => rest.checkpoints(state?.jobId ?? ''),
    ({ completed }) => completed > 0,
  );
const untilNextSubmission = (before: JobState | undefined) =>
  eventually(
    'another submission runs',
    () => jobActor(client, job).status(),
    (state) => state?.phase === 'stable' && state.attempt > (before?.attempt ?? 0),
    { withinMs: 120_000 },
  );

describe('the actor of the Flink job', () => {
  test('a command given twice is one command, and starting what runs changes nothing', async () => {
    const before = await running();
    await jobActor(client, job).command('resume', { commandId: 'the same command' });
    await jobActor(client, job).command('resume', { commandId: 'the same command' });
    const after = await running();
    expect(after?.jobId).toBe(before?.jobId);
    expect(after?.commandIds.filter((id) => id === 'the same command')).toHaveLength(1);
  });

  test('a job that was cancelled behind its back is submitted again, from its newest checkpoint', async () => {
    const before = await running();
    await untilCheckpoint(before);
    await rest.cancel(before?.jobId ?? '');
    await untilNextSubmission(before);
    const after = await running();
    expect(after?.restorePath).toContain(`/${before?.jobId}/chk-`);
    expect(after?.reason).toBe('');
  });

  test('an actor that was ended by hand is followed by one that takes over the running job', async () => {
    const before = await running();
    await client.workflow.getHandle(jobActorId(job)).terminate('ended by hand');
    await jobActor(client, job).command('resume', { commandId: 'after the end' });
    const after = await running();
    expect(after).toMatchObject({ jobId: before?.jobId, attempt: before?.attempt, version: before?.version });
  });

  test('an actor that was ended by hand while its job was lost goes on from the record, not from nothing', async () => {
    const before = await running();
    await untilCheckpoint(before);
    await client.workflow.getHandle(jobActorId(job)).terminate('ended by hand');
    await rest.cancel(before?.jobId ?? '');
    await jobActor(client, job).command('resume', { commandId: 'after the loss' });
    await untilNextSubmission(before);
    const after = await running();
    expect(after?.restorePath).toContain(`/${before?.jobId}/chk-`);
    const { rows } = await sql.query('select attempt, flink_job_id from flink_jobs where name = $1', [job]);
    expect(rows).toEqual([{ attempt: after?.attempt, flink_job_id: after?.jobId }]);
  });

  test('of many savepoints the newest are kept, and the files of the others are gone', async () => {
    await running();
    const { savepointsKept } = weather.job.policy;
    const completed = async () =>
      (
        await sql.query<{ path: string; disposed_at: Date | null }>(
          `select path, disposed_at from savepoints where job_name = $1 and status = 'completed' order by finished_at desc`,
          [job],
        )
      ).rows;
    const before = (await completed()).length;
    for (let index = 0; index < savepointsKept + 2; index += 1)
      await jobActor(client, job).command('savepoint', { commandId: `one of many ${index}` });
    const all = await eventually(
      'all are taken, and the surplus is disposed of',
      completed,
      (found) =>
        found.length === before + savepointsKept + 2 &&
        found.slice(savepointsKept).every(({ disposed_at: at }) => at !== null),
    );
    const isThere = all.map(({ path }) => existsSync(fileURLToPath(path)));
    expect(isThere).toEqual(all.map((_, index) => index < savepointsKept));
  });
});
