/** What the job of an actor goes through, told by commands, and what must be true of it afterwards whatever went wrong. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { CommandRefusedError } from '../../clients/job-actor.ts';
import { eventually } from './eventually.ts';
import type { FakeActor, JobRow } from './fake-actors.ts';
import type { FakeSubmission } from './fake-flink.ts';
import { hasEnded } from './fake-job-manager.ts';

/** What the actor believes, and Flink too: a moment after a loss they differ. */
export const untilStable = (job: FakeActor, least = 0): Promise<JobRow> =>
  job.until(
    `submission ${least} or a later one is stable`,
    ({ state, attempt, flink_job_id: id }) =>
      state === 'stable' && attempt >= least && job.flink.jobs.get(id)?.state === 'RUNNING',
  );

export async function deploy(job: FakeActor): Promise<void> {
  await job.command('deploy');
  await untilStable(job);
}

/** Takes a savepoint, asking again as a person would when it fails. @returns its trigger id and its path */
export async function takeSavepoint(job: FakeActor): Promise<{ triggerId: string; path: string }> {
  for (let time = 0; time < 6; time += 1) {
    const triggerId = randomBytes(16).toString('hex');
    await untilStable(job);
    try {
      await job.command('savepoint', { triggerId });
    } catch (error) {
      // It was lost in this moment: it recovers, and can be asked again.
      if (error instanceof CommandRefusedError) continue;
      throw error;
    }
    const row = await savepointEnded(job, triggerId);
    if (row.status === 'completed' && row.path !== null) return { triggerId, path: row.path };
  }
  throw new Error(`${job.name} completes no savepoint`);
}

export const savepointEnded = async (job: FakeActor, triggerId: string) => {
  const rows = await eventually(
    `${job.name}: the savepoint ${triggerId} ends`,
    () => job.savepoints(),
    (all) => all.some((row) => row.trigger_id === triggerId && isFinal(row.status)),
    { everyMs: 250 },
  );
  const row = rows.find(({ trigger_id: id }) => id === triggerId);
  if (row === undefined) throw new Error('unreachable: it was there');
  return row;
};

export async function suspend(job: FakeActor): Promise<JobRow> {
  await job.command('suspend');
  return job.until('it is suspended', ({ state }) => state === 'suspended');
}

/** Gives a command that brings another submission, and waits until that is stable. */
export async function resubmit(job: FakeActor, command: () => Promise<unknown>): Promise<JobRow> {
  const before = await job.row();
  await command();
  return untilStable(job, (before?.attempt ?? 0) + 1);
}

/** The next deploy finds another version. */
export function changeVersion(job: FakeActor): void {
  job.definition.settings['table.exec.state.ttl'] = randomBytes(6).toString('hex');
}

/** Deploys another version, and waits until it is confirmed. */
export async function upgrade(job: FakeActor): Promise<JobRow> {
  changeVersion(job);
  const { desiredVersion } = await job.command('deploy');
  return job.until(
    `version ${desiredVersion} is confirmed`,
    ({ state, version }) => state === 'stable' && version === desiredVersion,
  );
}

/** Deploys a version that is never confirmed, and waits until the one before is stable again, from what it has left itself. */
export async function failedUpgrade(job: FakeActor): Promise<void> {
  const before = await job.row();
  changeVersion(job);
  await job.command('deploy');
  const after = await job.until(
    `version ${before?.version} is back`,
    ({ state, version, attempt }) =>
      state === 'stable' && version === before?.version && attempt > before.attempt + 1,
  );
  const { submissions } = job.flink;
  const isBefore = ({ properties }: FakeSubmission): boolean =>
    properties['table.exec.state.ttl'] === undefined;
  // A savepoint, or a checkpoint where the version before was lost before it could be stopped: in either case its own.
  const own = submissions.filter(isBefore);
  const back = submissions.find(({ jobId }) => jobId === after.flink_job_id);
  expect(back !== undefined && isBefore(back)).toBe(true);
  expect(own.map(({ jobId }) => jobId)).toContain(back?.from?.jobId);
  expect((await job.events()).map(({ event }) => event)).toContain('rolledBack');
  expect(after.attempt).toBeGreaterThan(2);
  expect(job.flink.mostActive()).toBe(1);
  expect(job.flink.faults.armed()).toEqual([]);
}

export async function stop(job: FakeActor): Promise<void> {
  await job.command('stop');
  await job.until('it is stopped', ({ state }) => state === 'stopped');
}

export const STAGES = ['deploy', 'savepoint', 'suspend', 'resume', 'replace', 'restart', 'stop'] as const;
/** The reference life has no upgrade: that would be another version in each of its later stages. */
export type Stage = (typeof STAGES)[number] | 'upgrade';

/**
 * Goes through the stages in their order; the second savepoint makes the first superfluous, and the restart goes on from it.
 * @param before is called before each stage, to arm what is to go wrong there
 */
export async function referenceLife(
  job: FakeActor,
  before: (stage: Stage) => void,
  stages: readonly Stage[] = STAGES,
): Promise<void> {
  let second: Awaited<ReturnType<typeof takeSavepoint>> | undefined;
  const carryOut: Readonly<Record<Stage, () => Promise<unknown>>> = {
    deploy: () => deploy(job),
    savepoint: () => takeSavepoint(job),
    suspend: () => suspend(job),
    resume: () => resubmit(job, () => job.command('resume')),
    upgrade: () => upgrade(job),
    replace: async () => {
      second = await takeSavepoint(job);
    },
    restart: () => resubmit(job, () => job.command('restart', { from: second?.triggerId })),
    stop: () => stop(job),
  };
  for (const stage of stages) {
    before(stage);
    await carryOut[stage]();
  }
  if (stages.includes('restart'))
    expect(job.flink.submissions.map(({ restorePath }) => restorePath)).toContain(second?.path);
  await expectNothingLost(job, second?.path);
}

/** A job that fails, is lost with its JobManager, is cancelled by somebody else, and is too ill for a savepoint. */
export async function illLife(job: FakeActor): Promise<void> {
  await deploy(job);
  const { flink } = job;
  const current = async (): Promise<string> => (await job.row())?.flink_job_id ?? '';
  const failing = await current();
  await resubmit(job, async () => flink.fail(failing, 'a.b.JobException: outer\nCaused by: c.D: no memory'));
  await resubmit(job, async () => flink.loseJobManager());
  const cancelled = await current();
  await resubmit(job, async () => flink.end(cancelled, 'CANCELED'));
  flink.faults.arm('stop with a savepoint', 'savepoint fails');
  await suspend(job);
  await resubmit(job, () => job.command('resume'));
  await stop(job);
  await expectNothingLost(job);
}

/** @param commanded the snapshot that was asked for by name: for once, it need not be the newest */
export async function expectNothingLost({ flink, ...job }: FakeActor, commanded?: string): Promise<void> {
  expect(flink.faults.armed()).toEqual([]);
  expect(flink.mostActive()).toBe(1);
  expect(flink.triggeredTwice).toEqual([]);
  const asCommanded = flink.submissions.findIndex(({ restorePath }) => restorePath === commanded);
  for (const [index, { from, newest, jobId }] of flink.submissions.entries()) {
    const least = index === asCommanded ? from : newest;
    expect([jobId, from?.lineage ?? 0]).toEqual([jobId, Math.max(from?.lineage ?? 0, least?.lineage ?? 0)]);
  }
  expect([...flink.jobs.values()].filter((one) => !hasEnded(one))).toEqual([]);
  const statuses = (await job.savepoints()).map(({ status }) => status);
  expect(statuses.filter((status) => !isFinal(status))).toEqual([]);
  const sequences = (await job.events()).map(({ sequence }) => sequence);
  expect(sequences).toEqual(sequences.map((_, index) => index + 1));
}

const isFinal = (status: string): boolean => ['completed', 'failed', 'abandoned'].includes(status);
