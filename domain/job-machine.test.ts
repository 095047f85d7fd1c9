/** Tests of the machine rule by rule; random sequences of events and commands are in `job-machine-sequences.test.ts`. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DESIRED_STATES,
  type DesiredState,
  JOB_PHASES,
  type JobPhase,
  jobPolicySchema,
  type SavepointRequest,
  type Upgrades,
  upgradesSchema,
} from '../schemas/job.ts';
import {
  alertKindOf,
  backoffMs,
  failuresAfter,
  failuresThatCount,
  isBudgetSpent,
  isSavepointDue,
  JOB_ACTIONS,
  JOB_EVENTS,
  type JobAction,
  type JobEvent,
  jobTransitions,
  mustBeReplaced,
  nextAction,
  remember,
  targetOf,
  transition,
} from './job-machine.ts';
import { jobPhases } from './job-phases.ts';
import { isGivenUp } from './job-upgrade.ts';

const leadingAnywhere: readonly (readonly [JobPhase, JobEvent, JobPhase])[] = [
  ['new', 'targetRecorded', 'submitting'],
  ['new', 'suspended', 'suspended'],
  ['new', 'gaveUp', 'failing'],
  ['submitting', 'submitted', 'settling'],
  ['submitting', 'refused', 'recovering'],
  ['settling', 'becameStable', 'stable'],
  ['settling', 'becameUnstable', 'unstable'],
  ['settling', 'confirmed', 'stable'],
  ['settling', 'rolledBack', 'suspending'],
  ['settling', 'lost', 'recovering'],
  ['settling', 'suspendBegun', 'suspending'],
  ['stable', 'settling', 'settling'],
  ['stable', 'becameUnstable', 'unstable'],
  ['stable', 'lost', 'recovering'],
  ['stable', 'suspendBegun', 'suspending'],
  ['unstable', 'settling', 'settling'],
  ['unstable', 'becameStable', 'stable'],
  ['unstable', 'confirmed', 'stable'],
  ['unstable', 'rolledBack', 'suspending'],
  ['unstable', 'lost', 'recovering'],
  ['unstable', 'suspendBegun', 'suspending'],
  ['suspending', 'suspended', 'suspended'],
  ['suspended', 'targetRecorded', 'submitting'],
  ['suspended', 'gaveUp', 'failing'],
  ['suspended', 'rolledBack', 'recovering'],
  ['suspended', 'stopped', 'stopped'],
  ['recovering', 'targetRecorded', 'submitting'],
  ['recovering', 'suspended', 'suspended'],
  ['recovering', 'gaveUp', 'failing'],
  ['recovering', 'rolledBack', 'suspended'],
  ['failing', 'suspended', 'suspended'],
  ['failing', 'retried', 'recovering'],
  ['failing', 'rolledBack', 'suspended'],
];

const healthPhases: readonly JobPhase[] = ['settling', 'stable', 'unstable'];
const everyTransition = JOB_PHASES.flatMap((from) =>
  JOB_EVENTS.map((event) => ({ from, event, to: transition(from, event) })),
);
const changing = everyTransition.filter(({ from, to }) => from !== to);

/** A job of which nothing is asked besides the desired state. */
const plain = {
  isParked: false,
  desiredVersion: 'v1',
  version: 'v1',
  savepointRequests: [],
  nextSavepointAtMs: 0,
  upgrades: upgradesSchema.parse({}),
};
/** The version that was submitted last has to be confirmed, or is given up for a reason. */
const upgradeTo = (version: string, givenUp: string): Upgrades =>
  upgradesSchema.parse({
    confirmed: 'v0',
    pending: {
      ...{ version, mode: 'savepoint', from: '', deadlineMs: 1, failures: 0, givenUp },
      previous: { version: 'v0', path: 'file:/savepoints/v0', parallelism: 0 },
    },
  });
const actionFor = (phase: JobPhase, desired: DesiredState): JobAction =>
  nextAction({ ...plain, phase, desired }, 0);

const request: SavepointRequest = { triggerId: 'a'.repeat(32), kind: 'manual' };
const versions = fc.constantFrom('', 'v1', 'v2');
const restarts = fc.record({ from: fc.constantFrom('', 'nothing', 'file:/savepoints/1') });
const decisive = fc.record({
  phase: fc.constantFrom(...JOB_PHASES),
  desired: fc.constantFrom(...DESIRED_STATES),
  isParked: fc.boolean(),
  desiredVersion: versions,
  version: versions,
  restart: fc.option(restarts, { nil: undefined }),
  savepointRequests: fc.array(fc.constant(request), { maxLength: 2 }),
  nextSavepointAtMs: fc.nat(2_000),
  upgrades: fc.oneof(
    fc.constant(plain.upgrades),
    fc
      .constantFrom('v1', 'v2')
      .chain((version) => fc.constantFrom('', 'why').map((why) => upgradeTo(version, why))),
  ),
});
const moments = fc.nat(2_000);

describe('the transitions', () => {
  test('each one that leads anywhere is known, and every other event leaves its phase as it is', () => {
    expect(changing.map(({ from, event, to }) => [from, event, to])).toEqual(
      expect.arrayContaining(leadingAnywhere as unknown as unknown[]),
    );
    expect(changing).toHaveLength(leadingAnywhere.length);
  });

  test('the table is total: each event has its answer in each phase', () => {
    expect(Object.keys(jobTransitions)).toEqual(JOB_PHASES);
    for (const row of Object.values(jobTransitions)) expect(Object.keys(row)).toEqual(JOB_EVENTS);
  });

  test('only stopped is terminal, and it is never left', () => {
    expect(JOB_PHASES.filter((phase) => jobPhases[phase].terminal)).toEqual(['stopped']);
    for (const event of JOB_EVENTS) expect(transition('stopped', event)).toBe('stopped');
  });

  test('a target is recorded before anything is submitted: nothing else leads to submitting', () => {
    const leading = changing.filter(({ to }) => to === 'submitting');
    expect(leading.map(({ event }) => event)).toEqual(leading.map(() => 'targetRecorded'));
    expect(leading.map(({ from }) => from)).toEqual(['new', 'suspended', 'recovering']);
  });

  test('Flink has a job only after a submission: nothing else leads to the phases in which it is watched', () => {
    const leading = changing.filter(
      ({ from, to }) => healthPhases.includes(to) && !healthPhases.includes(from),
    );
    expect(leading).toEqual([{ from: 'submitting', event: 'submitted', to: 'settling' }]);
  });

  test('what may run in Flink is left only by its end: it was refused, was lost, or was suspended', () => {
    const leaving = changing.filter(({ from, to }) => jobPhases[from].mayRun && !jobPhases[to].mayRun);
    expect(new Set(leaving.map(({ event }) => event))).toEqual(new Set(['refused', 'lost', 'suspended']));
  });

  test('a suspension that was begun ends suspended', () => {
    const leaving = changing.filter(({ from }) => from === 'suspending');
    expect(leaving).toEqual([{ from: 'suspending', event: 'suspended', to: 'suspended' }]);
  });

  test('from each phase but stopped there is a way to stable and a way to stopped', () => {
    const reachable = (from: JobPhase): Set<JobPhase> => {
      const reached = new Set([from]);
      for (const phase of reached)
        for (const { from: near, to } of changing) if (near === phase) reached.add(to);
      return reached;
    };
    for (const phase of JOB_PHASES) {
      if (jobPhases[phase].terminal) continue;
      expect([...reachable(phase)]).toEqual(expect.arrayContaining(['stable', 'stopped']));
    }
  });

  test('each phase has its sentence', () => {
    for (const { description } of Object.values(jobPhases)) expect(description).toMatch(/^[A-Z].*\.$/);
  });
});

describe('the next action', () => {
  test.each<[JobPhase, JobAction, JobAction, JobAction]>([
    ['new', 'submit', 'settle', 'settle'],
    ['submitting', 'submit', 'submit', 'submit'],
    ['settling', 'watch', 'suspend', 'suspend'],
    ['stable', 'watch', 'suspend', 'suspend'],
    ['unstable', 'watch', 'suspend', 'suspend'],
    ['suspending', 'suspend', 'suspend', 'suspend'],
    ['suspended', 'submit', 'rest', 'end'],
    ['recovering', 'recover', 'settle', 'settle'],
    ['failing', 'rest', 'settle', 'settle'],
    ['stopped', 'end', 'end', 'end'],
  ])('of a job that is %s: %s when desired running, %s suspended, %s stopped', (phase, ...actions) => {
    expect(DESIRED_STATES.map((desired) => actionFor(phase, desired))).toEqual(actions);
  });

  test('is always known, whatever is true of the job', () => {
    fc.assert(
      fc.property(decisive, moments, (state, nowMs) => {
        expect(JOB_ACTIONS).toContain(nextAction(state, nowMs));
      }),
    );
  });

  test('nothing is submitted while Flink may hold another job of that name', () => {
    fc.assert(
      fc.property(decisive, moments, (state, nowMs) => {
        const submits = ['submit', 'recover'].includes(nextAction(state, nowMs));
        if (submits && state.phase !== 'submitting') expect(jobPhases[state.phase].mayRun).toBe(false);
      }),
    );
  });

  test('suspended, failing and stopped do nothing unless something else is desired', () => {
    fc.assert(
      fc.property(decisive, moments, (state, nowMs) => {
        const idle = nextAction(
          { ...state, isParked: false, phase: 'suspended', desired: 'suspended' },
          nowMs,
        );
        const asked = nextAction({ ...state, isParked: false, phase: 'failing', desired: 'running' }, nowMs);
        expect([idle, asked]).toEqual(['rest', isGivenUp(state) ? 'rollBack' : 'rest']);
        expect(nextAction({ ...state, phase: 'stopped' }, nowMs)).toBe('end');
      }),
    );
  });

  test('a job that is not desired running is never watched, recovered, or begun', () => {
    fc.assert(
      fc.property(decisive, moments, (state, nowMs) => {
        if (targetOf(state) === 'running' || state.phase === 'submitting') return;
        expect(['suspend', 'settle', 'rollBack', 'rest', 'end']).toContain(nextAction(state, nowMs));
      }),
    );
  });

  test('a parked job is treated as suspended, and one that is to be stopped is stopped all the same', () => {
    fc.assert(
      fc.property(decisive, moments, (state, nowMs) => {
        const parked = nextAction({ ...state, isParked: true, desired: 'running' }, nowMs);
        expect(parked).toBe(nextAction({ ...state, isParked: false, desired: 'suspended' }, nowMs));
      }),
    );
    expect(DESIRED_STATES.map((desired) => targetOf({ desired, isParked: true }))).toEqual([
      'suspended',
      'suspended',
      'stopped',
    ]);
    expect(DESIRED_STATES.map((desired) => targetOf({ desired, isParked: false }))).toEqual(DESIRED_STATES);
  });
});

describe('a new version that is given up', () => {
  const actionsWith = (givenUp: string, desired: DesiredState) =>
    Object.fromEntries(
      JOB_PHASES.map((phase) => [
        phase,
        nextAction({ ...plain, phase, desired, upgrades: upgradeTo('v1', givenUp) }, 0),
      ]).filter(([, action]) => action === 'rollBack'),
    );

  test('is left before anything else is done, and a submission or a stop that was begun is carried through', () => {
    const left = ['settling', 'unstable', 'suspended', 'recovering', 'failing'];
    expect(Object.keys(actionsWith('why', 'running'))).toEqual(left);
    const whileNotWanted = left.filter((phase) => phase !== 'suspended');
    expect(Object.keys(actionsWith('why', 'suspended'))).toEqual(whileNotWanted);
    expect(Object.keys(actionsWith('why', 'stopped'))).toEqual(whileNotWanted);
  });

  test('is left in no phase for as long as it may still be confirmed', () => {
    for (const desired of DESIRED_STATES) expect(actionsWith('', desired)).toEqual({});
  });

  test('is not what runs when another version was submitted since', () => {
    for (const phase of JOB_PHASES) {
      const state = {
        ...plain,
        phase,
        desired: 'running',
        version: 'v3',
        upgrades: upgradeTo('v1', 'why'),
      } as const;
      expect(nextAction(state, 0)).not.toBe('rollBack');
    }
  });

  test('means something in each phase in which it is left', () => {
    fc.assert(
      fc.property(decisive, moments, (state, nowMs) => {
        if (nextAction(state, nowMs) !== 'rollBack') return;
        expect(transition(state.phase, 'rolledBack')).not.toBe(state.phase);
      }),
    );
  });
});

describe('a job is replaced', () => {
  test.each([
    ['when another version is desired', { desiredVersion: 'v2', version: 'v1' }, true],
    ['when a restart was asked for', { desiredVersion: 'v1', version: 'v1', restart: { from: '' } }, true],
    ['not when it runs the desired version', { desiredVersion: 'v1', version: 'v1' }, false],
    ['not when no version is known yet', { desiredVersion: '', version: 'v1' }, false],
  ])('%s', (_, state, expected) => {
    expect(mustBeReplaced(state)).toBe(expected);
  });

  test('by suspending it first, before any savepoint, in each phase in which it is watched', () => {
    const desired: DesiredState = 'running';
    const waiting = { ...plain, desired, savepointRequests: [request], nextSavepointAtMs: 1 };
    for (const phase of healthPhases) {
      expect(nextAction({ ...waiting, phase, restart: { from: '' } }, 2)).toBe('suspend');
      expect(nextAction({ ...waiting, phase, desiredVersion: 'v2' }, 2)).toBe('suspend');
    }
  });
});

describe('a savepoint', () => {
  test('that was asked for is taken of a job that runs, and waits while it starts', () => {
    const next = (phase: JobPhase) =>
      nextAction({ ...plain, phase, desired: 'running', savepointRequests: [request] }, 0);
    expect(healthPhases.map((phase) => [phase, next(phase)])).toEqual([
      ['settling', 'watch'],
      ['stable', 'savepoint'],
      ['unstable', 'savepoint'],
    ]);
  });

  test('is due only when the job is stable, and only from its time on', () => {
    for (const phase of JOB_PHASES) {
      expect(isSavepointDue({ phase, nextSavepointAtMs: 10 }, 10)).toBe(phase === 'stable');
      expect(isSavepointDue({ phase, nextSavepointAtMs: 10 }, 9)).toBe(false);
      expect(isSavepointDue({ phase, nextSavepointAtMs: 0 }, 10)).toBe(false);
    }
    const due = { ...plain, desired: 'running', nextSavepointAtMs: 10 } as const;
    expect(healthPhases.map((phase) => nextAction({ ...due, phase }, 10))).toEqual([
      'watch',
      'savepoint',
      'watch',
    ]);
  });
});

describe('recovery', () => {
  const policy = jobPolicySchema.parse({});
  const counts = fc.nat(3_000);

  test('pauses by default for nothing at first, then 2 s, doubling up to two minutes', () => {
    expect([0, 1, 2, 3, 6, 7, 8, 100].map((failures) => backoffMs(failures, policy) / 1_000)).toEqual([
      0, 2, 4, 8, 64, 120, 120, 120,
    ]);
  });

  test('pauses ever longer and never longer than the policy allows', () => {
    const pauses = fc.record({ backoffFirstMs: fc.nat(60_000), backoffMostMs: fc.nat(3_600_000) });
    fc.assert(
      fc.property(counts, pauses, (failures, limits) => {
        const pause = backoffMs(failures, limits);
        expect(pause).toBeGreaterThanOrEqual(0);
        expect(backoffMs(failures + 1, limits)).toBeGreaterThanOrEqual(pause);
        expect(pause).toBeLessThanOrEqual(limits.backoffMostMs);
        if (failures === 1) expect(pause).toBe(Math.min(limits.backoffFirstMs, limits.backoffMostMs));
      }),
      { examples: [[2_000, { backoffFirstMs: 0, backoffMostMs: 60_000 }]] },
    );
  });

  test('spends its budget with exactly as many failures as the policy allows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), counts, (recoveryBudget, failures) => {
        expect(isBudgetSpent({ failures, policy: { ...policy, recoveryBudget } })).toBe(
          failures >= recoveryBudget,
        );
      }),
      {
        examples: [
          [8, 7],
          [8, 8],
        ],
      },
    );
  });

  test('forgives earlier failures from exactly the long stable time on, and never before', () => {
    const { forgivenAfterMs } = policy;
    const stableSinceMs = 1_000;
    const counted = (stableMs: number): number[] => {
      const [state, nowMs] = [{ failures: 5, stableSinceMs, policy }, stableSinceMs + stableMs];
      return [failuresThatCount(state, nowMs), failuresAfter(state, nowMs)];
    };
    expect(counted(forgivenAfterMs)).toEqual([0, 1]);
    expect(counted(forgivenAfterMs - 1)).toEqual([5, 6]);
    const neverStable = { failures: 5, stableSinceMs: 0, policy };
    expect(failuresAfter(neverStable, 10 * forgivenAfterMs)).toBe(6);
  });
});

/** What the alert is decided by, of a job that is desired running unless told. */
const alarming = (
  phase: JobPhase,
  given: { rejected?: Upgrades['rejected']; desired?: DesiredState } = {},
) => {
  const { rejected, desired = 'running' } = given;
  return { phase, desired, isParked: false, upgrades: { ...plain.upgrades, rejected } };
};

test('an alert is called for where a person is needed, and nowhere else', () => {
  const kinds = JOB_PHASES.flatMap((phase) => {
    const kind = alertKindOf(alarming(phase));
    return kind === undefined ? [] : [[phase, kind]];
  });
  expect(kinds).toEqual([
    ['unstable', 'job-unstable'],
    ['failing', 'job-failing'],
  ]);
});

test('an open alert lasts until the job is well, or no longer wanted', () => {
  const over = JOB_PHASES.filter((phase) => alertKindOf(alarming(phase), 'job-failing') === undefined);
  expect(over).toEqual(['stable', 'suspended', 'stopped']);
  expect(alertKindOf(alarming('unstable'), 'job-failing')).toBe('job-unstable');
  expect(alertKindOf(alarming('recovering'), 'job-unstable')).toBe('job-unstable');
});

test('a version that was rolled back by itself is told until somebody deploys, or the job is not wanted', () => {
  const how = { reason: 'it was late', atMs: 1, isByCommand: false, isSuperseded: false };
  const rejected = { version: 'v2', instead: 'v1', ...how };
  for (const phase of JOB_PHASES) {
    const kind = alertKindOf(alarming(phase, { rejected }));
    const others: Partial<Record<JobPhase, string>> = { unstable: 'job-unstable', failing: 'job-failing' };
    expect(kind).toBe(others[phase] ?? 'job-rolled-back');
  }
  expect(
    alertKindOf(alarming('suspended', { rejected, desired: 'suspended' }), 'job-rolled-back'),
  ).toBeUndefined();
  for (const change of [{ isByCommand: true }, { isSuperseded: true }]) {
    const known = alarming('stable', { rejected: { ...rejected, ...change } });
    expect(alertKindOf(known, 'job-rolled-back')).toBeUndefined();
  }
});

test('the newest 200 command ids are remembered, each once, the latest last', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(250), { maxLength: 600 }), (numbers) => {
      const ids = numbers.map(String);
      const remembered = ids.reduce<string[]>((known, id) => remember(known, id), []);
      const latestFirst = [...new Set(ids.toReversed())];
      expect(remembered.toReversed()).toEqual(latestFirst.slice(0, 200));
    }),
    { examples: [[Array.from({ length: 201 }, (_, index) => index)]] },
  );
});
