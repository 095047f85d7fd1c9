import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFlinkRestClient, type FlinkRestClient } from '../../clients/flink-rest.ts';
import { jobActor } from '../../clients/job-actor.ts';
import { flinkRestUrl } from '../../config/addresses.ts';
import { hasEnded } from '../../domain/job-health.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import type { JobState } from '../../schemas/job.ts';
import { type CheckedLoad, createCheckedLoad } from '../support/checked-load.ts';
import { eventually } from '../support/eventually.ts';
import { killService } from '../support/killed-services.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';

const job = weather.job.name;
const PER_SECOND = 300;
const RECOVERY_MS = 240_000;

let stack: OwnStack;
let checked: CheckedLoad;
let rest: FlinkRestClient;

beforeAll(async () => {
  stack = await startOwnStack();
  checked = createCheckedLoad(stack);
  rest = createFlinkRestClient(flinkRestUrl(stack.config));
});
afterAll(async () => {
  await checked?.close();
  await stack?.close();
});

const actor = <T>(ask: (door: ReturnType<typeof jobActor>) => Promise<T>): Promise<T> =>
  stack.withTemporal((client) => ask(jobActor(client, job)));
const state = async (): Promise<JobState> => {
  const found = await actor((door) => door.status());
  if (found === undefined) throw new Error('the job has no actor');
  return found;
};
const untilStable = (holds: (found: JobState) => boolean = () => true): Promise<JobState> =>
  eventually('the job is stable', state, (found) => found.phase === 'stable' && holds(found), {
    withinMs: RECOVERY_MS,
  });
const kill = (prefix: string) => killService(stack, prefix, RECOVERY_MS);

/** A figure for whoever runs this by hand. */
const say = (text: string): void => console.log(`  ${text}`);
const since = (startedAt: number): string => `${((Date.now() - startedAt) / 1_000).toFixed(1)} s`;

/** Records are on their way when it begins; afterwards everything that was published stands in the tables, and is true. */
async function underLoad(
  what: string,
  failure: () => Promise<void>,
  recovered: () => Promise<unknown>,
): Promise<void> {
  await checked.begin(PER_SECOND);
  const first = await checked.stored();
  await eventually('rows are being stored', checked.stored, (rows) => rows > first + PER_SECOND);
  const startedAt = Date.now();
  await failure();
  await Promise.all([checked.untilStoredAgain(RECOVERY_MS), recovered()]);
  say(`${what}: recovered after ${since(startedAt)}`);
  await checked.pause();
  await checked.untilAllRead(RECOVERY_MS);
  say(`${what}: nothing was stored for ${(await checked.longestPause(startedAt)).toFixed(1)} s at most`);
  const { observations, hours } = await checked.expectTruth();
  say(`${what}: ${observations} observations and ${hours} hours are true`);
  const active = (await rest.jobs()).filter(({ name, state: its }) => name === job && !hasEnded(its));
  expect(active.map(({ id }) => id)).toEqual([(await state()).jobId]);
}

describe('the job goes on, nothing lost and nothing doubled, when', () => {
  test('the TaskManager is killed: Flink restarts the job by itself', async () => {
    const before = await untilStable();
    const restarts = async () => (await rest.exceptions(before.jobId)).length;
    const known = await restarts();
    await underLoad(
      'TaskManager',
      async () => void (await kill('flink-taskmanager')),
      async () => {
        // The actor, which looks every two seconds, may miss a restart as short as that; Flink remembers each.
        await eventually('Flink has restarted it', restarts, (count) => count > known);
        await untilStable();
      },
    );
    expect(await state()).toMatchObject({ attempt: before.attempt, jobId: before.jobId });
  });

  test('the JobManager is killed: the job is unknown to the next, and goes on from its newest checkpoint', async () => {
    const before = await untilStable();
    await underLoad(
      'JobManager',
      async () => void (await kill('flink-jobmanager')),
      () => untilStable(({ attempt }) => attempt > before.attempt),
    );
    const after = await state();
    expect(after.restorePath).toContain(`/${before.jobId}/chk-`);
    expect(after.attempt).toBe(before.attempt + 1);
  });

  test('the gateway is killed in the middle of a submission: the submission goes on', async () => {
    const before = await untilStable();
    await underLoad(
      'gateway',
      async () => {
        await actor((door) => door.command('restart', { commandId: 'gateway' }));
        await eventually('it is being submitted', state, ({ phase }) => phase === 'submitting', {
          everyMs: 20,
        });
        expect(await rest.job((await state()).jobId)).toBeUndefined();
        await kill('flink-gateway');
      },
      () => untilStable(({ attempt }) => attempt > before.attempt),
    );
    expect((await state()).attempt).toBe(before.attempt + 1);
  });

  test('the worker is killed in the middle of a savepoint: the savepoint is taken once, and is whole', async () => {
    const before = await untilStable();
    const triggerId = 'ab'.repeat(16);
    const savepoint = async () =>
      (
        await stack.sql<{ status: string; path: string }>(
          `select status, path from savepoints where trigger_id = '${triggerId}'`,
        )
      )[0];
    await underLoad(
      'worker',
      async () => {
        await actor((door) => door.command('savepoint', { commandId: 'worker', triggerId }));
        const open = await eventually('the savepoint is on record', savepoint, (row) => row !== undefined, {
          everyMs: 5,
        });
        await kill('worker');
        expect(['pending', 'in_progress']).toContain(open?.status);
      },
      () =>
        eventually('the savepoint is completed', savepoint, (row) => row?.status === 'completed', {
          withinMs: RECOVERY_MS,
        }),
    );
    expect(await state()).toMatchObject({ attempt: before.attempt, jobId: before.jobId });
    await actor((door) => door.command('restart', { commandId: 'from it', from: triggerId }));
    const after = await untilStable(({ attempt }) => attempt > before.attempt);
    expect(after.restorePath).toBe((await savepoint())?.path);
    await checked.expectTruth();
  });

  test('Temporal is killed: the job does not notice, and the actor takes commands again', async () => {
    const before = await untilStable();
    let untilBack: Promise<unknown> = Promise.resolve();
    await underLoad(
      'Temporal',
      async () => {
        ({ untilBack } = await kill('temporal'));
      },
      async () => {
        await untilBack;
        await eventually(
          'a command is taken',
          () => actor((door) => door.command('resume', { commandId: 'after the kill' })),
          () => true,
          { withinMs: RECOVERY_MS },
        );
      },
    );
    expect(await untilStable()).toMatchObject({ attempt: before.attempt, jobId: before.jobId });
  });

  test('it is suspended and resumed: it goes on from the savepoint', async () => {
    const before = await untilStable();
    await checked.begin(PER_SECOND);
    await delay(2_000);
    const startedAt = Date.now();
    await actor((door) => door.command('suspend', { commandId: 'suspend' }));
    const suspended = await eventually('it is suspended', state, ({ phase }) => phase === 'suspended');
    say(`suspended after ${since(startedAt)}`);
    await actor((door) => door.command('resume', { commandId: 'resume' }));
    await untilStable(({ attempt }) => attempt === before.attempt + 1);
    await checked.pause();
    await checked.untilAllRead(RECOVERY_MS);
    say(`suspend and resume: nothing was stored for ${(await checked.longestPause(startedAt)).toFixed(1)} s`);
    await checked.expectTruth();
    expect(await state()).toMatchObject({ restorePath: suspended.restorePath, attempt: before.attempt + 1 });
    expect(suspended.restorePath).toContain('/savepoints/');
  });
});
