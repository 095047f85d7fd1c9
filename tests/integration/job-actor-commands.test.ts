/** What commands to the actor of a Flink job come to on a real Temporal, also around a continue-as-new; over a Flink in memory. */
import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ActorNotAnsweringError, CommandRefusedError, jobActor } from '../../clients/job-actor.ts';
import { flinkId, jobActorId } from '../../domain/identities.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { type JobState, jobMessages } from '../../schemas/job.ts';
import { eventually } from '../support/eventually.ts';
import { createNamespace, type FakeActor, type FakeActors, startFakeActors } from '../support/fake-actors.ts';
import {
  deploy,
  expectNothingLost,
  resubmit,
  savepointEnded,
  stop,
  suspend,
  takeSavepoint,
  untilStable,
} from '../support/fake-lives.ts';
import { config } from '../support/shared-stack.ts';

vi.setConfig({ maxConcurrency: 30 });

let actors: FakeActors;
let unserved: Client;
beforeAll(async () => {
  [actors, unserved] = await Promise.all([
    startFakeActors(config),
    createNamespace(config, `unserved-${randomUUID().slice(0, 8)}`),
  ]);
});
afterAll(async () => {
  await actors?.close();
  await unserved?.connection.close();
});

const countOf = async (job: FakeActor, event: string): Promise<number> =>
  (await job.events()).filter((one) => one.event === event).length;

describe.concurrent('a command', () => {
  test('that is given several times with one id is one command', async () => {
    const job = actors.create('repeated');
    const commandId = randomUUID();
    await Promise.all(Array.from({ length: 5 }, () => job.command('deploy', { commandId })));
    await untilStable(job);
    const state = await job.command('deploy', { commandId });
    expect(state.commandIds).toEqual([commandId]);
    expect(await countOf(job, 'deploy')).toBe(1);
    expect(job.flink.submissions).toHaveLength(1);
    await stop(job);
    await expectNothingLost(job);
  });

  test('needs no input: in the Temporal UI `{}`, or nothing, is enough', async () => {
    const job = actors.create('bare');
    await deploy(job);
    const handle = actors.client.workflow.getHandle(jobActorId(job.name));
    expect(await handle.executeUpdate<JobState, [object]>('suspend', { args: [{}] })).toMatchObject({
      desired: 'suspended',
    });
    expect(await handle.executeUpdate<JobState, []>('resume')).toMatchObject({ desired: 'running' });
    await untilStable(job);
    await stop(job);
    await expectNothingLost(job);
  });

  test('with an input that means nothing is refused, with what is wrong, and changes nothing', async () => {
    const job = actors.create('invalid');
    await deploy(job);
    await expect(job.command('restart', { from: 'yesterday' })).rejects.toThrow(CommandRefusedError);
    await expect(job.command('restart', { from: 'yesterday' })).rejects.toThrow(/expected the trigger id/);
    await expect(job.command('restart', { from: 'a'.repeat(32) })).rejects.toThrow('is not on record');
    expect((await job.actor.status())?.restart).toBeUndefined();
    await stop(job);
    await expectNothingLost(job);
  });

  test('that no worker answers is told within seconds', async () => {
    const begun = Date.now();
    const asked = jobActor(unserved, 'nobody').command('deploy', {});
    await expect(asked).rejects.toThrow(ActorNotAnsweringError);
    await expect(jobActor(unserved, 'nobody').status()).rejects.toThrow(/No worker answers/);
    expect(Date.now() - begun).toBeLessThan(25_000);
  });

  test('for a job that nobody defines is refused, and its actor fails with why', async () => {
    const stranger = jobActor(actors.client, 'stranger');
    expect(await stranger.status()).toBeUndefined();
    await expect(stranger.command('deploy', {})).rejects.toThrow(CommandRefusedError);
    const handle = actors.client.workflow.getHandle(jobActorId('stranger'));
    await expect(handle.result()).rejects.toMatchObject({
      cause: { cause: { message: expect.stringContaining('There is no Flink job "stranger"') } },
    });
  });

  test('that wants no job to run starts none, although it is the first', async () => {
    for (const command of ['suspend', 'stop', 'park'] as const) {
      const job = actors.create(`first-${command}`);
      await job.command(command);
      await job.until('it is at rest', ({ state }) => state === 'suspended' || state === 'stopped');
      expect([command, job.flink.done]).toEqual([command, []]);
    }
  });

  test('that comes while the actor ends starts the next one', async () => {
    const job = actors.create('ending');
    await deploy(job);
    await job.command('stop');
    // Some reach the actor that ends, some the one that follows.
    while ((await job.row())?.state !== 'stopped') await job.command('park');
    await resubmit(job, () => job.command('deploy'));
    await stop(job);
    await expectNothingLost(job);
  });
});

describe.concurrent('deploy', () => {
  test('of a version that runs changes nothing', async () => {
    const job = actors.create('unchanged');
    await deploy(job);
    const before = await untilStable(job);
    const state = await job.command('deploy');
    expect(state).toMatchObject({ phase: 'stable', attempt: 1, jobId: before.flink_job_id });
    await takeSavepoint(job);
    expect(job.flink.submissions).toHaveLength(1);
    await stop(job);
    await expectNothingLost(job);
  });

  test('of another version runs that one, with the state of the one before', async () => {
    const job = actors.create('changed');
    await deploy(job);
    const before = await untilStable(job);
    job.definition.settings['table.exec.state.ttl'] = '1 h';
    const after = await resubmit(job, () => job.command('deploy'));
    expect(after.version).not.toBe(before.version);
    expect(after.restore_path).toContain(`/savepoint-${before.flink_job_id.slice(0, 6)}-`);
    expect(job.flink.submissions.at(-1)?.properties).toMatchObject({ 'table.exec.state.ttl': '1 h' });
    await stop(job);
    await expectNothingLost(job);
  });

  test('leaves a suspended job suspended; resumed, it runs the version that was deployed', async () => {
    const job = actors.create('suspended');
    await deploy(job);
    const before = await suspend(job);
    job.definition.settings['table.exec.state.ttl'] = '1 h';
    const state = await job.command('deploy');
    expect(state).toMatchObject({ phase: 'suspended', desired: 'suspended' });
    expect(job.flink.submissions).toHaveLength(1);
    const after = await resubmit(job, () => job.command('resume'));
    expect([after.version, after.restore_path]).toEqual([state.desiredVersion, before.restore_path]);
    expect(after.version).not.toBe(before.version);
    await stop(job);
    await expectNothingLost(job);
  });

  test('lets a parked job go on, for which running has stayed desired', async () => {
    const job = actors.create('parked');
    await deploy(job);
    await job.command('park');
    const parked = await job.until('it is suspended', ({ state }) => state === 'suspended');
    expect(parked.desired).toBe('running');
    const after = await resubmit(job, () => job.command('deploy'));
    expect(after.restore_path).toBe(parked.restore_path);
    await stop(job);
    await expectNothingLost(job);
  });
});

describe.concurrent('savepoint', () => {
  test('with the trigger id of the caller is one savepoint, however often it is asked for', async () => {
    const job = actors.create('triggered', { times: { savepointMs: 300 } });
    await deploy(job);
    const triggerId = flinkId('the one');
    await Promise.all(Array.from({ length: 3 }, () => job.command('savepoint', { triggerId })));
    expect((await savepointEnded(job, triggerId)).status).toBe('completed');
    await job.command('savepoint', { triggerId });
    await stop(job);
    const triggered = job.flink.done.filter((one) => one.endsWith(triggerId));
    expect(triggered).toHaveLength(1);
    expect((await job.savepoints()).map(({ kind }) => kind)).toEqual(['manual', 'suspend']);
    await expectNothingLost(job);
  });

  test('of a job that does not run is refused', async () => {
    const job = actors.create('not-running');
    await deploy(job);
    await suspend(job);
    await expect(job.command('savepoint')).rejects.toThrow(
      `${job.name} is suspended: a savepoint can only be taken of a job that runs`,
    );
    await stop(job);
    await expectNothingLost(job);
  });

  test('is taken by itself when its time has come, and only as many are kept as the policy says', async () => {
    const job = actors.create('periodic', { policy: { savepointEveryMs: 500, savepointsKept: 2 } });
    await deploy(job);
    await eventually(
      'four are taken and the older are disposed of',
      () => job.savepoints(),
      (rows) =>
        rows.filter(({ status }) => status === 'completed').length >= 4 &&
        rows.filter(({ status, disposed_at: at }) => status === 'completed' && at === null).length === 2,
    );
    expect(new Set((await job.savepoints()).map(({ kind }) => kind))).toEqual(new Set(['periodic']));
    await stop(job);
    await expectNothingLost(job);
  });
});

describe.concurrent('the history of an actor', () => {
  /** Begins an actor whose runs are short. */
  const start = async (job: FakeActor, mostEvents: number): Promise<WorkflowHandle> =>
    actors.client.workflow.start('flinkJob', {
      workflowId: jobActorId(job.name),
      taskQueue: taskQueues.control,
      args: [{ name: job.name, mostEvents }],
    });
  const runsOf = async (job: FakeActor): Promise<number> => {
    const runs = actors.client.workflow.list({ query: `WorkflowId = '${jobActorId(job.name)}'` });
    let count = 0;
    for await (const _ of runs) count += 1;
    return count;
  };
  const scheduledIn = async (handle: WorkflowHandle) => {
    const { events } = await handle.fetchHistory();
    return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }, index) =>
      scheduled?.activityType?.name ? [{ activity: scheduled.activityType.name, index }] : [],
    );
  };

  test('continues as new around sixty commands: none is lost, and none is carried out twice', async () => {
    const job = actors.create('sixty');
    await start(job, 60);
    const ids = Array.from({ length: 60 }, () => randomUUID());
    const give = (commandId: string, index: number): Promise<JobState> =>
      job.command(index % 2 === 0 ? 'deploy' : 'resume', { commandId });
    await Promise.allSettled(ids.map(give));
    // Whoever had no answer in time asks again, as everybody does here.
    await pMap(ids, give, { concurrency: 10 });
    const { commandIds } = await job.command('resume');
    expect(ids.filter((id) => !commandIds.includes(id))).toEqual([]);
    expect(new Set(commandIds).size).toBe(commandIds.length);
    await untilStable(job);
    await stop(job);
    expect([await countOf(job, 'deploy'), await countOf(job, 'resume')]).toEqual([30, 31]);
    expect(job.flink.submissions).toHaveLength(1);
    expect(await runsOf(job)).toBeGreaterThan(2);
    await expectNothingLost(job);
  });

  test('the notice of another worker version interrupts a watch', async () => {
    const job = actors.create('version-changed');
    await deploy(job);
    const handle = actors.client.workflow.getHandle(jobActorId(job.name));
    const watches = async (): Promise<number> =>
      (await scheduledIn(handle)).filter(({ activity }) => activity === 'watchJob').length;
    // The job is stable a moment before its actor has begun to watch it: a notice in between interrupts nothing.
    await eventually(
      'the stable job is watched',
      async () => (await handle.describe()).raw.pendingActivities ?? [],
      (pending) => pending.some(({ activityType }) => activityType?.name === 'watchJob'),
    );
    const before = await watches();
    await job.actor.versionChanged();
    await eventually('another watch has begun', watches, (count) => count === before + 1);
    const { events } = await handle.fetchHistory();
    expect((events ?? []).filter((event) => event.activityTaskCancelRequestedEventAttributes)).toHaveLength(
      1,
    );
    expect(await handle.query(jobMessages.status)).toMatchObject({ phase: 'stable', attempt: 1 });
    await stop(job);
    await expectNothingLost(job);
  });

  test('grows by some hundred events a day while its job is stable', async () => {
    // A watch ends when a savepoint is due: each cycle of a day happens once a second here.
    const job = actors.create('events', { policy: { savepointEveryMs: 1_000 } });
    await deploy(job);
    const handle = actors.client.workflow.getHandle(jobActorId(job.name));
    const steps = await eventually(
      'three savepoints are made and disposed of',
      () => scheduledIn(handle),
      (all) => all.filter(({ activity }) => activity === 'pruneSnapshots').length > 3,
    );
    const last = steps.slice(0, -1).findLastIndex(({ activity }) => activity === 'pruneSnapshots');
    const cycle = steps.slice(last - 2, last + 2);
    expect(cycle.map(({ activity }) => activity)).toEqual([
      ...['watchJob', 'takeSavepoint', 'pruneSnapshots', 'watchJob'],
    ]);
    const [watch = 0, savepoint = 0, prune = 0] = cycle
      .slice(1)
      .map(({ index }, position) => index - (cycle[position]?.index ?? 0));
    const [watches, savepoints] = [48, 4];
    const perDay = (watches + savepoints) * watch + savepoints * (savepoint + prune);
    console.info(
      `history events of a stable job: ${watch} a watch of 30 minutes, ${savepoint} a savepoint, ${prune} its pruning: ${perDay} a day`,
    );
    expect(perDay).toBeLessThan(500);
    await stop(job);
  });

  test('can be replayed: every history that was made here leads to the same decisions', async () => {
    const job = actors.create('replayed');
    await start(job, 60);
    await job.command('deploy');
    await untilStable(job);
    await takeSavepoint(job);
    await resubmit(job, async () => job.flink.loseJobManager());
    await resubmit(job, () => job.command('restart'));
    await stop(job);
    const histories = actors.client.workflow
      .list({ query: `WorkflowId = '${jobActorId(job.name)}'` })
      .intoHistories();
    let replayed = 0;
    for await (const { error } of Worker.runReplayHistories(
      { workflowBundle: actors.workflowBundle },
      histories,
    )) {
      expect(error).toBeUndefined();
      replayed += 1;
    }
    expect(replayed).toBeGreaterThan(1);
  });
});
