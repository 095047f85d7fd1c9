import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DESIRED_STATES, JOB_PHASES, type JobState, jobStateSchema, upgradesSchema } from '../schemas/job.ts';
import {
  goalOf,
  runsAsDesired,
  type StateCommandName,
  savepointStanding,
  standingOf,
} from './job-waiting.ts';

const COMMANDS: readonly StateCommandName[] = ['deploy', 'rollback', 'suspend', 'resume', 'restart', 'stop'];

const stateWith = (fields: Partial<JobState>): JobState =>
  jobStateSchema.parse({
    name: 'counting',
    phase: 'stable',
    desiredVersion: 'v2',
    version: 'v2',
    attempt: 4,
    jobId: 'a'.repeat(32),
    ...fields,
  });

describe('the goal of a command', () => {
  test('is to run for deploy, rollback, resume and restart, and to rest for suspend and stop', () => {
    const targets = COMMANDS.map((command) => goalOf(command, stateWith({})).target);
    expect(targets).toEqual(['running', 'running', 'suspended', 'running', 'running', 'stopped']);
  });

  test.each(['deploy', 'rollback'] as const)(
    'of a %s of a suspended job is that it stays suspended',
    (command) => {
      const state = stateWith({ desired: 'suspended', phase: 'suspended', desiredVersion: 'v3' });
      const goal = goalOf(command, state);
      expect(goal.target).toBe('suspended');
      expect(standingOf(goal, state)).toEqual({ end: 'reached' });
    },
  );

  test('of a restart is a later submission, while the restart is still to be carried out', () => {
    expect(goalOf('restart', stateWith({ restart: { from: '' } })).attempt).toBe(5);
  });

  test('of a restart that was repeated after its submission began is that submission', () => {
    expect(goalOf('restart', stateWith({})).attempt).toBe(4);
  });
});

describe('a command that is followed', () => {
  test('stands somewhere in every phase, whatever is desired and whatever the command was', () => {
    const states = fc.record({
      phase: fc.constantFrom(...JOB_PHASES),
      desired: fc.constantFrom(...DESIRED_STATES),
      isParked: fc.boolean(),
      version: fc.constantFrom('', 'v1', 'v2'),
      desiredVersion: fc.constantFrom('', 'v1', 'v2'),
      attempt: fc.nat(5),
      reason: fc.constantFrom('', 'no disk'),
      restart: fc.option(fc.record({ from: fc.constantFrom('', 'file:/savepoint') }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...COMMANDS), states, states, (command, recorded, later) => {
        const goal = goalOf(command, stateWith(recorded));
        const standing = standingOf(goal, stateWith(later));
        if (standing.end === 'reached') {
          expect(later.phase).toBe(goal.target === 'running' ? 'stable' : goal.target);
          expect(later.desired).toBe(goal.target);
        }
        if (standing.end === 'failed' || standing.end === 'overtaken') expect(standing.reason).not.toBe('');
      }),
    );
  });

  test('of a version that was rolled back says so, and why, whatever the version before does', () => {
    const goal = goalOf('deploy', stateWith({ desiredVersion: 'v2', version: 'v1' }));
    const rejected = { version: 'v2', reason: 'it was late', atMs: 1, isByCommand: false };
    const upgrades = upgradesSchema.parse({ confirmed: 'v1', rejected });
    for (const phase of JOB_PHASES)
      expect(standingOf(goal, stateWith({ phase, desiredVersion: 'v1', version: 'v1', upgrades }))).toEqual({
        end: 'rolledBack',
        reason: 'it was late',
      });
    const again = stateWith({ phase: 'settling', desiredVersion: 'v2', version: 'v2', upgrades });
    expect(standingOf(goal, again)).toEqual({ end: 'underWay' });
  });

  test('is under way in every phase but its last, and a job that is to run has failed when it is failing', () => {
    const ends = (command: StateCommandName, desired: JobState['desired']) =>
      Object.fromEntries(
        JOB_PHASES.map((phase) => [
          phase,
          standingOf(goalOf(command, stateWith({ desired })), stateWith({ desired, phase })).end,
        ]).filter(([, end]) => end !== 'underWay'),
      );
    expect(ends('resume', 'running')).toEqual({ stable: 'reached', failing: 'failed', stopped: 'failed' });
    expect(ends('suspend', 'suspended')).toEqual({ suspended: 'reached', stopped: 'failed' });
    expect(ends('stop', 'stopped')).toEqual({ stopped: 'reached' });
  });

  test('is not at its end while the version before still runs', () => {
    const goal = goalOf('deploy', stateWith({ version: 'v1' }));
    expect(standingOf(goal, stateWith({ version: 'v1' }))).toEqual({ end: 'underWay' });
    expect(standingOf(goal, stateWith({ version: 'v2' }))).toEqual({ end: 'reached' });
  });

  test('is not at its end while the submission before a restart still runs', () => {
    const asked = stateWith({ restart: { from: '' } });
    const goal = goalOf('restart', asked);
    expect(standingOf(goal, asked)).toEqual({ end: 'underWay' });
    expect(standingOf(goal, stateWith({ attempt: 5 }))).toEqual({ end: 'reached' });
  });

  test('is overtaken by a command that wants something else, and the reason says what', () => {
    const goal = goalOf('deploy', stateWith({}));
    expect(standingOf(goal, stateWith({ desired: 'suspended' }))).toEqual({
      end: 'overtaken',
      reason: 'another command wants it suspended',
    });
    expect(standingOf(goal, stateWith({ desiredVersion: 'v3' }))).toEqual({
      end: 'overtaken',
      reason: 'another deploy wants version v3',
    });
    expect(standingOf(goal, stateWith({ isParked: true }))).toMatchObject({ end: 'overtaken' });
  });

  test('has failed with the reason of the job, or with what its phase means where it gave none', () => {
    const goal = goalOf('resume', stateWith({}));
    expect(standingOf(goal, stateWith({ phase: 'failing', reason: 'the table is gone' }))).toEqual({
      end: 'failed',
      reason: 'it is failing: the table is gone',
    });
    expect(standingOf(goal, stateWith({ phase: 'failing' }))).toEqual({
      end: 'failed',
      reason: expect.stringMatching(/^it is failing: Recovery has used up its budget/),
    });
  });
});

describe('a job', () => {
  test('runs as desired when all there is to do is to watch it', () => {
    expect(runsAsDesired(stateWith({}), 0)).toBe(true);
    expect(runsAsDesired(stateWith({ phase: 'settling' }), 0)).toBe(true);
    expect(runsAsDesired(stateWith({ version: 'v1' }), 0)).toBe(false);
    expect(runsAsDesired(stateWith({ restart: { from: '' } }), 0)).toBe(false);
    expect(runsAsDesired(stateWith({ desired: 'suspended' }), 0)).toBe(false);
    expect(runsAsDesired(stateWith({ phase: 'recovering' }), 0)).toBe(false);
  });
});

describe('a savepoint that was asked for', () => {
  const triggerId = 'b'.repeat(32);
  const waiting = stateWith({ savepointRequests: [{ triggerId, kind: 'manual' }] });
  const row = (status: string, error: string | null = null) => ({ status, path: null, error });

  test('is at its end when its row says so, also when the actor does not answer', () => {
    for (const state of [waiting, undefined]) {
      expect(savepointStanding(triggerId, state, row('completed'))).toEqual({ end: 'reached' });
      expect(savepointStanding(triggerId, state, row('failed', 'no disk'))).toEqual({
        end: 'failed',
        reason: 'it failed: no disk',
      });
      expect(savepointStanding(triggerId, state, row('abandoned'))).toMatchObject({ end: 'failed' });
    }
  });

  test('is under way while it waits, is pending, or is in progress', () => {
    expect(savepointStanding(triggerId, waiting, undefined)).toEqual({ end: 'underWay' });
    expect(savepointStanding(triggerId, undefined, undefined)).toEqual({ end: 'underWay' });
    expect(savepointStanding(triggerId, stateWith({}), row('pending'))).toEqual({ end: 'underWay' });
    expect(savepointStanding(triggerId, stateWith({}), row('in_progress'))).toEqual({ end: 'underWay' });
  });

  test('has failed when the job was stopped before it could be taken, or when a person must help the job first', () => {
    expect(savepointStanding(triggerId, stateWith({ phase: 'suspended' }), undefined)).toMatchObject({
      end: 'failed',
      reason: expect.stringContaining('suspended'),
    });
    expect(
      savepointStanding(triggerId, { ...waiting, phase: 'failing', reason: 'no disk' }, undefined),
    ).toEqual({
      end: 'failed',
      reason: 'the job is failing: no disk',
    });
  });
});
