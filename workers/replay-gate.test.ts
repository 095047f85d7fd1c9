import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../config/load.ts';
import { judgeReplay } from '../domain/replay-report.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { buildWorker } from './bundle.ts';
import { readBundle } from './bundle-facts.ts';
import { askedTypes, quietReplays, replayGate, unreadableStates } from './replay-gate.ts';

const buildsDir = temporaryDirectories()();
const built = async (module: string): Promise<string> =>
  (await buildWorker({ buildsDir, workflowsPath: join(projectRoot, module) })).buildId;
const gate = (buildId: string, before?: string) =>
  replayGate({ buildsDir, buildId, before, runsOfEachType: 0, jobs: [] });

let present: string;
let broken: string;

beforeAll(async () => {
  quietReplays();
  present = await built('workflows/index.ts');
  broken = await built('tests/support/broken-actor-workflows.ts');
}, 120_000);

describe('the replay gate', () => {
  test('is passed by a build that does what the histories of the project say', async () => {
    const { moving, ...report } = await gate(present);
    expect(moving).toEqual(['flinkJob', 'backfill', 'checkCompleteness']);
    expect(judgeReplay(report, moving, [])).toEqual({ passed: true, refusals: [], notes: [] });
    expect(report.project).toBeGreaterThan(10);
    // What the recorded runs of the actor and of backfills carried over.
    expect(report.states).toBeGreaterThan(2);
  }, 60_000);

  test('is not passed by a broken actor, and says which workflow did what at which event', async () => {
    const { moving, ...report } = await gate(broken, present);
    const { passed, refusals } = judgeReplay(report, moving, []);
    expect(passed).toBe(false);
    expect(refusals.join('\n')).toMatch(
      /flinkJob \(history flinkJob\.stopped\), event \d+: the history says \w+, the code produced "Timer"\./,
    );
    expect(refusals.join('\n')).toContain(
      `build ${broken} cannot read what a run of ${broken} carries over: phase is not known.`,
    );
    expect(refusals.filter((text) => !text.startsWith('flinkJob'))).toEqual([]);
  }, 60_000);

  test('of a build with histories of before a change alone passes what they did, not what it cannot read of them', async () => {
    const given = 'flinkJob.after-continuing-as-new.json';
    const withEarlier = (of: string, buildId: string): string => {
      cpSync(join(buildsDir, of, 'workflows.js'), join(buildsDir, buildId, 'workflows.js'));
      const history = join(buildsDir, buildId, 'histories/earlier', `${given.slice(0, -5)}.0a0a0a0a.json`);
      cpSync(join(buildsDir, of, 'histories', given), history);
      return buildId;
    };
    const { moving, ...report } = await gate(withEarlier(broken, 'eeeeeeeeeeeeeeee'));
    expect(report).toMatchObject({ project: 1, states: 1 });
    expect(judgeReplay(report, moving, [])).toEqual({
      passed: false,
      refusals: [
        'flinkJob (flinkJob.after-continuing-as-new.0a0a0a0a): build eeeeeeeeeeeeeeee cannot read what a run of an earlier build carries over: phase is not known.',
      ],
      notes: [
        'Recorded before a workflow was changed, and of no run that this build takes over: flinkJob.after-continuing-as-new.0a0a0a0a.',
        'No recorded history is shipped with the build: only runs of the server were replayed.',
      ],
    });
  }, 60_000);

  test('is not passed by a build whose states the one before could not read after a rollback', () => {
    const states = [
      { type: 'flinkJob', name: 'flink-job/a', source: 'server', state: { name: 'a' } },
    ] as const;
    const [first, ...others] = unreadableStates(
      states,
      readBundle(buildsDir, present),
      readBundle(buildsDir, broken),
    );
    expect(others).toEqual([]);
    expect(first).toMatchObject({ reader: broken, writer: present, text: 'phase is not known' });
  });
});

test('the server is asked also for runs of types that the build has no more', () => {
  expect(askedTypes({ workflowTypes: ['a', 'b'] }, { old: { b: 1, gone: 2 }, older: {} })).toEqual([
    ...['a', 'b', 'gone'],
  ]);
});

describe('a bundle', () => {
  test('says which workflows it has and how it reads what they carry over', () => {
    const { workflowTypes, carriedStates } = readBundle(buildsDir, present);
    expect(workflowTypes).toEqual(expect.arrayContaining(['flinkJob', 'ingestWeather', 'smokeTest']));
    expect(workflowTypes).not.toContain('carriedStates');
    expect(carriedStates['flinkJob']?.safeParse({ name: 'a', phase: 'dancing' })).toMatchObject({
      success: false,
    });
  });
});
