import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import type { KafkaRecord, OffsetRange } from '../clients/kafka-reader.ts';
import { DAY_MS, HOUR_MS } from '../domain/backfill-windows.ts';
import { type CompletenessInput, completenessInputSchema } from '../schemas/completeness.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import {
  type CompletenessDeps,
  createCompletenessActivities,
  historyStart,
  type JudgedStep,
} from './completeness.ts';

const PIPELINE = 'a-pipeline';
const topic = (name: string) => ({ name, partitions: 1, retentionMs: DAY_MS });
const pipelines = {
  [PIPELINE]: {
    name: PIPELINE,
    topics: {
      live: topic('live'),
      repairs: topic('repairs'),
      history: topic('history'),
      deadLetters: topic('dead'),
    },
    consumerGroup: 'a-group',
  } as PipelineDefinition,
};
const facts = {
  [PIPELINE]: {
    ...{ streamOwnsMs: 36 * HOUR_MS, hoursPerSpan: 24, callsPerSpan: 1, callsPerMinute: 60 },
    horizonMs: { history: 7 * DAY_MS, kafka: DAY_MS, file: null },
  },
};

type Rows = Parameters<typeof fakeDatabase>[0];
const check = (given: object = {}) => ({
  ...{
    check_id: 'a-check',
    judged_from: at('02-28T09'),
    judged_to: at('03-01T09'),
    counts: null,
    changed: null,
  },
  ...{ began_at: at('03-01T09'), ended_at: at('03-01T09'), stored_until: at('03-01T08'), log_ends: null },
  ...given,
});
const at = (text: string): Date => new Date(`2026-${text}:00:00Z`);

function world(rows: Rows = {}, given: Partial<CompletenessDeps> = {}) {
  const database = fakeDatabase({ 'begin-completeness-check': [check()], ...rows });
  const state = { now: new Date('2026-03-01T10:12:00Z'), committed: 3, records: [] as KafkaRecord[] };
  const activities = createCompletenessActivities({
    ...{ database, pipelines, facts, repairs: true, pollMs: 1 },
    kafka: {
      watermarks: async (name) => [
        { partition: 0, low: 0, high: name === 'live' ? 5 : 0 },
        { partition: 1, low: 7, high: 7 },
      ],
      committedOffsets: async () => new Map([[0, state.committed]]),
      offsetsAt: async () => new Map(),
      async read(name: string, ranges: readonly OffsetRange[], onRecords) {
        if (name === 'live' && ranges.length > 0) await onRecords(state.records);
      },
    },
    contracts: {
      [PIPELINE]: ({ value }) => ({
        kind: 'fits',
        entityId: Number(String(value)),
        observedAt: at('03-01T09'),
      }),
    },
    now: () => state.now,
    isOpenWorkflow: async () => false,
    ...given,
  });
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  const run = <T>(work: () => Promise<T>): Promise<T> => environment.run(work);
  return { database, state, activities, run };
}

const asked = (given: Partial<CompletenessInput> = {}) => {
  const { carried: _, ...rest } = completenessInputSchema.parse({
    pipeline: PIPELINE,
    source: 'a-source',
    ...given,
  });
  return rest;
};

describe('the beginning of a check', () => {
  test('by the schedule goes on from the last one, is put on record first, and takes up older hours that may be other now', async () => {
    const { database, activities, run } = world({
      'latest-completeness-check': [check({ judged_to: at('02-26T10') })],
      'changed-hours': [{ window_start: at('02-01T05') }, { window_start: at('01-31T23') }],
      'unsettled-hours': [{ window_start: at('02-01T04') }],
    });
    const begun = await run(() => activities.beginCompletenessCheck({ asked: asked(), id: 'this-check' }));
    expect(begun).toMatchObject({
      id: 'this-check',
      isOnRecord: true,
      overUntil: '2026-03-01T10:00:00.000Z',
    });
    expect(begun.ranges.map(({ from, to }) => `${from.slice(5, 13)}–${to.slice(5, 13)}`)).toEqual([
      ...[
        '02-28T10–03-01T10',
        '02-27T10–02-28T10',
        '02-26T10–02-27T10',
        '02-01T04–02-01T06',
        '01-31T23–02-01T00',
      ],
    ]);
    // Whatever is stored from here on is the next check's.
    const order = database.asked.map(({ name }) => name);
    expect(order.indexOf('begin-completeness-check')).toBeLessThan(order.indexOf('changed-hours'));
    expect(database.askedFor('changed-hours')).toEqual([[at('03-01T08'), at('02-26T10')]]);
    expect(database.askedFor('begin-completeness-check')[0]?.slice(0, 4)).toEqual([
      ...[PIPELINE, 'this-check', at('02-26T10'), at('03-01T10')],
    ]);
  });

  test('before any other takes up every hour that has rows', async () => {
    const { database, activities, run } = world();
    await run(() => activities.beginCompletenessCheck({ asked: asked(), id: 'this-check' }));
    expect(database.askedFor('changed-hours')).toEqual([[new Date(0), at('02-28T10')]]);
  });

  test('by hand is of its range alone, and leaves the record of checks as it is', async () => {
    const { database, activities, run } = world();
    const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T06:00:00Z' };
    const begun = await run(() => activities.beginCompletenessCheck({ asked: asked(range), id: 'by-hand' }));
    expect(begun.isOnRecord).toBe(false);
    expect(begun.ranges).toHaveLength(2);
    expect(database.askedFor('begin-completeness-check')).toEqual([]);
    const step = { begun, counts: {} as never, changed: 0 };
    expect(await run(() => activities.endCompletenessCheck({ asked: asked(range), ...step }))).toEqual([]);
    expect(database.askedFor('end-completeness-check')).toEqual([]);
  });

  test('notes where the log ends, but not of a partition that holds nothing, and who still repairs', async () => {
    const { activities, run } = world(
      {
        'repairs-of-windows': [{ repair_workflow_id: 'batch-job/a' }, { repair_workflow_id: 'batch-job/b' }],
      },
      { isOpenWorkflow: async (workflowId) => workflowId === 'batch-job/b' },
    );
    const begun = await run(() => activities.beginCompletenessCheck({ asked: asked(), id: 'this-check' }));
    expect(begun.logEnds).toEqual([{ topic: 'live', partition: 0, end: 5 }]);
    expect(begun.openRepairs).toEqual(['batch-job/b']);
  });

  test.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
  ])('repairs only when it is asked to (%s) and the switch is on (%s)', async (repair, repairs, does) => {
    const { activities, run } = world({}, { repairs });
    const begun = await run(() => activities.beginCompletenessCheck({ asked: asked({ repair }), id: 'a' }));
    expect(begun.repairs).toBe(does);
  });
});

describe('the wait for the stream', () => {
  const logEnds = [{ topic: 'live', partition: 0, end: 5 }];

  test('ends when it has read what was there', async () => {
    const { activities, run, state } = world();
    const waiting = run(() => activities.awaitReading({ pipeline: PIPELINE, logEnds, seconds: 60 }));
    state.committed = 5;
    expect(await waiting).toEqual({
      isBehind: false,
      reading: [{ topic: 'live', partition: 0, end: 5, committed: 5 }],
    });
  });

  test('ends when its time is over: then the stream is behind', async () => {
    const { activities, run } = world();
    expect(
      await run(() => activities.awaitReading({ pipeline: PIPELINE, logEnds, seconds: 0 })),
    ).toMatchObject({
      isBehind: true,
      reading: [{ committed: 3 }],
    });
    const never = [{ topic: 'live', partition: 9, end: 5 }];
    expect(
      await run(() => activities.awaitReading({ pipeline: PIPELINE, logEnds: never, seconds: 0 })),
    ).toMatchObject({
      isBehind: true,
      reading: [{ committed: null }],
    });
  });
});

const step = (given: Partial<JudgedStep> = {}): JudgedStep => ({
  ...{ asked: asked(), range: { from: '2026-03-01T09:00:00.000Z', to: '2026-03-01T10:00:00.000Z' } },
  begun: {
    at: '2026-03-01T10:12:00.000Z',
    overUntil: '2026-03-01T10:00:00.000Z',
    openRepairs: ['batch-job/b'],
  },
  ...{ isBehind: false, reading: [{ topic: 'live', partition: 0, end: 5, committed: 5 }] },
  ...given,
});
const record = (value: string, offset: number): KafkaRecord => ({
  ...{ partition: 0, offset, key: null, value: Buffer.from(value), headers: {}, publishedAt: at('03-01T09') },
});
const judged = { 'judge-windows': [{ verdict: 'missing', windows: 2, changed: 1 }] };
/** A window of which the log has told nothing yet; with places, one of which it has. */
const unexplained = (published: readonly object[] = []) => ({
  'windows-to-explain': (parameters: readonly unknown[]) =>
    parameters[6] === published.length > 0 ? [{ entity_id: 7, window_start: at('03-01T09'), published }] : [],
});
/** Entities and offsets of the records that the judging was told of. */
const toldOf = (database: ReturnType<typeof fakeDatabase>) =>
  database.askedFor('judge-windows').map((parameters) => [parameters[13], parameters[17]]);

describe('judging', () => {
  test('tells the query all that the check goes by', async () => {
    const { database, activities, run } = world(judged);
    expect(await run(() => activities.judgeRange(step()))).toMatchObject({
      changed: 1,
      byVerdict: { missing: 2 },
    });
    const [parameters] = database.askedFor('judge-windows');
    expect(parameters?.slice(0, 5)).toEqual([PIPELINE, 'a-source', at('03-01T09'), at('03-01T10'), null]);
    expect(parameters?.slice(9, 12)).toEqual([at('03-01T10'), 1, false]);
    expect(parameters?.slice(18, 20)).toEqual([3, new Date('2026-02-22T10:12:00Z')]);
    expect(parameters?.[22]).toEqual(['batch-job/b']);
  });

  test('goes by what was found in the log before, as long as it is not stored', async () => {
    const before = [{ topic: 'live', partition: 0, offset: 2 }];
    const { database, activities, run, state } = world({ ...judged, ...unexplained(before) });
    state.records = [record('7', 2)];
    await run(() => activities.judgeRange(step()));
    expect(toldOf(database)).toEqual([[[7], [2]]]);
  });

  test('looks into the log for what nothing explains, and judges again when there is something', async () => {
    const { database, activities, run, state } = world({ ...judged, ...unexplained() });
    state.records = [record('7', 2), record('8', 3)];
    expect(await run(() => activities.explainRange(step()))).toMatchObject({
      ...{ isWhole: true, judged: { byVerdict: { missing: 2 } } },
    });
    expect(toldOf(database)).toEqual([[[7], [2]]]);
  });

  test('does not judge again when the log tells nothing, and does not look while the stream is behind', async () => {
    const { database, activities, run, state } = world({ ...judged, ...unexplained() });
    expect(await run(() => activities.explainRange(step()))).toEqual({ isWhole: true });
    state.records = [record('7', 2)];
    expect(await run(() => activities.explainRange(step({ isBehind: true })))).toEqual({ isWhole: false });
    expect(database.askedFor('judge-windows')).toEqual([]);
  });
});

describe('the end of a check', () => {
  const ended = {
    asked: asked(),
    begun: { id: 'this-check', at: '2026-03-01T10:12:00.000Z', isOnRecord: true },
    ...{ counts: { missing: 2 } as never, changed: 4 },
  };
  const found = {
    'completeness-findings': [
      { verdict: 'missing', windows: 2, first_hour: at('03-01T09'), last_hour: at('03-01T09') },
    ],
    'has-windows-of': [{ has_any: true }],
  };

  test('is put on record, with one notice of all that was found since the last', async () => {
    const { database, activities, run } = world({
      ...found,
      'previous-completeness-check': [{ ended_at: at('03-01T09') }],
    });
    const alerts = await run(() => activities.endCompletenessCheck(ended));
    expect(alerts).toMatchObject([{ status: 'raised', kind: 'windows-incomplete' }]);
    expect(alerts[0]?.reason).toContain('2 missing');
    expect(database.askedFor('completeness-findings')[0]?.[2]).toEqual(at('03-01T09'));
    expect(database.askedFor('record-completeness-alert')[0]?.slice(0, 2)).toEqual([PIPELINE, 'this-check']);
    expect(database.askedFor('end-completeness-check')).toEqual([
      [PIPELINE, 'this-check', JSON.stringify({ missing: 2 }), 4],
    ]);
  });

  test('tells that checks end again when none did for hours', async () => {
    const { database, activities, run } = world({ 'silence-of-checks': [{ since: at('03-01T03') }] });
    expect(await run(() => activities.endCompletenessCheck(ended))).toMatchObject([
      { status: 'resolved', kind: 'check-missing' },
    ]);
    expect(database.askedFor('silence-of-checks')).toEqual([[PIPELINE, 'this-check']]);
  });

  test('that does not come is told by somebody else', async () => {
    const silent = { 'silence-of-checks': [{ since: at('03-01T07') }] };
    const { activities, run, state } = world(silent);
    expect(await run(() => activities.judgeSilence({ pipeline: PIPELINE }))).toMatchObject({
      kind: 'check-missing',
    });
    state.now = at('03-01T08');
    expect(await run(() => activities.judgeSilence({ pipeline: PIPELINE }))).toBeUndefined();
  });
});

test.each<[number | null, Date | null]>([
  [null, new Date(0)],
  [0, null],
  [DAY_MS, at('02-28T10')],
])('a history of %s ms reaches back to %s', (history, from) => {
  expect(historyStart({ horizonMs: { history, kafka: 0, file: null } }, at('03-01T10'))).toEqual(from);
});
