import { describe, expect, test } from 'vitest';
import { HOUR_MS } from '../domain/backfill-windows.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import type { KafkaRecord, OffsetRange } from './kafka-reader.ts';
import {
  explainedWindows,
  type LookInto,
  lookForLost,
  rangesAround,
  rangesOfPlaces,
  reachesBackTo,
  unexplainedWindows,
  wholeLog,
} from './lost-records.ts';
import type { InspectRecord } from './record-accounts.ts';

const hour = (number: number): Date => new Date(number * HOUR_MS);
/** A record is `<entity>@<minutes since 1970>`, or poison. */
const inspect: InspectRecord = ({ value }) => {
  const [, entityId, minutes] = /^(\d+)@(\d+)$/.exec(String(value)) ?? [];
  return entityId === undefined
    ? { kind: 'poison', reason: 'no record' }
    : { kind: 'fits', entityId: Number(entityId), observedAt: new Date(Number(minutes) * 60_000) };
};

/** One partition for each list; offsets begin at `low`. */
function log(partitions: readonly (readonly string[])[], low = 0) {
  const asked: (readonly OffsetRange[])[] = [];
  const recordOf = (partition: number, offset: number): KafkaRecord => ({
    ...{ partition, offset, key: null, headers: {}, publishedAt: hour(0) },
    value: Buffer.from(partitions[partition]?.[offset - low] ?? ''),
  });
  return {
    asked,
    watermarks: async () =>
      partitions.map((values, partition) => ({ partition, low, high: low + values.length })),
    offsetsAt: async (_: string, time: Date) =>
      new Map(
        partitions.map((values, partition) => [
          partition,
          Math.min(low + values.length, time.getTime() / HOUR_MS),
        ]),
      ),
    async read(
      _: string,
      ranges: readonly OffsetRange[],
      onRecords: (some: readonly KafkaRecord[]) => Promise<void>,
    ) {
      asked.push(ranges);
      for (const { partition, first, end } of ranges)
        await onRecords(
          Array.from({ length: end - first }, (__, index) => recordOf(partition, first + index)),
        );
    },
  };
}

/** Rows there are, by `<entity>@<minutes>`. */
const stored = (...keys: readonly string[]) =>
  fakeDatabase({
    'stored-keys': ([ids, times]) =>
      (ids as number[]).flatMap((id, place) =>
        keys.includes(`${id}@${(times as Date[])[place]!.getTime() / 60_000}`) ? [{ place }] : [],
      ),
  });

const read = (committed: number | null, partition = 0) => ({ topic: 'live', partition, committed, end: 99 });
const look = (given: Partial<LookInto> = {}): LookInto => ({
  ...{ topic: 'live', ranges: [{ partition: 0, first: 0, end: 99 }], reading: [read(99)] },
  contract: { pipeline: 'weather', inspect },
  windows: [{ entityId: 7, windowStart: hour(1) }],
  ...given,
});

describe('records that were published and are not stored', () => {
  test('are those of the windows, with their places; not poison, others, or what has a row', async () => {
    const kafka = log([['7@60', '7@61', 'poison', '8@62', '7@120', '7@119']]);
    const { lost: found, isWhole } = await lookForLost({ kafka, database: stored('7@61') }, look());
    expect(isWhole).toBe(true);
    const lost = { entityId: 7, windowStart: hour(1), topic: 'live', partition: 0 };
    expect(found).toEqual([
      { ...lost, offset: 0 },
      { ...lost, offset: 5 },
    ]);
  });

  test('are none that the stream has not read: these are on their way', async () => {
    const kafka = log([['7@60', '7@61', '7@62']]);
    const offsets = async (committed: number | null) =>
      (await lookForLost({ kafka, database: stored() }, look({ reading: [read(committed)] }))).lost.map(
        ({ offset }) => offset,
      );
    expect(await offsets(2)).toEqual([0, 1]);
    expect(await offsets(null)).toEqual([]);
    expect((await lookForLost({ kafka, database: stored() }, look({ reading: [] }))).lost).toEqual([]);
  });

  test('are sought as far as the topic holds records', async () => {
    const kafka = log([['7@60', '7@61']], 40);
    expect(await lookForLost({ kafka, database: stored() }, look())).toMatchObject({
      lost: [{ offset: 40 }, { offset: 41 }],
    });
    expect(kafka.asked).toEqual([[{ partition: 0, first: 40, end: 42 }]]);
  });
});

test('more than one answer holds are not told, and that is said', async () => {
  const many = Array.from({ length: 5_001 }, () => '7@60');
  const asked = look({ ranges: [{ partition: 0, first: 0, end: 5_001 }], reading: [read(5_001)] });
  const { lost, isWhole } = await lookForLost({ kafka: log([many]), database: stored() }, asked);
  expect([lost.length, isWhole]).toEqual([5_000, false]);
});

test('the log reaches back to an hour when it holds something older, or has lost nothing', async () => {
  const records = Array.from({ length: 20 }, () => 'poison');
  expect(await wholeLog(log([records, []], 4), 'live')).toEqual([{ partition: 0, first: 4, end: 24 }]);
  expect(await reachesBackTo(log([records], 4), 'live', hour(6))).toBe(true);
  expect(await reachesBackTo(log([records], 4), 'live', hour(4))).toBe(false);
  expect(await reachesBackTo(log([records]), 'live', hour(0))).toBe(true);
  // Of an empty partition nobody knows what it held.
  expect(await reachesBackTo(log([records, []], 4), 'live', hour(6))).toBe(false);
});

test('what was published around hours begins a little earlier and ends later, and empty partitions are left out', async () => {
  const kafka = log([Array.from({ length: 20 }, () => 'poison'), []]);
  const asked: Date[] = [];
  const around = await rangesAround(
    {
      ...kafka,
      offsetsAt: async (topic, time) => {
        asked.push(time);
        return kafka.offsetsAt(topic, time);
      },
    },
    { name: 'live', isLive: true },
    { from: hour(5), to: hour(6) },
  );
  expect(asked).toEqual([new Date('1970-01-01T04:50:00Z'), hour(9)]);
  expect(around).toEqual([{ partition: 0, first: expect.closeTo(4.83), end: 9 }]);
  // What was fetched, repaired or replayed was published at any time after the hour.
  const fetched = await rangesAround(
    kafka,
    { name: 'repairs', isLive: false },
    { from: hour(5), to: hour(6) },
  );
  expect(fetched).toEqual([{ partition: 0, first: expect.closeTo(4.83), end: 20 }]);
});

test('places that were found before are read again, neighbours together', () => {
  const place = (topic: string, partition: number, offset: number) => ({ topic, partition, offset });
  const window = { entityId: 7, windowStart: hour(1) };
  const ranges = rangesOfPlaces([
    { ...window, published: [place('live', 0, 4), place('live', 1, 5), place('repairs', 0, 9)] },
    { ...window, published: [place('live', 0, 5), place('live', 0, 9), place('live', 0, 4)] },
  ]);
  expect([...ranges]).toEqual([
    [
      'live',
      [
        { partition: 0, first: 4, end: 6 },
        { partition: 0, first: 9, end: 10 },
        { partition: 1, first: 5, end: 6 },
      ],
    ],
    ['repairs', [{ partition: 0, first: 9, end: 10 }]],
  ]);
});

test('windows that the log may explain, or has explained, are asked of the ledger', async () => {
  const database = fakeDatabase({
    'windows-to-explain': [{ entity_id: 7, window_start: hour(1), published: [] }],
  });
  const question = { pipeline: 'a-pipeline', from: hour(0), to: hour(9), entities: [7] };
  expect(await unexplainedWindows(database, question)).toEqual([
    { entityId: 7, windowStart: hour(1), published: [] },
  ]);
  await explainedWindows(database, question);
  const [first, second] = database.askedFor('windows-to-explain');
  expect([first?.[3], first?.[6]]).toEqual([['partial', 'missing', 'mismatched'], false]);
  // Also one that is being repaired, or is repaired no more, keeps its proven reason.
  expect([second?.[3], second?.[6]]).toEqual([
    ...[['partial', 'missing', 'mismatched', 'behind', 'repairing', 'unrepairable'], true],
  ]);
});
