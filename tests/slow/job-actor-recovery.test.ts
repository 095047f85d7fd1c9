/** How the actor of a Flink job on a real Temporal comes back from losses, and what it says when it cannot; over a Flink in memory. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { flinkId, jobActorId } from '../../domain/identities.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeActor, type FakeActors, startFakeActors } from '../support/fake-actors.ts';
import {
  deploy,
  expectNothingLost,
  resubmit,
  stop,
  suspend,
  takeSavepoint,
  untilStable,
} from '../support/fake-lives.ts';
import { config } from '../support/shared-stack.ts';

vi.setConfig({ maxConcurrency: 30 });

let actors: FakeActors;
beforeAll(async () => {
  actors = await startFakeActors(config);
});
afterAll(() => actors?.close());

const reasonsOf = async (job: FakeActor, event: string) =>
  (await job.events()).filter((one) => one.event === event).map(({ reason }) => reason);
const removeCheckpoints = ({ flink }: FakeActor, jobId: string): void =>
  flink.snapshots.remove(`${flink.snapshots.checkpoints}/${jobId}`);
const untilFailing = (job: FakeActor) => job.until('it is failing', ({ state }) => state === 'failing');
const untilNotices = (job: FakeActor, statuses: readonly string[], withinMs = 30_000) =>
  eventually(
    `${job.name}: it has told ${statuses.join(', ')}`,
    async () => job.notices.map(({ status }) => status),
    (told) => told.join() === statuses.join(),
    { withinMs },
  );

describe.concurrent('a job that is lost', () => {
  test('because it failed goes on from its newest checkpoint, and why it failed is on record', async () => {
    const job = actors.create('failed');
    await deploy(job);
    const before = await untilStable(job);
    const after = await resubmit(job, async () =>
      job.flink.fail(before.flink_job_id, 'a.b.JobException: outer\nCaused by: c.D: no memory'),
    );
    expect(after.restore_path).toContain(`/${before.flink_job_id}/chk-`);
    expect(await reasonsOf(job, 'lost')).toEqual(['the job is FAILED: D: no memory']);
    await stop(job);
    await expectNothingLost(job);
  });

  test('with its JobManager goes on from its newest checkpoint', async () => {
    const job = actors.create('unknown');
    await deploy(job);
    const before = await untilStable(job);
    const after = await resubmit(job, async () => job.flink.loseJobManager());
    expect(after.restore_path).toContain(`/${before.flink_job_id}/chk-`);
    expect(await reasonsOf(job, 'lost')).toEqual(['the Flink cluster does not know the job any more']);
    await stop(job);
    await expectNothingLost(job);
  });

  test('and cannot be restored is given up after its budget, with the root cause; a command tries again', async () => {
    const job = actors.create('refused', { policy: { recoveryBudget: 3 } });
    await deploy(job);
    const { restore_path: path } = await suspend(job);
    for (let time = 0; time < 3; time += 1) job.flink.faults.arm('execute', 'restore refused');
    await job.command('resume');
    const { reason, attempt } = await untilFailing(job);
    expect([reason, attempt]).toEqual([`the job is FAILED: IOException: cannot restore from ${path}`, 4]);
    await untilNotices(job, ['raised']);
    await resubmit(job, () => job.command('resume'));
    await untilNotices(job, ['raised', 'resolved']);
    expect(job.notices[0]).toMatchObject({
      ...{ kind: 'job-failing', subject: jobActorId(job.name), reason },
      id: expect.stringContaining(`${jobActorId(job.name)}/job-failing/`),
    });
    expect(job.notices[1]?.id).toBe(job.notices[0]?.id);
    await stop(job);
    await expectNothingLost(job);
  });

  test('because Flink refuses its SQL is given up after its budget, with what Flink said', async () => {
    const job = actors.create('wrong-sql', { policy: { recoveryBudget: 2 } });
    for (let time = 0; time < 2; time += 1) job.flink.faults.arm('execute', 'HTTP 500');
    await job.command('deploy');
    const { reason } = await untilFailing(job);
    expect(reason).toContain('SqlExecutionException: it broke');
    expect(job.flink.mostActive()).toBe(0);
    await resubmit(job, () => job.command('deploy'));
    await stop(job);
    await expectNothingLost(job);
  });
});

describe.concurrent('a job that is unwell', () => {
  test('because its JobManager is silent is told, is no loss, and is told when that is over', async () => {
    const job = actors.create('silent');
    await deploy(job);
    const before = await untilStable(job);
    job.flink.faults.arm('describe a job', 'unreachable for a while');
    await untilNotices(job, ['raised', 'resolved']);
    expect(job.notices[0]).toMatchObject({
      ...{ kind: 'job-unstable', reason: expect.stringContaining('does not answer') },
    });
    const after = await untilStable(job);
    expect([after.attempt, after.flink_job_id]).toEqual([1, before.flink_job_id]);
    await stop(job);
    await expectNothingLost(job);
  });

  test('in a restart loop is told with what it says, and left to Flink', async () => {
    const job = actors.create('looping');
    await deploy(job);
    const { flink_job_id: id } = await untilStable(job);
    for (const what of ['first', 'second', 'third'])
      job.flink.fail(id, `a.b.JobException: outer\nCaused by: c.D: ${what}`, 'RESTARTING');
    await untilNotices(job, ['raised']);
    expect(job.notices[0]?.reason).toBe('it failed 3 times within 120 s: D: third');
    expect(job.flink.submissions).toHaveLength(1);
    // Nothing but a checkpoint can be had of it.
    await suspend(job);
    await untilNotices(job, ['raised', 'resolved']);
    await resubmit(job, () => job.command('resume'));
    await stop(job);
    await expectNothingLost(job);
  });

  test('too ill for a savepoint is suspended from its newest checkpoint, and the history says so', async () => {
    const job = actors.create('too-ill');
    await deploy(job);
    const { flink_job_id: id } = await untilStable(job);
    job.flink.faults.arm('stop with a savepoint', 'savepoint fails');
    const { restore_path: path } = await suspend(job);
    expect(path).toContain(`/${id}/chk-`);
    expect(await reasonsOf(job, 'suspended')).toEqual([
      `no savepoint could be taken (CheckpointException: the disk is full); it goes on from ${path}`,
    ]);
    const after = await resubmit(job, () => job.command('resume'));
    expect(after.restore_path).toBe(path);
    await stop(job);
    await expectNothingLost(job);
  });
});

describe.concurrent('a snapshot that is gone', () => {
  test('is replaced by the newest that is left, and the history says so', async () => {
    const job = actors.create('gone');
    await deploy(job);
    const { path: left } = await takeSavepoint(job);
    const { restore_path: recorded } = await suspend(job);
    job.flink.snapshots.remove(recorded ?? '');
    const after = await resubmit(job, () => job.command('resume'));
    expect(after.restore_path).toBe(left);
    expect((await reasonsOf(job, 'targetRecorded')).at(-1)).toBe(
      `the recorded snapshot ${recorded} is gone; the newest that is left is older: ${left}`,
    );
    await stop(job);
    await expectNothingLost(job);
  });

  test('with all others makes the job fail until it is permitted to lose its state', async () => {
    const job = actors.create('nothing-left');
    await deploy(job);
    const { restore_path: recorded } = await suspend(job);
    job.flink.snapshots.remove(recorded ?? '');
    await job.command('resume');
    const { reason, sequence: before } = await untilFailing(job);
    expect(reason).toContain(`the recorded snapshot ${recorded} is gone, and there is no other.`);
    expect(reason).toContain(`hourglass job restart ${job.name} --from nothing --accept-state-loss`);
    await job.command('resume');
    await job.until('it gives up again', ({ state, sequence }) => state === 'failing' && sequence > before);
    await expect(job.command('restart', { from: 'nothing' })).rejects.toThrow('acceptStateLoss');
    expect(job.flink.submissions).toHaveLength(1);
    const after = await resubmit(job, () => job.command('resume', { acceptStateLoss: true }));
    expect(after.restore_path).toBeNull();
    await stop(job);
    await expectNothingLost(job);
  });

  test('never makes a job that had state start from nothing by itself, though it was never suspended', async () => {
    const job = actors.create('never-suspended');
    await deploy(job);
    const { flink_job_id: id } = await untilStable(job);
    // A permission that nothing came of is no permission for what comes later.
    await job.command('resume', { acceptStateLoss: true });
    await untilStable(job);
    job.flink.loseJobManager();
    removeCheckpoints(job, id);
    const { reason } = await untilFailing(job);
    expect(reason).toContain(`/${id} is gone, and there is no other.`);
    expect(job.flink.submissions).toHaveLength(1);
    const after = await resubmit(job, () =>
      job.command('restart', { from: 'nothing', acceptStateLoss: true }),
    );
    expect(after.restore_path).toBeNull();
    expect((await reasonsOf(job, 'targetRecorded')).at(-1)).toBe('without state, as it was commanded');
    await stop(job);
    await expectNothingLost(job);
  });

  test('among the checkpoints of a lost job is made good by its savepoint', async () => {
    const job = actors.create('savepoint-left');
    await deploy(job);
    const { path } = await takeSavepoint(job);
    const { flink_job_id: id } = await untilStable(job);
    job.flink.loseJobManager();
    removeCheckpoints(job, id);
    const after = await untilStable(job, 2);
    expect(after.restore_path?.replace(/^file:\/+/, '')).toBe(path.replace(/^file:\/+/, ''));
    await stop(job);
    await expectNothingLost(job);
  });
});

describe.concurrent('a notice', () => {
  test('that could not be delivered is tried again, and is one notice', async () => {
    const job = actors.create('undelivered', { policy: { recoveryBudget: 1 } });
    job.flink.faults.arm('execute', 'HTTP 500');
    // One delivery is tried twice at once; the next follows with the next look.
    job.refuseNotices = 3;
    await job.command('deploy');
    await untilFailing(job);
    await untilNotices(job, ['raised'], 100_000);
    expect(job.refuseNotices).toBe(0);
    await resubmit(job, () => job.command('deploy'));
    await untilNotices(job, ['raised', 'resolved']);
    await stop(job);
  });
});

describe.concurrent('an actor that was ended by hand is followed by one that goes on from the record', () => {
  test('of a job that runs: it takes it over, with its policy', async () => {
    const job = actors.create('ended-running');
    await deploy(job);
    const before = await untilStable(job);
    await job.terminate();
    const state = await job.command('resume');
    expect(state).toMatchObject({ attempt: 1, jobId: before.flink_job_id, policy: job.definition.policy });
    await untilStable(job);
    expect(job.flink.submissions).toHaveLength(1);
    await stop(job);
    await expectNothingLost(job);
  });

  test('of a job that was lost meanwhile: it goes on from its newest checkpoint', async () => {
    const job = actors.create('ended-lost');
    await deploy(job);
    const before = await untilStable(job);
    await job.terminate();
    job.flink.loseJobManager();
    const after = await resubmit(job, () => job.command('resume'));
    expect(after.restore_path).toContain(`/${before.flink_job_id}/chk-`);
    await stop(job);
    await expectNothingLost(job);
  });

  test('of a job that is being submitted: it is the same submission', async () => {
    const job = actors.create('ended-submitting');
    job.flink.faults.arm('open a session', 'unreachable for a while');
    await job.command('deploy');
    await job.until('it is submitting', ({ state }) => state === 'submitting');
    await job.terminate();
    await job.command('resume');
    const { attempt } = await untilStable(job);
    expect([attempt, job.flink.submissions.length]).toEqual([1, 1]);
    await stop(job);
    await expectNothingLost(job);
  });

  test('of a job that is being suspended: its savepoint is the one it goes on from', async () => {
    const job = actors.create('ended-suspending', { times: { savepointMs: 1_000 } });
    await deploy(job);
    const { flink_job_id: id } = await untilStable(job);
    await job.command('suspend');
    await job.until('it is being suspended', ({ state }) => state === 'suspending');
    await eventually(
      'its savepoint is triggered',
      async () => job.flink.done,
      (done) => done.includes(`stop ${id} ${flinkId(`${id}/suspend`)}`),
    );
    await job.terminate();
    const after = await resubmit(job, () => job.command('resume'));
    expect(after.restore_path).toContain(`/savepoint-${id.slice(0, 6)}-`);
    await stop(job);
    await expectNothingLost(job);
  });

  test('of a suspended job: it stays suspended, and goes on from its savepoint when that is wanted', async () => {
    const job = actors.create('ended-suspended');
    await deploy(job);
    const before = await suspend(job);
    await job.terminate();
    expect(await job.command('deploy')).toMatchObject({ phase: 'suspended', desired: 'suspended' });
    const after = await resubmit(job, () => job.command('resume'));
    expect(after.restore_path).toBe(before.restore_path);
    await stop(job);
    await expectNothingLost(job);
  });

  test('of a job that recovery gave up: it tries again from the newest state', async () => {
    const job = actors.create('ended-failing', { policy: { recoveryBudget: 1 } });
    await deploy(job);
    const { restore_path: path } = await suspend(job);
    job.flink.faults.arm('execute', 'restore refused');
    await job.command('resume');
    await untilFailing(job);
    await job.terminate();
    const after = await resubmit(job, () => job.command('resume'));
    expect(after.restore_path).toBe(path);
    await stop(job);
    await expectNothingLost(job);
  });

  test('of a stopped job, whose actor has ended: a deploy goes on from its savepoint', async () => {
    const job = actors.create('ended-stopped');
    await deploy(job);
    await stop(job);
    const stopped = await job.row();
    expect((await job.actor.status())?.phase).toBe('stopped');
    const after = await resubmit(job, () => job.command('deploy'));
    expect([after.desired, after.restore_path]).toEqual(['running', stopped?.restore_path]);
    await stop(job);
    await expectNothingLost(job);
  });
});
