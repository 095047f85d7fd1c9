/** How the actor of a Flink job on a real Temporal carries an upgrade through whatever happens to it; over a Flink in memory. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CommandRefusedError } from '../../clients/job-actor.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeActor, type FakeActors, type JobRow, startFakeActors } from '../support/fake-actors.ts';
import { hasEnded } from '../support/fake-job-manager.ts';
import {
  changeVersion,
  deploy,
  stop,
  suspend,
  takeSavepoint,
  untilStable,
  upgrade,
} from '../support/fake-lives.ts';
import { config } from '../support/shared-stack.ts';

vi.setConfig({ maxConcurrency: 30 });

let actors: FakeActors;
beforeAll(async () => {
  actors = await startFakeActors(config);
});
afterAll(() => actors?.close());

const MISFIT = 'Cannot map checkpoint/savepoint state for operator 77fe to the new program';

async function running(name: string, options: Parameters<FakeActors['create']>[1] = {}) {
  const job = actors.create(name, options);
  await deploy(job);
  return { job, before: (await job.row()) as JobRow };
}
const eventsOf = async (job: FakeActor) => (await job.events()).map(({ event }) => event);
const untilVersion = (job: FakeActor, version: string, least: number): Promise<JobRow> =>
  job.until(
    `version ${version} is stable`,
    (row) => row.state === 'stable' && row.version === version && row.attempt >= least,
  );
const statusOf = async (job: FakeActor) => {
  const state = await job.actor.status();
  if (state === undefined) throw new Error(`${job.name} has no actor`);
  return state;
};
/** What the version before was stopped with, and gone back to. */
async function expectBack(job: FakeActor, before: JobRow): Promise<void> {
  const [first] = await job.savepoints();
  expect(first).toMatchObject({ kind: 'suspend', status: 'completed', disposed_at: null });
  expect((await job.row())?.restore_path).toBe(first?.path);
  expect(job.flink.submissions.at(-1)?.properties['table.exec.state.ttl']).toBe(
    job.flink.submissions[0]?.properties['table.exec.state.ttl'],
  );
  expect(job.flink.mostActive()).toBe(1);
  const active = [...job.flink.jobs.values()].filter((one) => !hasEnded(one));
  expect(active.map(({ id }) => id)).toEqual([(await untilVersion(job, before.version, 3)).flink_job_id]);
}

describe.concurrent('an upgrade', () => {
  test('is confirmed once, with its checkpoints, and not before', async () => {
    const { job, before } = await running('confirmed', { policy: { upgradeCheckpoints: 20 } });
    changeVersion(job);
    const { desiredVersion } = await job.command('deploy');
    const after = await untilVersion(job, desiredVersion, 2);
    expect(job.flink.jobs.get(after.flink_job_id)?.completed).toBeGreaterThanOrEqual(20);
    expect((await eventsOf(job)).slice(-5)).toEqual([
      ...['suspendBegun', 'suspended', 'targetRecorded', 'submitted', 'confirmed'],
    ]);
    expect((await statusOf(job)).upgrades).toMatchObject({
      confirmed: desiredVersion,
      previous: { version: before.version, path: after.restore_path },
    });
    await stop(job);
  });

  test('that Flink refuses again and again is rolled back, and told until somebody deploys', async () => {
    const { job, before } = await running('refused-upgrade');
    for (let time = 0; time < 3; time += 1) job.flink.faults.arm('execute', 'HTTP 500');
    changeVersion(job);
    await job.command('deploy');
    await untilVersion(job, before.version, 3);
    await expectBack(job, before);
    const { upgrades } = await statusOf(job);
    expect(upgrades.rejected?.reason).toMatch(/^it failed 3 times before it was confirmed: .*it broke/);
    await eventually(
      'it is told',
      async () => job.notices.at(-1)?.kind,
      (kind) => kind === 'job-rolled-back',
    );
    changeVersion(job);
    const { desiredVersion } = await job.command('deploy');
    await untilVersion(job, desiredVersion, 4);
    await eventually(
      'it is over',
      async () => job.notices.at(-1)?.status,
      (status) => status === 'resolved',
    );
    expect(job.notices).toHaveLength(2);
    await stop(job);
  });

  test('whose state does not fit is rolled back at once, though Flink would go on trying', async () => {
    const { job, before } = await running('misfit', { policy: { upgradeCheckpoints: 100_000 } });
    changeVersion(job);
    const { attempt } = await job.command('deploy');
    const { flink_job_id: id } = await job.until(
      'it is submitted',
      (row) => row.state === 'settling' && row.attempt > attempt,
    );
    job.flink.fail(id, `a.b.C: outer\nCaused by: java.lang.IllegalStateException: ${MISFIT}`, 'RESTARTING');
    await untilVersion(job, before.version, 3);
    await expectBack(job, before);
    expect((await statusOf(job)).upgrades.rejected?.reason).toMatch(
      /^its state does not fit, because .* --shadow$/,
    );
    await stop(job);
  });

  test('that is not confirmed in time is rolled back, with what it lacks', async () => {
    const policy = { upgradeCheckpoints: 100_000, upgradeWithinMs: 1_000 };
    const { job, before } = await running('late', { policy });
    changeVersion(job);
    await job.command('deploy');
    await untilVersion(job, before.version, 3);
    await expectBack(job, before);
    expect((await statusOf(job)).upgrades.rejected?.reason).toMatch(
      /^it was not confirmed within 1 s: \d+ of 100000 checkpoints are completed$/,
    );
    await stop(job);
  });

  test('that was rolled back is not deployed again by a start of the system', async () => {
    const policy = { upgradeCheckpoints: 100_000, upgradeWithinMs: 1_000 };
    const { job, before } = await running('not-again', { policy });
    changeVersion(job);
    const { desiredVersion: rejected } = await job.command('deploy');
    await untilVersion(job, before.version, 3);
    await job.command('park');
    await job.until('it is suspended', ({ state }) => state === 'suspended');
    expect(await job.command('deploy', { isStart: true })).toMatchObject({ desiredVersion: before.version });
    await untilVersion(job, before.version, 4);
    expect(await job.command('deploy')).toMatchObject({ desiredVersion: rejected });
    await stop(job);
  });

  test('that was rolled back is left alone by a start whatever its parallelism, also after another deploy', async () => {
    const { job, before } = await running('left-alone');
    changeVersion(job);
    const { desiredVersion: wide } = await job.command('deploy', { parallelism: 4 });
    await untilVersion(job, wide, 2);
    await job.command('rollback');
    await untilVersion(job, before.version, 3);
    expect((await statusOf(job)).upgrades).toMatchObject({ parallelism: 0, rejected: { version: wide } });
    expect(await job.command('deploy', { isStart: true })).toMatchObject({ desiredVersion: before.version });
    const { desiredVersion: rescaled } = await job.command('deploy', {
      ...{ version: before.version, parallelism: 3 },
    });
    await untilVersion(job, rescaled, 4);
    expect(await job.command('deploy', { isStart: true })).toMatchObject({ desiredVersion: rescaled });
    const { desiredVersion: again } = await job.command('deploy');
    expect([wide, before.version, rescaled]).not.toContain(again);
    await untilVersion(job, again, 5);
    await stop(job);
  });

  test('of a suspended job waits, and starts from the snapshot that the job was suspended with', async () => {
    const { job } = await running('suspended-upgrade');
    const { restore_path: path } = await suspend(job);
    changeVersion(job);
    const { desiredVersion } = await job.command('deploy');
    await job.command('resume');
    const after = await untilVersion(job, desiredVersion, 2);
    expect(after.restore_path).toBe(path);
    expect((await statusOf(job)).upgrades.previous?.path).toBe(path);
    await stop(job);
  });
});

describe.concurrent('what a deploy names to start from', () => {
  test('is what the first version that there ever was starts from', async () => {
    const { job: other } = await running('other-first');
    const { restore_path: from } = await suspend(other);
    await other.command('stop');
    const job = actors.create('named-first');
    await job.command('deploy', { from: from ?? '' });
    await untilStable(job);
    expect(job.flink.submissions.map(({ restorePath }) => restorePath)).toEqual([from]);
    await stop(job);
  });

  test('is what the present version of a suspended job goes on from, and is refused while it runs', async () => {
    const { job } = await running('named-suspended');
    const { restore_path: first } = await suspend(job);
    await job.command('resume');
    const { version } = await untilStable(job, 2);
    const from = first ?? '';
    await expect(job.command('deploy', { from })).rejects.toThrow(
      `version ${version} of named-suspended runs already; to start it from there: hourglass job restart named-suspended --from ${from}`,
    );
    expect((await suspend(job)).restore_path).not.toBe(from);
    await job.command('deploy', { from });
    await job.command('resume');
    expect((await untilStable(job, 3)).restore_path).toBe(from);
    await stop(job);
  });
});

test('a confirmed version whose checkpoints are lost with its JobManager is never started from nothing', async () => {
  const { job } = await running('lost-state');
  changeVersion(job);
  const { desiredVersion } = await job.command('deploy', { upgradeMode: 'stateless', acceptStateLoss: true });
  const { flink_job_id: id } = await untilVersion(job, desiredVersion, 2);
  expect(await eventsOf(job)).toContain('confirmed');
  job.flink.loseJobManager();
  job.flink.snapshots.remove(`${job.flink.snapshots.checkpoints}/${id}`);
  await untilVersion(job, desiredVersion, 3);
  const [left] = await job.savepoints();
  expect(job.flink.submissions.map(({ restorePath }) => restorePath)).toEqual(['', '', left?.path]);
  expect((await job.events()).findLast(({ event }) => event === 'targetRecorded')?.reason).toMatch(
    /is gone; the newest that is left is older: /,
  );
  await stop(job);
});

describe.concurrent('an actor that was ended by hand', () => {
  test('while a new version has to be confirmed is followed by one that confirms it', async () => {
    const { job } = await running('ended-pending', { policy: { upgradeCheckpoints: 60 } });
    changeVersion(job);
    const { desiredVersion } = await job.command('deploy');
    await job.until('it is settling', (row) => row.state === 'settling' && row.version === desiredVersion);
    await job.terminate();
    await job.command('resume');
    const after = await untilVersion(job, desiredVersion, 2);
    expect([after.attempt, await eventsOf(job)]).toEqual([2, expect.arrayContaining(['confirmed'])]);
    await stop(job);
  });

  test('while it goes back is followed by one that goes back to the same snapshot', async () => {
    const { job, before } = await running('ended-rolling-back', {
      ...{ policy: { upgradeCheckpoints: 100_000, upgradeWithinMs: 1_000 }, times: { cancelMs: 3_000 } },
    });
    changeVersion(job);
    await job.command('deploy');
    await job.until(
      'it goes back',
      (row) => row.state === 'suspending' && row.attempt === 2 && row.version !== before.version,
    );
    await job.terminate();
    await job.command('resume');
    await untilVersion(job, before.version, 3);
    await expectBack(job, before);
    await stop(job);
  });
});

describe.concurrent('rollback', () => {
  test('of a version that is not confirmed yet leaves it at once', async () => {
    const { job, before } = await running('by-hand-early', { policy: { upgradeCheckpoints: 100_000 } });
    changeVersion(job);
    const { desiredVersion } = await job.command('deploy');
    await job.until('it is settling', (row) => row.state === 'settling' && row.version === desiredVersion);
    expect(await job.command('rollback')).toMatchObject({ desiredVersion: before.version });
    await untilVersion(job, before.version, 3);
    await expectBack(job, before);
    expect((await statusOf(job)).upgrades.rejected).toMatchObject({
      version: desiredVersion,
      isByCommand: true,
    });
    expect(job.notices).toEqual([]);
    await stop(job);
  });

  test('of a confirmed version is not taken away by savepoints that are taken since', async () => {
    const { job, before } = await running('kept-for-long');
    const { restore_path: path } = await upgrade(job);
    for (let time = 0; time < 3; time += 1) await takeSavepoint(job);
    await job.command('rollback');
    const after = await untilVersion(job, before.version, 3);
    expect(after.restore_path).toBe(path);
    await stop(job);
  });

  test('is refused with a sentence where there is no version before, or its snapshot is gone', async () => {
    const { job } = await running('nowhere');
    const refused = job.command('rollback');
    await expect(refused).rejects.toThrow(CommandRefusedError);
    await expect(refused).rejects.toThrow('there is no version of nowhere before this one to go back to');
    changeVersion(job);
    const { desiredVersion } = await job.command('deploy');
    const { restore_path: path } = await untilVersion(job, desiredVersion, 2);
    job.flink.snapshots.remove(path ?? '');
    await expect(job.command('rollback')).rejects.toThrow(
      `nowhere cannot start from ${path}, which holds no snapshot`,
    );
    expect(await statusOf(job)).toMatchObject({ desiredVersion, phase: 'stable' });
    await stop(job);
  });
});

test('the snapshot that a rollback needs is kept, however many savepoints are taken before the confirmation', async () => {
  const { job, before } = await running('kept', {
    policy: { upgradeCheckpoints: 100_000, savepointsKept: 1 },
  });
  changeVersion(job);
  await job.command('deploy');
  const { restore_path: path } = await job.until(
    'it is settling',
    (row) => row.state === 'settling' && row.attempt === 2,
  );
  await suspend(job);
  await job.command('resume');
  await job.until('it is settling again', (row) => row.state === 'settling' && row.attempt === 3);
  await job.command('rollback');
  const after = await untilVersion(job, before.version, 4);
  expect(after.restore_path).toBe(path);
  await untilStable(job);
  await stop(job);
});
