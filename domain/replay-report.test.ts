import { describe, expect, test } from 'vitest';
import { faultOf, isStrict, judgeReplay, type ReplayFinding, type ReplayReport } from './replay-report.ts';

const BUILD = 'bbbbbbbbbbbbbbbb';
const diverged = {
  kind: 'diverged',
  eventId: 5,
  text: 'the history says A, the code produced "B".',
} as const;
const finding = (change: Partial<ReplayFinding> = {}): ReplayFinding => ({
  type: 'flinkJob',
  name: 'flinkJob.stopped',
  runId: 'r',
  source: 'project',
  mayMove: false,
  isOpen: false,
  fault: diverged,
  ...change,
});
const report = (change: Partial<ReplayReport> = {}): ReplayReport => ({
  ...{ buildId: BUILD, project: 17, server: 3, states: 1 },
  ...{ findings: [], unreadable: [], staying: {}, unchecked: [] },
  ...change,
});
const core = (message: string): string =>
  `Replay failed. Details: Workflow activation completion failed: Failure { failure: Some(Failure { message: "${message}", source: "", stack_trace: "/a/b.js:1\\n at x" }), force_cause: NonDeterministicError }`;

describe('the message of a failed replay', () => {
  test('names the event, what the history says and what the code produced', () => {
    const message = core(
      '[TMPRL1100] Nondeterminism error: Timer machine does not handle this event: HistoryEvent(id: 5, UpsertWorkflowSearchAttributes)',
    );
    expect(faultOf(message)).toEqual({
      kind: 'diverged',
      eventId: 5,
      text: 'the history says UpsertWorkflowSearchAttributes, the code produced "Timer".',
    });
  });

  test('of another difference is shown as it is, with its event where it tells one', () => {
    const text = "Activity type of scheduled event 'a' does not match activity type of activity command 'b'";
    expect(faultOf(core(`[TMPRL1100] Nondeterminism error: ${text}`))).toEqual({
      kind: 'diverged',
      eventId: undefined,
      text,
    });
    expect(
      faultOf(
        core('[TMPRL1100] Nondeterminism error: No command scheduled for event HistoryEvent(id: 9, Timer)'),
      ),
    ).toMatchObject({ eventId: 9 });
  });

  test('of a workflow that the build does not have, or that throws, is told apart', () => {
    const missing =
      "Failed to initialize workflow of type 'x': no such function is exported by the workflow bundle";
    expect(faultOf(core(missing))).toEqual({ kind: 'missing' });
    expect(faultOf(core('it is \\"broken\\"'))).toEqual({ kind: 'failed', text: 'it is "broken"' });
    expect(faultOf('something else')).toEqual({ kind: 'failed', text: 'something else' });
  });
});

describe('what refuses a build', () => {
  test.each<[string, Partial<ReplayFinding>, boolean]>([
    ['a changed actor whose histories were not recorded anew', {}, true],
    ['a changed workflow whose runs stay where they are', { type: 'ingestWeather' }, false],
    ['an open run of it that is pinned', { source: 'server', isOpen: true }, false],
    [
      'an open run that could be moved in its middle',
      { source: 'server', isOpen: true, mayMove: true, type: 'x' },
      true,
    ],
    ['a history from before a workflow was changed on purpose', { source: 'earlier' }, false],
    ['code that fails', { source: 'server', type: 'x', fault: { kind: 'failed', text: 'no' } }, true],
    ['a type that a checked-in history is of, and the build has not', { fault: { kind: 'missing' } }, true],
    ['a type that only an ended run was of', { source: 'server', fault: { kind: 'missing' } }, false],
  ])('%s', (_, change, expected) => {
    expect(isStrict(finding(change), ['flinkJob'])).toBe(expected);
  });

  test('is named with workflow, event and both sides; what is accepted is only told', () => {
    const given = report({ findings: [finding()] });
    const sentence =
      'flinkJob (history flinkJob.stopped), event 5: the history says A, the code produced "B".';
    expect(judgeReplay(given, ['flinkJob'], [])).toEqual({ passed: false, refusals: [sentence], notes: [] });
    expect(judgeReplay(given, ['flinkJob'], ['flinkJob'])).toEqual({
      passed: true,
      refusals: [],
      notes: [sentence],
    });
  });

  test('histories from before a change are told in one sentence', () => {
    const findings = ['a.x', 'a.y'].map((name) => finding({ name, source: 'earlier' }));
    expect(judgeReplay(report({ findings }), ['flinkJob'], [])).toEqual({
      passed: true,
      refusals: [],
      notes: ['Recorded before a workflow was changed, and of no run that this build takes over: a.x, a.y.'],
    });
  });

  test('a state that one of the builds cannot read refuses it', () => {
    const unreadable = [
      { type: 'flinkJob', name: 'flink-job/a', reader: 'old', writer: 'new', text: 'phase Invalid input' },
    ];
    expect(judgeReplay(report({ unreadable }), [], []).refusals).toEqual([
      'flinkJob (flink-job/a): build old cannot read what a run of new carries over: phase Invalid input.',
    ]);
  });

  test('runs that stay are counted, and a long list is cut', () => {
    const { passed, notes } = judgeReplay(
      report({
        staying: { aa: { ingestWeather: 1, backfill: 2 }, bb: { backfill: 1 }, cc: {} },
        findings: Array.from({ length: 14 }, (_, index) => finding({ type: 'x', name: `x.${index}` })),
        unchecked: ['One thing is not known.'],
      }),
      [],
      [],
    );
    expect(passed).toBe(true);
    expect(notes[0]).toBe('3 open runs stay on build aa: 1 ingestWeather, 2 backfill.');
    expect(notes[1]).toBe('1 open run stays on build bb: 1 backfill.');
    expect(notes.at(-2)).toBe('… and 4 more.');
    expect(notes.at(-1)).toBe('One thing is not known.');
    expect(notes).toHaveLength(14);
  });
});
