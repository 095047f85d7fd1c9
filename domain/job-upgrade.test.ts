/** Tests of what becomes of a new version; how it goes together with the phases is in `job-machine-sequences.test.ts`. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  JOB_PHASES,
  type JobState,
  jobStateSchema,
  NOTHING,
  type Upgrades,
  upgradesSchema,
} from '../schemas/job.ts';
import {
  type AskedVersion,
  commandedDeploy,
  commandedRollback,
  confirmedUpgrades,
  isGivenUp,
  isUnconfirmed,
  pausedUpgrade,
  planUpgrade,
  rolledBack,
  snapshotsInUse,
  startOfUpgrade,
  submittedUpgrade,
  upgradeAfterFailure,
  upgradeAfterLook,
  withSnapshot,
} from './job-upgrade.ts';

const own = 'file:/savepoints/of-v1';
const MISFIT =
  'IllegalStateException: Cannot map checkpoint/savepoint state for operator 77fe to the new program';

const stateWith = (change: Partial<JobState> = {}): JobState => ({
  ...jobStateSchema.parse({
    name: 'stream',
    phase: 'stable',
    version: 'v1',
    desiredVersion: 'v1',
    restorePath: own,
  }),
  upgrades: upgradesSchema.parse({ confirmed: 'v1' }),
  ...change,
});
const asked = (version: string, change: Partial<AskedVersion> = {}): AskedVersion => ({
  ...{ version, mode: 'savepoint', from: '', parallelism: 0, isRejected: false },
  ...change,
});

const { policy } = stateWith();

/** v2 is submitted and has to be confirmed; v1 was stopped with its savepoint. */
function submitted(change: Partial<JobState> = {}): JobState {
  const planned = planUpgrade(stateWith(), asked('v2'));
  const upgrades = submittedUpgrade(
    withSnapshot({ version: 'v1', upgrades: planned }, own),
    'v2',
    1_000,
    policy,
  );
  return stateWith({ phase: 'settling', version: 'v2', desiredVersion: 'v2', upgrades, ...change });
}

const given = (state: JobState, upgrades: Upgrades): JobState => ({ ...state, upgrades });

describe('a deploy', () => {
  test('of another version has to be confirmed, and names the version to go back to', () => {
    expect(planUpgrade(stateWith(), asked('v2')).pending).toEqual({
      ...{ version: 'v2', mode: 'savepoint', from: '', deadlineMs: 0, failures: 0, givenUp: '' },
      previous: { version: 'v1', parallelism: 0 },
    });
  });

  test('of what runs changes nothing but the parallelism to keep', () => {
    expect(planUpgrade(stateWith(), asked('v1', { parallelism: 3 }))).toEqual({
      ...stateWith().upgrades,
      parallelism: 3,
    });
    const state = submitted();
    expect(planUpgrade(state, asked('v2'))).toEqual(state.upgrades);
  });

  test('of the first version that there ever was has none to go back to', () => {
    const fresh = stateWith({ phase: 'new', version: '', upgrades: upgradesSchema.parse({}) });
    expect(planUpgrade(fresh, asked('v1')).pending).toBeUndefined();
    const unproven = stateWith({ phase: 'recovering', upgrades: upgradesSchema.parse({}) });
    expect(planUpgrade(unproven, asked('v2')).pending).toBeUndefined();
  });

  test('takes a version that was stable before there were confirmations as the one to go back to', () => {
    const earlier = stateWith({ upgrades: upgradesSchema.parse({}) });
    expect(planUpgrade(earlier, asked('v2')).pending?.previous.version).toBe('v1');
  });

  test('of a suspended job goes back to the snapshot that the job was suspended with', () => {
    const { pending } = planUpgrade(stateWith({ phase: 'suspended' }), asked('v2'));
    expect(pending?.previous.path).toBe(own);
  });

  test('of a third version, while the second is not confirmed, still goes back to the first', () => {
    const { pending } = planUpgrade(submitted(), asked('v3'));
    expect(pending).toMatchObject({ version: 'v3', previous: { version: 'v1', path: own } });
  });

  test('of the version before gives up the one that is not confirmed, or forgets it if it was never submitted', () => {
    const state = submitted();
    expect(isGivenUp(given(state, planUpgrade(state, asked('v1'))))).toBe(true);
    const waiting = stateWith({ phase: 'suspended', upgrades: planUpgrade(stateWith(), asked('v2')) });
    expect(planUpgrade(waiting, asked('v1')).pending).toBeUndefined();
  });

  test('of the version that was rolled back tries it again', () => {
    const back = { ...stateWith(), ...rolledBack(givenUpNow(), 5) };
    expect(back.upgrades.rejected?.version).toBe('v2');
    const again = planUpgrade(back, asked('v2', { isRejected: true }));
    expect([again.rejected, again.pending?.version]).toEqual([undefined, 'v2']);
  });

  test('of a third version keeps in mind which one was rolled back, and nobody is told of it any more', () => {
    const back = { ...stateWith(), ...rolledBack(givenUpNow(), 5) };
    expect(back.upgrades.rejected).toMatchObject({ version: 'v2', instead: 'v1', isSuperseded: false });
    for (const version of ['v3', 'v1'])
      expect(planUpgrade(back, asked(version)).rejected).toMatchObject({ version: 'v2', isSuperseded: true });
  });

  test('starts from what it names with the first submission alone', () => {
    const upgrades = planUpgrade(stateWith(), asked('v2', { mode: 'stateless', from: NOTHING }));
    expect(startOfUpgrade(stateWith({ upgrades }))).toBe(NOTHING);
    expect(startOfUpgrade(stateWith({ upgrades, version: 'v2' }))).toBe('');
    expect(startOfUpgrade(stateWith())).toBe('');
  });
});

describe('a deploy that names what to start from', () => {
  const from = 'file:/savepoints/of-somebody';
  const fresh = stateWith({ phase: 'new', version: '', upgrades: upgradesSchema.parse({}) });
  const startOf = (state: JobState, version: string, path = from): string => {
    const change = commandedDeploy(state, asked(version, { from: path }));
    return typeof change === 'string' ? change : nextStart({ ...state, ...change });
  };
  const nextStart = (state: JobState): string => state.restart?.from || startOfUpgrade(state);

  test.each<[string, JobState, string]>([
    ['of the first version that there ever was', fresh, 'v1'],
    [
      'of another, when none was ever proven',
      stateWith({ ...fresh, phase: 'unstable', version: 'v1' }),
      'v2',
    ],
    ['of another version', stateWith(), 'v2'],
    ['of another version of a suspended job', stateWith({ phase: 'suspended' }), 'v2'],
    ['of the present version of a suspended job', stateWith({ phase: 'suspended' }), 'v1'],
    ['of the present version of a failing job', stateWith({ phase: 'failing' }), 'v1'],
    ['of the present version of one that is lost', stateWith({ phase: 'recovering' }), 'v1'],
    [
      'of a version whose upgrade waits',
      stateWith({ upgrades: planUpgrade(stateWith(), asked('v2')) }),
      'v2',
    ],
  ])('%s starts from there', (_, state, version) => {
    expect(startOf(state, version)).toBe(from);
    expect(startOf(state, version, NOTHING)).toBe(NOTHING);
  });

  test('of what runs, or of the version before one that is tried, is refused with the way that is left', () => {
    const way = `hourglass job restart stream --from ${from}`;
    expect(startOf(stateWith(), 'v1')).toBe(
      `version v1 of stream runs already; to start it from there: ${way}`,
    );
    expect(startOf(stateWith(), 'v1', NOTHING)).toMatch(/--from nothing --accept-state-loss$/);
    expect(startOf(submitted(), 'v1')).toBe(
      `version v1 of stream is the one before, and goes on from its own snapshot (hourglass job rollback stream); when it runs: ${way}`,
    );
  });

  test('comes before a restart that was asked for earlier', () => {
    const state = stateWith({ phase: 'suspended', restart: { from: 'file:/elsewhere' } });
    expect(startOf(state, 'v2')).toBe(from);
  });

  test('is never dropped: the next submission starts from there, or a sentence says why not', () => {
    const version = fc.constantFrom('v1', 'v2', 'v3');
    const states = fc.record({
      phase: fc.constantFrom(...JOB_PHASES),
      of: fc.constantFrom(stateWith(), submitted(), givenUpNow(), fresh),
      present: version,
      deployed: fc.option(version, { nil: undefined }),
      isRollingBack: fc.boolean(),
    });
    fc.assert(
      fc.property(states, version, fc.constantFrom(from, NOTHING), (drawn, wanted, path) => {
        const { of, phase, present, deployed, isRollingBack } = drawn;
        const upgrades = { ...of.upgrades, isRollingBack };
        const before = { ...of, phase, upgrades, version: of.version === '' ? '' : present };
        const state = deployed === undefined ? before : given(before, planUpgrade(before, asked(deployed)));
        if (isUnconfirmed(state) && state.version === wanted && state.upgrades.pending?.from === path) return;
        const start = startOf(state, wanted, path);
        expect(start === path || start.endsWith(path === NOTHING ? '--accept-state-loss' : path)).toBe(true);
      }),
    );
  });
});

const givenUpNow = (reason = 'why'): JobState => {
  const state = submitted();
  const pending = state.upgrades.pending;
  if (pending === undefined) throw new Error('unreachable: it is pending');
  return given(state, { ...state.upgrades, pending: { ...pending, givenUp: reason } });
};

describe('a new version is given up', () => {
  const reasonAfter = (upgrades: Upgrades): string => upgrades.pending?.givenUp ?? 'nothing is pending';
  const settling = { verdict: 'settling', reason: '2 of 3 checkpoints are completed' } as const;
  const { deadlineMs = 0 } = submitted().upgrades.pending ?? {};

  test('when its time is over, and not a moment before', () => {
    const state = submitted();
    expect(deadlineMs).toBe(1_000 + policy.upgradeWithinMs);
    expect(reasonAfter(upgradeAfterLook(state, settling, deadlineMs - 1))).toBe('');
    expect(reasonAfter(upgradeAfterLook(state, settling, deadlineMs))).toBe(
      'it was not confirmed within 300 s: 2 of 3 checkpoints are completed',
    );
    const paused = given(state, pausedUpgrade(state.upgrades));
    expect(reasonAfter(upgradeAfterLook(paused, settling, deadlineMs))).toBe('');
    const resumed = submittedUpgrade(paused.upgrades, 'v2', deadlineMs, policy);
    expect(resumed.pending?.deadlineMs).toBe(deadlineMs + policy.upgradeWithinMs);
    expect(submittedUpgrade(resumed, 'v2', 2 * deadlineMs, policy)).toEqual(resumed);
  });

  test('when it is unstable, but not because its JobManager is silent', () => {
    const loop = { verdict: 'unstable', reason: 'it failed 3 times within 120 s: D: no disk' } as const;
    expect(reasonAfter(upgradeAfterLook(submitted(), loop, 2_000))).toBe(loop.reason);
    expect(reasonAfter(upgradeAfterLook(submitted(), { ...loop, isSilence: true }, 10 * deadlineMs))).toBe(
      '',
    );
  });

  test('when it was lost or refused as often as the policy allows', () => {
    let state = submitted();
    for (let failure = 1; failure <= policy.upgradeFailures; failure += 1) {
      expect(isGivenUp(state)).toBe(false);
      state = given(state, upgradeAfterFailure(state, 'the job is FAILED: D: no disk'));
    }
    expect(state.upgrades.pending?.givenUp).toBe(
      'it failed 3 times before it was confirmed: the job is FAILED: D: no disk',
    );
  });

  test('before a person is asked: a smaller recovery budget counts', () => {
    const state = submitted({ policy: { ...policy, recoveryBudget: 1 } });
    expect(isGivenUp(given(state, upgradeAfterFailure(state, 'it was refused')))).toBe(true);
  });

  test('at once when its state does not fit, with the way that is left', () => {
    const wanted =
      /^its state does not fit, because .* has changed \(.*Cannot map.*\)\. .* hourglass job deploy stream --shadow$/;
    const lost = upgradeAfterFailure(submitted(), `the job is FAILED: ${MISFIT}`);
    const seen = upgradeAfterLook(submitted(), { verdict: 'unstable', reason: MISFIT }, 2_000);
    expect(reasonAfter(lost)).toMatch(wanted);
    expect(reasonAfter(seen)).toMatch(wanted);
  });

  test('never for what happens to the version that is confirmed', () => {
    const waiting = stateWith({ upgrades: planUpgrade(stateWith(), asked('v2')) });
    for (const state of [stateWith(), waiting]) {
      expect(upgradeAfterFailure(state, MISFIT)).toBe(state.upgrades);
      expect(upgradeAfterLook(state, { verdict: 'unstable', reason: MISFIT }, 10 * deadlineMs)).toBe(
        state.upgrades,
      );
    }
  });

  test('and is gone back from: the version before goes on from its own snapshot, and why is known', () => {
    const back = rolledBack({ ...givenUpNow(), restorePath: 'file:/checkpoints/of-v2' }, 5);
    expect(back).toMatchObject({
      ...{ desiredVersion: 'v1', restorePath: own, reason: 'version v2 was rolled back: why', failures: 0 },
      upgrades: {
        ...{ confirmed: 'v1', isRollingBack: true },
        rejected: { version: 'v2', reason: 'why', atMs: 5, isByCommand: false },
      },
    });
    expect(back.upgrades?.pending).toBeUndefined();
    expect(submittedUpgrade(back.upgrades ?? upgradesSchema.parse({}), 'v1', 9, policy).isRollingBack).toBe(
      false,
    );
  });
});

describe('a rollback by command', () => {
  const command = (state: JobState): JobState => ({ ...state, ...commandedRollback(state, 5) });

  test('gives up a version that is not confirmed', () => {
    const state = command(submitted());
    expect([state.desiredVersion, isGivenUp(state)]).toEqual(['v1', true]);
    expect(rolledBack(state, 6).upgrades?.rejected).toMatchObject({ version: 'v2', isByCommand: true });
  });

  test('forgets a version that was never submitted', () => {
    const waiting = stateWith({ phase: 'suspended', upgrades: planUpgrade(stateWith(), asked('v2')) });
    const state = command({ ...waiting, desiredVersion: 'v2' });
    expect([state.desiredVersion, state.upgrades.pending]).toEqual(['v1', undefined]);
  });

  test('of a confirmed version submits the one before from its snapshot, to be confirmed in its turn', () => {
    const confirmed = submitted({ phase: 'stable' });
    const state = command(given(confirmed, confirmedUpgrades(confirmed)));
    expect(state.desiredVersion).toBe('v1');
    expect(state.upgrades).toMatchObject({
      pending: { version: 'v1', from: own, previous: { version: 'v2' } },
      rejected: { version: 'v2', isByCommand: true },
    });
    expect(isUnconfirmed(state)).toBe(false);
  });

  test('has nowhere to go before the first upgrade, nor after it was used', () => {
    expect(commandedRollback(stateWith(), 5)).toBeUndefined();
    const back = { ...stateWith(), ...rolledBack(givenUpNow(), 5) };
    expect(commandedRollback({ ...back, version: 'v1' }, 6)).toBeUndefined();
  });
});

test('a rescale is kept for later deploys, and its rollback brings back what was before', () => {
  const planned = planUpgrade(stateWith(), asked('v2', { parallelism: 4 }));
  expect(planned).toMatchObject({ parallelism: 4, pending: { previous: { parallelism: 0 } } });
  const tried = stateWith({ version: 'v2', upgrades: planned });
  expect(rolledBack(tried, 5).upgrades?.parallelism).toBe(0);
  expect(confirmedUpgrades(tried)).toMatchObject({
    confirmed: 'v2',
    parallelism: 4,
    previous: { version: 'v1' },
  });
});

test('the snapshots that a rollback may need are in use, before the confirmation and after it', () => {
  const state = submitted();
  expect(snapshotsInUse(state.upgrades)).toContain(own);
  expect(snapshotsInUse(confirmedUpgrades(state))).toEqual([own]);
  expect(snapshotsInUse(stateWith().upgrades)).toEqual([]);
  const from = 'file:/savepoints/of-the-candidate';
  expect(snapshotsInUse(planUpgrade(stateWith(), asked('v2', { from })))).toContain(from);
});
