import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  before,
  facts,
  failed,
  NEW,
  NOW,
  OLD,
  OTHER,
  passed,
  version,
  WISHED,
} from '../tests/support/deploy-facts.ts';
import {
  breachOf,
  type DeployFacts,
  drainingBuilds,
  GATES,
  type Gate,
  type GateVerdict,
  neededWorkers,
  nextStep,
  refusalOf,
  rollbackTarget,
  stepSentences,
  type VersionFacts,
} from './deploy-steps.ts';

const BUILDS = [OLD, NEW, OTHER];

describe('a deploy', () => {
  test.each<[string, Partial<VersionFacts>, string]>([
    ['first replays', {}, 'verify'],
    ['then starts the worker', { verdicts: { replay: passed } }, 'start'],
    ['waits for it', { verdicts: { replay: passed }, worker: 'starting' }, 'await-pollers'],
    [
      'and until it polls every queue',
      { verdicts: { replay: passed }, worker: 'ready', unpolled: ['flink'] },
      'await-pollers',
    ],
    ['then tests the doors', { verdicts: { replay: passed }, worker: 'ready' }, 'smoke'],
    [
      'then makes it current',
      { verdicts: { replay: passed, smoke: passed }, worker: 'ready' },
      'make-current',
    ],
    ['is refused by a gate', { verdicts: { replay: failed } }, 'refused'],
    ['is not refused by what was before', { verdicts: { replay: before, watch: before } }, 'verify'],
    ['cannot go on without the directory', { hasFiles: false }, 'lost'],
  ])('%s', (_, change, kind) => {
    expect(nextStep(facts(change)).kind).toBe(kind);
  });

  test('goes through no gate where nothing serves that a gate could protect', () => {
    const versions = [
      version(OLD, { hasFiles: false, lastCurrentMs: 100 }),
      version(NEW, { worker: 'ready' }),
    ];
    expect(nextStep(facts({}, { versions })).kind).toBe('make-current');
    expect(nextStep(facts({ worker: 'ready' }, { currentBuild: undefined })).kind).toBe('make-current');
  });

  test('a rollback goes through no gate either', () => {
    const wish = { buildId: NEW, kind: 'rollback', wishedAtMs: WISHED } as const;
    expect(nextStep(facts({}, { wish })).kind).toBe('start');
    expect(nextStep(facts({ worker: 'ready' }, { wish })).kind).toBe('make-current');
  });

  test('a rollback does not wait for a queue that the build may never poll, but for that of workflows', () => {
    const wish = { buildId: NEW, kind: 'rollback', wishedAtMs: WISHED } as const;
    const unpolled = ['control', 'flink'];
    expect(nextStep(facts({ worker: 'ready', unpolled: ['flink'] }, { wish })).kind).toBe('make-current');
    expect(nextStep(facts({ worker: 'ready', unpolled }, { wish }))).toMatchObject({
      kind: 'await-pollers',
      unpolled: ['control'],
    });
  });
});

describe('what has become current', () => {
  const current = (verdicts: VersionFacts['verdicts'] = {}, more: Partial<DeployFacts> = {}): DeployFacts =>
    facts(
      {},
      {
        currentBuild: NEW,
        currentSinceMs: NOW - 60_000,
        wish: { buildId: NEW, kind: 'deploy', wishedAtMs: WISHED },
        versions: [
          version(OLD, { worker: 'ready', status: 'draining', lastCurrentMs: 100, ceasedMs: NOW - 60_000 }),
          version(NEW, { worker: 'ready', status: 'current', lastCurrentMs: NOW - 60_000, verdicts }),
        ],
        ...more,
      },
    );

  test('is watched as long as is configured, and has then proved itself', () => {
    expect(nextStep(current())).toEqual({ kind: 'watch', buildId: NEW, untilMs: NOW + 60_000 });
    expect(nextStep(current({}, { nowMs: NOW + 60_000 })).kind).toBe('pass-watch');
    expect(nextStep(current({ watch: passed })).kind).toBe('rest');
  });

  test('is taken back when more fails than before, to what was current before', () => {
    const failures = { failedRuns: 2, failedRunsBefore: 1, stuck: [] };
    expect(nextStep(current({}, { failures }))).toMatchObject({ kind: 'fail-watch', buildId: NEW });
    expect(nextStep(current({ watch: failed }))).toEqual({ kind: 'roll-back', buildId: OLD, from: NEW });
  });

  test('that is taken back waits for the worker of the other where it has ended', () => {
    const [old, present] = current({ watch: failed }).versions;
    const with_ = (worker: VersionFacts['worker']): DeployFacts =>
      current({}, { versions: [{ ...old!, worker }, present!] });
    expect(nextStep(with_('none'))).toEqual({ kind: 'start', buildId: OLD });
    expect(neededWorkers(with_('none')).get(OLD)).toBeDefined();
    expect(nextStep(with_('starting'))).toMatchObject({ kind: 'await-pollers', buildId: OLD });
  });

  test('is taken back to what has proved itself, not to what another deploy cut short', () => {
    const [old, present] = current({ watch: failed }).versions;
    const cutShort = (change: Partial<VersionFacts> = {}): VersionFacts =>
      version(OTHER, {
        ...{ worker: 'ready', status: 'draining', lastCurrentMs: NOW - 90_000, ceasedMs: NOW - 60_000 },
        ...{ verdicts: { replay: passed, smoke: passed }, ...change },
      });
    const target = (other: VersionFacts, proven: VersionFacts | undefined = old) =>
      rollbackTarget(current({}, { versions: [...(proven === undefined ? [] : [proven]), other, present!] }))
        ?.buildId;
    expect(target(cutShort())).toBe(OLD);
    expect(target(cutShort({ verdicts: { smoke: passed, watch: passed } }))).toBe(OTHER);
    expect(target(cutShort({ lastCurrentMs: NOW - 660_000 }))).toBe(OTHER);
    // Better than to leave what is known to be bad.
    expect(target(cutShort(), { ...old!, hasFiles: false })).toBe(OTHER);
  });

  test('is not watched where there is nothing to go back to', () => {
    const [, present] = current().versions;
    expect(nextStep(current({}, { versions: [present!] })).kind).toBe('rest');
  });

  test('is not watched, nor taken back, when it was wished after it had served for longer than a watch', () => {
    const since = { currentSinceMs: NOW - 121_000 };
    const wish = { buildId: NEW, kind: 'deploy', wishedAtMs: NOW - 500 } as const;
    const failures = { failedRuns: 2, failedRunsBefore: 1, stuck: [] };
    expect(nextStep(current({}, { ...since, wish, failures })).kind).toBe('rest');
    // What has proved itself is not put to the proof by being wished again.
    expect(nextStep(current({ watch: before }, { wish, failures })).kind).toBe('fail-watch');
    expect(nextStep(current({ watch: { ...before, passed: true } }, { wish, failures })).kind).toBe('rest');
  });

  test('goes on being watched when another build was wanted for a moment', () => {
    const wish = { buildId: NEW, kind: 'deploy', wishedAtMs: NOW - 500 } as const;
    expect(nextStep(current({}, { wish }))).toMatchObject({ kind: 'watch', untilMs: NOW + 60_000 });
  });

  test('a workflow task that fails again and again is a breach at once, and names the run', () => {
    const stuck = [
      { workflowId: 'ingest/1', attempt: 4 },
      { workflowId: 'job', attempt: 9, activity: 'recordJob' },
    ];
    expect(breachOf({ failedRuns: 0, failedRunsBefore: 9, stuck })).toBe(
      'the workflow task of ingest/1 has failed 3 times; others that hang: 1',
    );
    expect(breachOf({ failedRuns: 0, failedRunsBefore: 9, stuck: stuck.slice(1) })).toBe(
      'the activity recordJob of job has failed 8 times',
    );
    expect(breachOf({ failedRuns: 3, failedRunsBefore: 3, stuck: [] })).toBeUndefined();
  });

  test('the worker of the one before stays until the watch is over, though nothing is open there', () => {
    const drained = (verdicts: VersionFacts['verdicts']) => {
      const [old, present] = current(verdicts).versions;
      return current({}, { versions: [{ ...old!, status: 'drained' }, present!] });
    };
    expect([...neededWorkers(drained({})).keys()].sort()).toEqual([OLD, NEW]);
    expect([...neededWorkers(drained({ watch: passed })).keys()]).toEqual([NEW]);
  });
});

describe('the end of a worker', () => {
  test('waits for every open run, and for a status that the server has not yet told', () => {
    const needs = (change: Partial<VersionFacts>) =>
      neededWorkers(facts({}, { wish: undefined, versions: [version(OLD), version(OTHER, change)] })).get(
        OTHER,
      );
    expect(needs({ status: 'draining' })).toBe('draining');
    expect(needs({ status: 'drained', openRuns: 1 })).toBe('draining');
    expect(needs({ status: 'drained' })).toBeUndefined();
    expect(needs({ status: 'inactive' })).toBeUndefined();
  });

  test('what nobody can serve is told first, then what takes too long', () => {
    const versions = [
      version(NEW, { openRuns: 1, ceasedMs: NOW - 10, verdicts: { watch: failed } }),
      version(OTHER, { openRuns: 2, ceasedMs: NOW - 10_000 }),
      version('dddddddddddddddd', { openRuns: 3, hasFiles: false }),
    ];
    expect(drainingBuilds(facts({}, { versions }), 5_000)).toEqual([
      { buildId: 'dddddddddddddddd', openRuns: 3, isLost: true, isOverdue: false, isTakenBack: false },
      { buildId: OTHER, openRuns: 2, isLost: false, isOverdue: true, isTakenBack: false },
      { buildId: NEW, openRuns: 1, isLost: false, isOverdue: false, isTakenBack: true },
    ]);
  });
});

const anyVerdict: fc.Arbitrary<GateVerdict> = fc.record({
  passed: fc.boolean(),
  reason: fc.constant('because'),
  judgedAtMs: fc.integer({ min: 0, max: NOW }),
});
const anyVersion = (buildId: string): fc.Arbitrary<VersionFacts> =>
  fc.record({
    buildId: fc.constant(buildId),
    hasFiles: fc.boolean(),
    worker: fc.constantFrom('none', 'starting', 'ready'),
    unpolled: fc.constantFrom<readonly string[]>([], ['control'], ['flink']),
    status: fc.constantFrom('unknown', 'inactive', 'current', 'draining', 'drained'),
    openRuns: fc.integer({ min: 0, max: 3 }),
    lastCurrentMs: fc.option(fc.integer({ min: 1, max: NOW }), { nil: undefined }),
    ceasedMs: fc.option(fc.integer({ min: 1, max: NOW }), { nil: undefined }),
    verdicts: fc.record(
      Object.fromEntries(GATES.map((gate) => [gate, anyVerdict])) as Record<Gate, fc.Arbitrary<GateVerdict>>,
      { requiredKeys: [] },
    ),
  });
const anyFacts: fc.Arbitrary<DeployFacts> = fc.record({
  nowMs: fc.constant(NOW),
  wish: fc.option(
    fc.record({
      buildId: fc.constantFrom(...BUILDS),
      kind: fc.constantFrom('deploy', 'rollback'),
      wishedAtMs: fc.integer({ min: 0, max: NOW }),
    }),
    { nil: undefined },
  ),
  currentBuild: fc.option(fc.constantFrom(...BUILDS), { nil: undefined }),
  currentSinceMs: fc.option(fc.integer({ min: 1, max: NOW }), { nil: undefined }),
  versions: fc.tuple(...BUILDS.map(anyVersion)),
  failures: fc.record({
    failedRuns: fc.integer({ min: 0, max: 2 }),
    failedRunsBefore: fc.integer({ min: 0, max: 2 }),
    stuck: fc.constantFrom([], [{ workflowId: 'a', attempt: 5 }]),
  }),
  watchMs: fc.integer({ min: 0, max: NOW }),
});

describe('whatever the facts', () => {
  const find = ({ versions }: DeployFacts, buildId: string | undefined) =>
    versions.find((each) => each.buildId === buildId);

  test('there is a next step, and it is the same for whoever looks', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const step = nextStep(given);
        expect(stepSentences).toHaveProperty(step.kind);
        expect(nextStep(structuredClone(given))).toEqual(step);
      }),
    );
  });

  test('nothing that a gate has refused since it is wanted becomes current', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const step = nextStep(given);
        if (step.kind === 'make-current') expect(refusalOf(given)).toBeUndefined();
      }),
    );
  });

  test('where something serves, a deploy becomes current only through both gates, with every queue polled', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const step = nextStep(given);
        if (step.kind !== 'make-current') return;
        const wanted = find(given, step.buildId);
        expect(wanted).toMatchObject({ worker: 'ready', hasFiles: true });
        expect(wanted?.unpolled).not.toContain('control');
        if (given.wish?.kind === 'deploy') expect(wanted?.unpolled).toEqual([]);
        const current = find(given, given.currentBuild);
        const serves = current !== undefined && (current.hasFiles || current.worker !== 'none');
        if (!serves || given.wish?.kind === 'rollback') return;
        for (const gate of ['replay', 'smoke'] as const)
          expect(wanted?.verdicts[gate]).toMatchObject({ passed: true });
      }),
    );
  });

  test('the worker of the current build, and of every build with open runs, is needed', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const needs = neededWorkers(given);
        if (given.currentBuild !== undefined) expect(needs.has(given.currentBuild)).toBe(true);
        for (const { buildId, openRuns, status } of given.versions)
          if (openRuns > 0 || status === 'draining') expect(needs.has(buildId)).toBe(true);
      }),
    );
  });

  test('a rollback goes to a build that has served, can be started, and was not taken back itself', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const target = rollbackTarget(given);
        if (target === undefined) return;
        expect(target.hasFiles).toBe(true);
        expect(target.lastCurrentMs).toBeDefined();
        expect(target.buildId).not.toBe(given.currentBuild);
        expect(target.verdicts.watch?.passed).not.toBe(false);
      }),
    );
  });

  test('each step, taken, leads to another: a deploy ends', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        let now = given;
        for (let steps = 0; steps < 30; steps += 1) {
          const step = nextStep(now);
          if (['rest', 'refused', 'lost'].includes(step.kind)) return;
          now = taken(now, step);
        }
        expect.fail('it never comes to rest');
      }),
    );
  });
});

/** What the facts are once a step was taken and it went well. */
function taken(facts: DeployFacts, step: ReturnType<typeof nextStep>): DeployFacts {
  const nowMs = facts.nowMs + 1_000;
  const on = (buildId: string, change: (version: VersionFacts) => Partial<VersionFacts>): DeployFacts => ({
    ...facts,
    nowMs,
    versions: facts.versions.map((each) => (each.buildId === buildId ? { ...each, ...change(each) } : each)),
  });
  const judged = (gate: Gate, isPassed: boolean) => (each: VersionFacts) => ({
    verdicts: { ...each.verdicts, [gate]: { passed: isPassed, reason: 'why', judgedAtMs: nowMs } },
  });
  switch (step.kind) {
    case 'verify':
      return on(step.buildId, judged('replay', true));
    case 'smoke':
      return on(step.buildId, judged('smoke', true));
    case 'pass-watch':
      return on(step.buildId, judged('watch', true));
    case 'fail-watch':
      return on(step.buildId, judged('watch', false));
    case 'start':
      return on(step.buildId, () => ({ worker: 'starting' }));
    case 'await-pollers':
      return on(step.buildId, () => ({ worker: 'ready', unpolled: [] }));
    case 'make-current':
    case 'roll-back':
      return {
        ...on(step.buildId, () => ({ lastCurrentMs: nowMs })),
        currentBuild: step.buildId,
        currentSinceMs: nowMs,
      };
    case 'watch':
      return { ...facts, nowMs: step.untilMs };
    default:
      return facts;
  }
}
