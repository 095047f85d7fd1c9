/** A process is killed at each step of an upgrade, under load, on two TaskManagers: the upgrade ends, and everything is true. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFlinkRestClient, type FlinkRestClient } from '../../clients/flink-rest.ts';
import { jobActor } from '../../clients/job-actor.ts';
import { flinkRestUrl } from '../../config/addresses.ts';
import { hasEnded } from '../../domain/job-health.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { JobState, UpgradeMode } from '../../schemas/job.ts';
import { fastCheckpoints, recordChangedVersion } from '../support/changed-versions.ts';
import { type CheckedLoad, createCheckedLoad } from '../support/checked-load.ts';
import { eventually } from '../support/eventually.ts';
import { killService } from '../support/killed-services.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';
import { shrunkenHours, watchForShrunkenHours } from '../support/shrunken-hours.ts';

const job = weather.job.name;
const PER_SECOND = 200;
const RECOVERY_MS = 240_000;
/** More than one TaskManager has slots for. */
const WIDE = 6;
const NARROW = 2;
/** Decides who is killed at which step. Another one is as good. */
const SEED = 20_261_129;

const VICTIMS = ['worker', 'flink-taskmanager', 'flink-jobmanager'] as const;
const STEPS = [
  'before the savepoint',
  'while the savepoint is in flight',
  'after the submission',
  'before the confirmation',
] as const;
type Step = (typeof STEPS)[number];
const MODES: readonly UpgradeMode[] = ['savepoint', 'savepoint', 'checkpoint', 'stateless'];

/** Each victim once, in an order that the seed decides, and then anew. */
const plan = STEPS.map((step, index) => {
  const first = (SEED >> 3) % VICTIMS.length;
  const victim = VICTIMS[(first + index * (1 + (SEED % 2))) % VICTIMS.length] ?? VICTIMS[0];
  return { step, victim, mode: MODES[index] ?? 'savepoint', parallelism: index % 2 === 0 ? WIDE : NARROW };
});

let stack: OwnStack;
let checked: CheckedLoad;
let rest: FlinkRestClient;
let version = '';

const actor = <T>(ask: (door: ReturnType<typeof jobActor>) => Promise<T>): Promise<T> =>
  stack.withTemporal((client) => ask(jobActor(client, job)));
const state = async (): Promise<JobState> => {
  const found = await actor((door) => door.status());
  if (found === undefined) throw new Error('the job has no actor');
  return found;
};
const confirmed = (parallelism: number): Promise<JobState> =>
  eventually(
    `version ${version} is confirmed with parallelism ${parallelism}`,
    state,
    ({ phase, version: its, desiredVersion, upgrades }) =>
      phase === 'stable' &&
      its === desiredVersion &&
      upgrades.confirmed === its &&
      upgrades.parallelism === parallelism,
    { withinMs: RECOVERY_MS },
  );
const say = (text: string): void => console.log(`  ${text}`);

beforeAll(async () => {
  stack = await startOwnStack({ FLINK_TASK_MANAGERS: '2' });
  checked = createCheckedLoad(stack);
  rest = createFlinkRestClient(flinkRestUrl(stack.config));
  for (const statement of watchForShrunkenHours) await stack.sql(statement);
  const own = await eventually('it is stable', state, ({ phase }) => phase === 'stable', {
    withinMs: RECOVERY_MS,
  });
  version = await recordChangedVersion(stack, job, own.version, { settings: fastCheckpoints });
  await actor((door) => door.command('deploy', { commandId: 'fast', version, parallelism: NARROW }));
  await confirmed(NARROW);
});
afterAll(async () => {
  await checked?.close();
  await stack?.close();
});

/** Returns when the upgrade of the job that ran as `before` has come to the step. */
const reached: Readonly<Record<Step, (before: JobState) => Promise<unknown>>> = {
  'before the savepoint': async () => undefined,
  'while the savepoint is in flight': ({ jobId }) =>
    eventually(
      'its savepoint is on record',
      () => stack.sql(`select from savepoints where kind = 'suspend' and flink_job_id = '${jobId}'`),
      (rows) => rows.length > 0,
      { everyMs: 5 },
    ),
  'after the submission': ({ attempt }) =>
    eventually(
      'Flink has it',
      async () => {
        const now = await state();
        return now.attempt > attempt && (await rest.job(now.jobId)) !== undefined;
      },
      (has) => has,
      { everyMs: 20 },
    ),
  'before the confirmation': ({ attempt }) =>
    eventually(
      'it has completed a checkpoint',
      async () => {
        const now = await state();
        return now.attempt > attempt ? (await rest.checkpoints(now.jobId)).completed : 0;
      },
      (completed) => completed > 0,
      { everyMs: 50 },
    ),
};

describe('an upgrade ends, confirmed and true, when', () => {
  test.each(plan)('$step the $victim is killed ($mode, to parallelism $parallelism)', async (one) => {
    const { step, victim, mode, parallelism } = one;
    const before = await state();
    await checked.begin(PER_SECOND);
    const first = await checked.stored();
    await eventually('rows are being stored', checked.stored, (rows) => rows > first + PER_SECOND);
    const startedAt = Date.now();
    const acceptStateLoss = mode === 'stateless';
    const given = { commandId: step, version, parallelism, upgradeMode: mode, acceptStateLoss };
    await actor((door) => door.command('deploy', given));
    await reached[step](before);
    const { untilBack } = await killService(stack, victim, RECOVERY_MS);
    const after = await confirmed(parallelism);
    say(`${step}, ${victim}: confirmed after ${((Date.now() - startedAt) / 1_000).toFixed(1)} s`);
    await untilBack;
    await checked.pause();
    await checked.untilAllRead(RECOVERY_MS);
    say(`nothing was stored for ${(await checked.longestPause(startedAt)).toFixed(1)} s at most`);
    const { observations, hours } = await checked.expectTruth();
    say(`${observations} observations and ${hours} hours are true`);
    expect(await stack.sql(shrunkenHours)).toEqual([]);
    expect(after.attempt).toBeGreaterThan(before.attempt);
    const active = (await rest.jobs()).filter(({ name, state: its }) => name === job && !hasEnded(its));
    expect(active.map(({ id }) => id)).toEqual([after.jobId]);
    const { slots, freeSlots } = await rest.overview();
    expect([slots, slots - freeSlots]).toEqual([8, parallelism]);
  });
});
