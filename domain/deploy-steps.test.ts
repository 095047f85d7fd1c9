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
  neededWorkers,
  nextStep,
  rollbackTarget,
  type VersionFacts,
} from './deploy-steps.ts';

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
