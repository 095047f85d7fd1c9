/** What holds of a deploy's next step whatever the facts are, and that step by step it comes to its end. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NEW, NOW, OLD, OTHER } from '../tests/support/deploy-facts.ts';
import {
  type DeployFacts,
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
