import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type JobCommandName,
  type JobState,
  jobCommandSchemas,
  jobPolicySchema,
  jobStateSchema,
  NOTHING,
} from './job.ts';

const names = Object.keys(jobCommandSchemas) as JobCommandName[];
const triggerId = '0123456789abcdef0123456789abcdef';

/** What is wrong with the input of a command, as the person who gave it reads it; empty when it is right. */
const mistakesOf = (name: JobCommandName, given: unknown): string[] =>
  jobCommandSchemas[name]
    .safeParse(given)
    .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim()) ?? [];

describe('a command', () => {
  test.each(names)('%s needs no input, so that {} is enough in the Temporal UI', (name) => {
    const { acceptStateLoss, ...rest } = jobCommandSchemas[name].parse(undefined) as Record<string, unknown>;
    expect(rest).toEqual({});
    expect(acceptStateLoss ?? false).toBe(false);
    expect(jobCommandSchemas[name].parse({})).toEqual(jobCommandSchemas[name].parse(undefined));
  });

  test.each(names)('%s carries its id', (name) => {
    expect(jobCommandSchemas[name].parse({ commandId: 'deploy-7' })).toMatchObject({ commandId: 'deploy-7' });
    expect(mistakesOf(name, { commandId: 'x'.repeat(100) })).toEqual([]);
  });

  test.each(names)('%s refuses what is no input of its kind, and says what it expects', (name) => {
    for (const given of [null, 'now', 7, ['now'], true])
      expect(mistakesOf(name, given)).toEqual([expect.stringMatching(/^Invalid input: expected object, /)]);
    expect(mistakesOf(name, { commandId: 7 })).toEqual([
      'commandId Invalid input: expected string, received number',
    ]);
    expect(mistakesOf(name, { commandId: '' })).toEqual([expect.stringMatching(/^commandId Too small/)]);
    expect(mistakesOf(name, { commandId: 'x'.repeat(101) })).toEqual([
      expect.stringMatching(/^commandId Too big/),
    ]);
  });

  test.each(['deploy', 'resume', 'restart'] as const)(
    '%s accepts the loss of state only by a plain yes',
    (name) => {
      expect(jobCommandSchemas[name].parse({ acceptStateLoss: true })).toMatchObject({
        acceptStateLoss: true,
      });
      expect(mistakesOf(name, { acceptStateLoss: 'yes' })).toEqual([
        'acceptStateLoss Invalid input: expected boolean, received string',
      ]);
    },
  );
});

describe('savepoint', () => {
  test('takes the trigger id that the caller chose, of 32 hexadecimal digits', () => {
    expect(jobCommandSchemas.savepoint.parse({ triggerId })).toEqual({ triggerId });
    for (const wrong of ['', 'before-upgrade', triggerId.toUpperCase(), `${triggerId}0`])
      expect(mistakesOf('savepoint', { triggerId: wrong })).toEqual([
        'triggerId expected 32 hexadecimal digits',
      ]);
  });
});

describe('deploy', () => {
  const version = '0123456789ab';

  test('takes a version on record, what it starts from, how its state goes over, and its parallelism', () => {
    for (const given of [
      { version, from: 'file:/savepoints/1' },
      { version, from: triggerId, parallelism: 1 },
      { upgradeMode: 'checkpoint', parallelism: 128 },
      { upgradeMode: 'stateless', acceptStateLoss: true },
      { isStart: true },
    ])
      expect(jobCommandSchemas.deploy.parse(given)).toEqual({ acceptStateLoss: false, ...given });
  });

  test.each([
    ['a version that is no name of one', { version: 'latest' }, 'version expected 12 hexadecimal digits'],
    [
      'nothing as what to start from',
      { from: NOTHING },
      'from expected the trigger id of a savepoint, or the path of a snapshot (file:/…)',
    ],
    [
      'two answers to one question',
      { from: triggerId, upgradeMode: 'savepoint' },
      'what the new version starts from is told by from or by upgradeMode, not by both',
    ],
    [
      'the loss of state without a plain yes',
      { upgradeMode: 'stateless' },
      'to upgrade without state is to lose it: say so with acceptStateLoss (--accept-state-loss)',
    ],
  ])('refuses %s', (_, given, mistake) => {
    expect(mistakesOf('deploy', given)).toEqual([mistake]);
  });

  test.each([0, 129, 1.5, 'two'])('refuses a parallelism of %s', (parallelism) => {
    expect(mistakesOf('deploy', { parallelism })).toHaveLength(1);
  });
});

describe('restart', () => {
  test.each([triggerId, 'file:/data/savepoints/savepoint-1', 's3://bucket/checkpoints/chk-7'])(
    'begins from %s',
    (from) => {
      expect(jobCommandSchemas.restart.parse({ from })).toEqual({ from, acceptStateLoss: false });
    },
  );

  test('begins from nothing only when the loss of state is accepted', () => {
    expect(mistakesOf('restart', { from: NOTHING, acceptStateLoss: true })).toEqual([]);
    expect(mistakesOf('restart', { from: NOTHING })).toEqual([
      'to start from nothing is to lose the state: say so with acceptStateLoss (--accept-state-loss)',
    ]);
  });

  test('refuses what names no snapshot, and says what does', () => {
    for (const from of ['', 'yesterday', '/data/savepoints/1', 'Nothing', 7])
      expect(mistakesOf('restart', { from })).toEqual([
        'from expected the trigger id of a savepoint, the path of a snapshot (file:/…), or "nothing"',
      ]);
  });
});

describe('the policy', () => {
  test('has a default for each figure', () => {
    const policy = jobPolicySchema.parse({});
    expect(Object.keys(policy)).toEqual(Object.keys(jobPolicySchema.shape));
    for (const figure of Object.values(policy)) expect(Number.isInteger(figure)).toBe(true);
    expect(policy.backoffFirstMs).toBeLessThanOrEqual(policy.backoffMostMs);
  });

  test.each([
    ['a budget of no submission', { recoveryBudget: 0 }],
    ['a restart loop of one failure', { restartLoopFailures: 1 }],
    ['to keep no savepoint', { savepointsKept: 0 }],
    ['a time before now', { backoffFirstMs: -1 }],
    ['a part of a millisecond', { startupMs: 0.5 }],
    ['a time in words', { savepointEveryMs: '6 hours' }],
  ])('refuses %s', (_, wrong) => {
    const { error } = jobPolicySchema.safeParse(wrong);
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(Object.keys(wrong));
  });
});

describe('the state that an actor carries', () => {
  const full: JobState = {
    ...jobStateSchema.parse({ name: 'weather-stream' }),
    phase: 'stable',
    desired: 'suspended',
    isParked: true,
    desiredVersion: 'v2',
    version: 'v1',
    attempt: 3,
    jobId: triggerId,
    restorePath: 'file:/savepoints/1',
    restart: { from: '' },
    acceptsStateLoss: true,
    upgrades: {
      ...{ confirmed: 'v1', parallelism: 4, isRollingBack: true },
      pending: {
        ...{ version: 'v2', mode: 'checkpoint', from: '', deadlineMs: 1, failures: 1, givenUp: 'why' },
        previous: { version: 'v1', path: 'file:/savepoints/1', parallelism: 0 },
      },
      previous: { version: 'v0', parallelism: 0 },
      rejected: {
        ...{ version: 'v3', instead: 'v1', reason: 'why', atMs: 2, isByCommand: false, isSuperseded: true },
      },
    },
    failures: 2,
    stableSinceMs: 5,
    reason: 'why',
    savepointRequests: [{ triggerId, kind: 'manual' }],
    nextSavepointAtMs: 6,
    alert: { kind: 'job-failing', sinceMs: 7, isDelivered: true },
    sequence: 9,
    unrecorded: [
      {
        sequence: 9,
        atMs: 8,
        event: 'lost',
        phase: 'recovering',
        version: 'v1',
        attempt: 3,
        jobId: '',
        reason: '',
      },
    ],
    commandIds: ['a'],
    mostEvents: 50,
  };
  const fresh = jobStateSchema.parse({ name: 'weather-stream' });

  test('begins with a name alone: a new job that is to run', () => {
    expect(fresh).toMatchObject({
      phase: 'new',
      desired: 'running',
      isParked: false,
      attempt: 0,
      sequence: 0,
    });
    expect(fresh.policy).toEqual(jobPolicySchema.parse({}));
    expect([fresh.restart, fresh.alert]).toEqual([undefined, undefined]);
  });

  test('comes through a continue-as-new as it is', () => {
    expect(jobStateSchema.parse(JSON.parse(JSON.stringify(full)))).toEqual(full);
    expect(Object.keys(full).sort()).toEqual(Object.keys(jobStateSchema.shape).sort());
  });

  test('is read with defaults for whatever an earlier version did not know', () => {
    const fields = Object.keys(full).filter((field) => field !== 'name') as (keyof JobState)[];
    fc.assert(
      fc.property(fc.subarray(fields), (missing) => {
        const { ...earlier } = full as Partial<JobState>;
        for (const field of missing) delete earlier[field];
        const { ...expected } = full as Partial<JobState>;
        for (const field of missing) expected[field] = fresh[field] as never;
        expect(jobStateSchema.parse(earlier)).toEqual(expected);
      }),
    );
  });

  test('is read without what only a later version knows', () => {
    expect(jobStateSchema.parse({ ...full, addedLater: 1 })).toEqual(full);
  });

  test.each(['', 'Weather', '7days', 'a/b', 'a'.repeat(42)])(
    'is refused for a job of the name "%s"',
    (name) => {
      const { error } = jobStateSchema.safeParse({ name });
      expect(error?.issues.map(({ message }) => message)).toEqual([
        'expected lower-case letters, digits and hyphens',
      ]);
    },
  );
});
