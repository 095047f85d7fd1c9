/**
 * Tests of the machine by random sequences: an actor that does what `nextAction` says meets any outcome that each action can
 * have, while commands come and Flink loses the job at any moment. It mirrors `workflows/flink-job.ts`, without Temporal.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JOB_PHASES, type JobPhase, type JobPolicy, type JobState, jobStateSchema } from '../schemas/job.ts';
import { flinkId } from './identities.ts';
import { eventOf, isNews, VERDICTS } from './job-health.ts';
import {
  failuresAfter,
  failuresThatCount,
  isBudgetSpent,
  JOB_EVENTS,
  type JobAction,
  type JobEvent,
  nextAction,
  targetOf,
  transition,
} from './job-machine.ts';
import { jobPhases } from './job-phases.ts';
import {
  commandedRollback,
  confirmedUpgrades,
  isGivenUp,
  isUnconfirmed,
  pausedUpgrade,
  planUpgrade,
  rolledBack,
  startOfUpgrade,
  submittedUpgrade,
  upgradeAfterFailure,
  upgradeAfterLook,
  withSnapshot,
} from './job-upgrade.ts';

/** An action waits wherever it yields, and is then given the number that picks what happens. */
type Flow = Generator<void, void, number>;
/** The first option is the one in which nothing fails. */
const pick = <T>(options: readonly [T, ...T[]], choice: number): T =>
  options[choice % options.length] ?? options[0];

const COMMANDS = [
  ...(['deploy', 'redeploy', 'deploy the version before', 'rollback', 'suspend', 'resume'] as const),
  ...(['savepoint', 'restart', 'stop', 'park'] as const),
] as const;
type Command = (typeof COMMANDS)[number];

const QUIET: readonly JobAction[] = ['watch', 'rest', 'end'];

function faithfulActor(policy: Partial<JobPolicy> = {}) {
  let state: JobState = jobStateSchema.parse({ name: 'stream', desiredVersion: 'v1', policy });
  let nowMs = 1_000_000;
  let changes = 0;
  let action: JobAction = 'rest';
  let flow: Flow | undefined;
  /** What Flink holds, whatever the actor believes. */
  const inFlink = new Set<string>();
  const targets = new Set<string>();
  const taken: { from: JobPhase; event: JobEvent; to: JobPhase }[] = [];
  const ended = new Set<string>();
  const submissions: { isRecorded: boolean; hasEnded: boolean; besides: number }[] = [];
  /** The version that left a snapshot, by its path, and what each version that was gone back to was started from. */
  const leftBy = new Map<string, string>();
  const wentBack: { to: string; from: string }[] = [];
  const leave = (what: string): string => {
    const path = `file:/${what}/${state.jobId}`;
    leftBy.set(path, state.version);
    return path;
  };

  const enter = (event: JobEvent, with_: Partial<JobState> = {}): void => {
    const from = state.phase;
    state = { ...state, ...with_, phase: transition(from, event) };
    taken.push({ from, event, to: state.phase });
  };

  const end = (): void => {
    inFlink.delete(state.jobId);
    ended.add(state.jobId);
  };

  const recordTarget = (): void => {
    const attempt = state.attempt + 1;
    const version = state.desiredVersion;
    const jobId = flinkId(`${state.name}/${version}/${attempt}`);
    const { restart, ...rest } = state;
    const { isRollingBack, pending } = state.upgrades;
    const from = restart?.from || startOfUpgrade(state) || state.restorePath;
    const upgrades = submittedUpgrade(withSnapshot(state, state.restorePath), version, nowMs, state.policy);
    if (
      restart === undefined &&
      ((isRollingBack && pending === undefined) || (pending?.version === version && pending.from !== ''))
    )
      wentBack.push({ to: version, from });
    state = rest;
    targets.add(jobId);
    enter('targetRecorded', { attempt, version, jobId, upgrades, restorePath: from, stableSinceMs: 0 });
  };

  function* submit(): Flow {
    if (state.phase !== 'submitting') {
      const named = state.restart?.from ?? state.restorePath;
      if (pick(['found', 'gone'], yield) === 'gone' && named !== '') return enter('gaveUp');
      recordTarget();
    }
    const { jobId } = state;
    const choice = yield;
    const isKnown = inFlink.has(jobId);
    const answer = isKnown
      ? pick(['accepted', 'silent'], choice)
      : pick(['accepted', 'refused', 'silent', 'accepted in silence'], choice);
    submissions.push({
      isRecorded: targets.has(jobId),
      hasEnded: ended.has(jobId),
      besides: inFlink.size - (isKnown ? 1 : 0),
    });
    if (answer.startsWith('accepted')) inFlink.add(jobId);
    if (answer === 'accepted') enter('submitted');
    if (answer === 'refused')
      enter('refused', {
        failures: failuresAfter(state, nowMs),
        upgrades: upgradeAfterFailure(state, 'it was refused'),
      });
  }

  const actions: Record<Exclude<JobAction, 'end'>, () => Flow | undefined> = {
    submit,
    *recover() {
      if (isBudgetSpent(state)) return enter('gaveUp');
      const before = changes;
      yield;
      if (changes === before) yield* submit();
    },
    *watch() {
      const before = changes;
      const choice = yield;
      if (changes !== before) return;
      const possible = VERDICTS.filter((verdict) => isNews({ verdict, reason: '' }, state.phase));
      const options = ['stable', 'nothing', 'silence', ...possible] as const;
      const seen = inFlink.has(state.jobId) ? pick(options, choice) : 'lost';
      if (seen === 'lost') {
        end();
        const [failures, upgrades] = [failuresAfter(state, nowMs), upgradeAfterFailure(state, 'it was lost')];
        enter('lost', { failures, upgrades, restorePath: leave('checkpoints'), stableSinceMs: 0 });
      } else if (seen === 'stable') {
        if (seen === state.phase) return;
        const event = isUnconfirmed(state) ? 'confirmed' : 'becameStable';
        enter(event, { upgrades: confirmedUpgrades(state), stableSinceMs: nowMs });
      } else {
        const verdict = seen === 'nothing' ? 'settling' : seen === 'silence' ? 'unstable' : seen;
        const silence = seen === 'silence' ? ({ isSilence: true } as const) : {};
        state = {
          ...state,
          upgrades: upgradeAfterLook(state, { verdict, reason: 'why', ...silence }, nowMs),
        };
        if (isGivenUp(state) || seen === 'nothing' || verdict === state.phase) return;
        enter(eventOf(verdict), { failures: failuresThatCount(state, nowMs), stableSinceMs: 0 });
      }
    },
    *savepoint() {
      yield;
      const savepointRequests = state.savepointRequests.slice(1);
      state = { ...state, savepointRequests, nextSavepointAtMs: nowMs + state.policy.savepointEveryMs };
    },
    *suspend() {
      if (state.phase !== 'suspending') enter('suspendBegun');
      yield;
      end();
      const restorePath = state.upgrades.isRollingBack ? state.restorePath : leave('savepoints');
      const upgrades = pausedUpgrade(withSnapshot(state, restorePath));
      enter('suspended', { failures: 0, restorePath, upgrades, savepointRequests: [] });
    },
    settle: () => void enter('suspended', { upgrades: pausedUpgrade(state.upgrades) }),
    rollBack: () => void enter('rolledBack', rolledBack(state, nowMs)),
    *rest() {
      yield;
    },
  };

  const tryNow = (with_: Partial<JobState>): void => {
    state = { ...state, ...with_, isParked: false, failures: 0 };
    if (state.phase === 'failing' && state.desired === 'running') enter('retried');
  };
  const wantedAgain = () => (state.desired === 'stopped' ? 'running' : state.desired);
  const redeploy = (desiredVersion: string): void => {
    const isRejected = desiredVersion === state.upgrades.rejected?.version;
    const asked = {
      version: desiredVersion,
      mode: 'savepoint',
      from: '',
      parallelism: 0,
      isRejected,
    } as const;
    tryNow({ desiredVersion, desired: wantedAgain(), upgrades: planUpgrade(state, asked) });
  };
  const want = (with_: Partial<JobState>): void => {
    state = { ...state, ...with_ };
  };
  const commands: Record<Command, () => void> = {
    deploy: () => redeploy(`${state.desiredVersion}+`),
    redeploy: () => redeploy(state.desiredVersion),
    'deploy the version before': () =>
      redeploy(state.upgrades.pending?.previous.version ?? state.desiredVersion),
    rollback() {
      const change = commandedRollback(state, nowMs);
      if (change !== undefined) tryNow({ ...change, desired: wantedAgain() });
    },
    suspend: () => want({ desired: 'suspended' }),
    resume: () => tryNow({ desired: 'running' }),
    savepoint() {
      const { phase, savepointRequests: waiting } = state;
      if (!jobPhases[phase].mayRun || waiting.length >= 10) return;
      const request = { triggerId: flinkId(`${changes}`), kind: 'manual' } as const;
      state = { ...state, savepointRequests: [...waiting, request] };
    },
    restart() {
      const from = `file:/named/${state.desiredVersion}`;
      leftBy.set(from, state.desiredVersion);
      tryNow({ desired: 'running', restart: { from } });
    },
    stop: () => want({ desired: 'stopped' }),
    park: () => want({ isParked: true }),
  };
  return {
    state: () => state,
    inFlink,
    submissions,
    taken,
    leftBy,
    wentBack,
    command(name: Command): void {
      changes += 1;
      // A command to an actor that has ended starts another, which goes on from the record.
      if (jobPhases[state.phase].terminal) state = { ...state, phase: 'suspended' };
      commands[name]();
    },
    step(choice: number, elapsedMs = 1_000): void {
      if (jobPhases[state.phase].terminal) return;
      nowMs += elapsedMs;
      if (flow === undefined) action = nextAction(state, nowMs);
      if (action === 'end') enter('stopped');
      else flow ??= actions[action]();
      if (flow?.next(choice).done === true) flow = undefined;
    },
    /** Whether it believes the truth and does nothing but wait for news or a command. */
    isQuiet(): boolean {
      const doing = flow === undefined ? [] : [action];
      const isTrue = jobPhases[state.phase].mayRun === inFlink.has(state.jobId);
      return isTrue && [...doing, nextAction(state, nowMs)].every((each) => QUIET.includes(each));
    },
  };
}
type Actor = ReturnType<typeof faithfulActor>;

const happenings = fc.oneof(
  { weight: 6, arbitrary: fc.record({ choice: fc.nat(59), elapsedMs: fc.nat(900_000) }) },
  { weight: 2, arbitrary: fc.constantFrom(...COMMANDS) },
  { weight: 1, arbitrary: fc.constant('Flink forgets its jobs' as const) },
);
type Happening = typeof happenings extends fc.Arbitrary<infer T> ? T : never;
const histories = fc.array(happenings, { maxLength: 80, size: 'max' });
const budgets = fc.integer({ min: 1, max: 4 });

function happen(actor: Actor, happening: Happening): void {
  if (typeof happening === 'object') actor.step(happening.choice, happening.elapsedMs);
  else if (happening === 'Flink forgets its jobs') actor.inFlink.clear();
  else actor.command(happening);
}

/** Runs the property for an actor after any history; `each` sees it after everything that happens. */
function afterAnyHistory(then: (actor: Actor) => void, each: (actor: Actor) => void = () => undefined): void {
  fc.assert(
    fc.property(histories, budgets, (history, recoveryBudget) => {
      const actor = faithfulActor({ recoveryBudget });
      for (const happening of history) {
        happen(actor, happening);
        each(actor);
      }
      then(actor);
    }),
    { numRuns: 1_000 },
  );
}

/** From now on nothing fails: so many steps suffice, two of them for each savepoint that may be waiting. */
const MOST_STEPS = 45;
function goOn(actor: Actor): void {
  for (let step = 0; step < MOST_STEPS && !actor.isQuiet(); step += 1) actor.step(0);
}
function settleDown(actor: Actor, phase: JobPhase): void {
  for (let step = 0; step < MOST_STEPS && !(actor.isQuiet() && actor.state().phase === phase); step += 1)
    actor.step(0);
  expect([actor.state().phase, actor.isQuiet()]).toEqual([phase, true]);
}

describe('whatever happens', () => {
  test('each event of a faithful actor means something in the phase in which it comes', () => {
    afterAnyHistory(({ taken }) => {
      expect(taken.filter(({ from, to }) => from === to)).toEqual([]);
    });
  });

  test('only what is on record is submitted, and nothing beside another job of that name', () => {
    afterAnyHistory(({ submissions }) => {
      for (const { isRecorded, besides } of submissions) expect([isRecorded, besides]).toEqual([true, 0]);
    });
  });

  test('what was lost or suspended is never submitted again under its old id: Flink would refuse it', () => {
    afterAnyHistory(({ submissions }) => {
      expect(submissions.filter(({ hasEnded }) => hasEnded)).toEqual([]);
    });
  });

  test('what Flink holds, the phase says that it may hold', () => {
    afterAnyHistory(
      () => undefined,
      ({ inFlink, state }) => {
        expect(inFlink.size).toBeLessThanOrEqual(1);
        if (inFlink.size > 0) expect(jobPhases[state().phase].mayRun).toBe(true);
      },
    );
  });

  test('a version that is gone back to starts from what it has left itself, never from what the other left', () => {
    afterAnyHistory(({ wentBack, leftBy }) => {
      for (const { to, from } of wentBack) if (from !== '') expect(leftBy.get(from)).toBe(to);
    });
  });

  test('a stable job runs a version that is confirmed, and one that was rolled back is not desired', () => {
    afterAnyHistory(
      () => undefined,
      ({ state }) => {
        const { phase, version, desiredVersion, upgrades } = state();
        if (phase === 'stable') expect(upgrades.confirmed).toBe(version);
        if (upgrades.rejected !== undefined && upgrades.pending === undefined)
          expect(desiredVersion).not.toBe(upgrades.rejected.version);
      },
    );
  });

  test('a job that is desired running is stable once nothing fails any more', () => {
    afterAnyHistory((actor) => {
      if (targetOf(actor.state()) !== 'running') actor.command('resume');
      goOn(actor);
      // Only what was given up before waits for a person.
      if (actor.state().phase === 'failing') actor.command('resume');
      settleDown(actor, 'stable');
      const { version, desiredVersion, restart, savepointRequests } = actor.state();
      expect([version, restart, savepointRequests]).toEqual([desiredVersion, undefined, []]);
    });
  });

  test('a job that is desired suspended ends suspended', () => {
    afterAnyHistory((actor) => {
      actor.command('suspend');
      settleDown(actor, 'suspended');
    });
  });

  test('a job that is desired stopped ends stopped, and stays so', () => {
    afterAnyHistory((actor) => {
      actor.command('stop');
      settleDown(actor, 'stopped');
      for (let choice = 0; choice < 10; choice += 1) actor.step(choice);
      settleDown(actor, 'stopped');
    });
  });

  test('a parked job ends suspended, and goes on by itself when it is unparked', () => {
    afterAnyHistory((actor) => {
      actor.command('resume');
      actor.command('park');
      settleDown(actor, 'suspended');
      expect(actor.state().desired).toBe('running');
      actor.command('redeploy');
      settleDown(actor, 'stable');
    });
  });

  test('a job that was suspended before it was parked stays suspended when it is unparked', () => {
    afterAnyHistory((actor) => {
      actor.command('suspend');
      actor.command('park');
      settleDown(actor, 'suspended');
      actor.command('redeploy');
      settleDown(actor, 'suspended');
    });
  });

  test('a job at rest stays as it is, whatever time passes', () => {
    afterAnyHistory((actor) => {
      actor.command('suspend');
      settleDown(actor, 'suspended');
      const before = actor.state();
      for (let choice = 0; choice < 20; choice += 1) actor.step(choice, 3_600_000);
      expect(actor.state()).toEqual(before);
    });
  });
});

test('the random histories take every transition that leads anywhere', () => {
  const taken = fc.sample(histories, { numRuns: 8_000, seed: 1 }).flatMap((history) => {
    const actor = faithfulActor({ recoveryBudget: 2 });
    for (const happening of history) happen(actor, happening);
    return actor.taken.map(({ from, event }) => `${from} ${event}`);
  });
  const known = JOB_PHASES.flatMap((from) =>
    JOB_EVENTS.filter((event) => transition(from, event) !== from).map((event) => `${from} ${event}`),
  );
  expect([...new Set(taken)].sort()).toEqual(known.sort());
});

test('a person is asked after exactly as many refused submissions as the budget has, and then it rests', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), (recoveryBudget) => {
      const actor = faithfulActor({ recoveryBudget });
      const refuseEach = 1;
      for (let step = 0; step < 4 * recoveryBudget + 10; step += 1) actor.step(refuseEach);
      expect(actor.state().phase).toBe('failing');
      expect(actor.submissions).toHaveLength(recoveryBudget);
      actor.command('resume');
      settleDown(actor, 'stable');
    }),
  );
});
