import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test, vi } from 'vitest';
import type { ReadLine } from '../clients/observation-file.ts';
import { HourglassError } from '../domain/errors.ts';
import { weather } from '../pipelines/weather/definition.ts';
import {
  BACKFILL,
  type FakeChunk,
  type FakeLedgerOptions,
  fakeBackfillLedger,
} from '../tests/support/fake-backfill-ledger.ts';
import { temporaryDirectories } from '../tests/support/temporary-directories.ts';
import { createBackfillFileActivities, type FilePosition, type FileStretch } from './backfill-file.ts';

const temporaryDirectory = temporaryDirectories();
const now = new Date('2026-03-01T12:00:00Z');
const BEGINNING: FilePosition = { line: 0, published: 0, skipped: 0, malformed: 0 };
const ALL_DAY = 2 ** 24 - 1;

/** `7 2026-01-01T00:10`; the text is the body. */
const readLine: ReadLine = (text) => {
  const [, id, at] = /^(\d+) (\S{16})$/.exec(text) ?? [];
  return id === undefined
    ? { kind: 'malformed', reason: `"${text.slice(0, 20)}" is no observation.` }
    : { kind: 'record', entityId: Number(id), observedAt: new Date(`${at}Z`), body: text };
};

const chunks: readonly FakeChunk[] = [
  {
    key: 'old',
    path: 'batch',
    firstDay: '2026-01-01',
    hours: { 7: [ALL_DAY], 8: [0b1] },
    status: 'fetching',
  },
  { key: 'new', path: 'stream', firstDay: '2026-01-02', hours: { 7: [0b10] }, status: 'fetching' },
  { key: 'done', path: 'batch', firstDay: '2026-01-05', hours: { 7: [ALL_DAY] }, status: 'done' },
];

interface WorldOptions extends Partial<FakeLedgerOptions> {
  readonly lines: readonly string[] | Buffer;
}

function worldOf({ lines, ...options }: WorldOptions) {
  const file = join(temporaryDirectory(), 'observations');
  writeFileSync(file, Array.isArray(lines) ? lines.join('\n') : (lines as Buffer));
  const request = { input: 'file', file, ...options.request } as const;
  const ledger = fakeBackfillLedger({ chunks, ...options, request });
  const units: string[] = [];
  const names: (string | undefined)[] = [];
  const { publishFile } = createBackfillFileActivities({
    ...{ database: ledger.database, kafka: ledger.kafka, pipelines: { weather }, sourceName: 'mock' },
    ...{ now: () => now },
    lineReaders: {
      weather: (given) => {
        units.push(given.units);
        names.push(given.locationOf(7)?.name, given.locationOf(9)?.name);
        return readLine;
      },
    },
  });
  const beats: unknown[] = [];
  const environmentOf = (heartbeatDetails?: unknown) => {
    const made = new MockActivityEnvironment({ heartbeatDetails }, { logger: new DefaultLogger('ERROR') });
    made.on('heartbeat', (details) => beats.push(details));
    return made;
  };
  return {
    ...{ ...ledger, file, units, names, beats },
    environmentOf,
    run: (from = BEGINNING, heartbeatDetails?: unknown, environment = environmentOf(heartbeatDetails)) =>
      environment.run(publishFile, { backfillId: BACKFILL, from }) as Promise<FileStretch>,
  };
}

const wanted = (count: number): string[] => Array.from({ length: count }, () => '7 2026-01-01T00:10');

describe('a file', () => {
  test('is published by whose windows its records are in; what is in none is counted, and what is none is refused', async () => {
    const world = worldOf({
      lines: gzipSync(
        [
          '7 2026-01-01T23:50',
          'seven',
          '',
          '8 2026-01-01T01:00',
          '7 2026-01-02T01:10',
          '8 2026-01-01T00:10',
        ].join('\n'),
      ),
    });
    const at = { line: 6, published: 3, skipped: 1, malformed: 1 };
    expect(await world.run()).toEqual({
      ...{ at, isEnd: true },
      stream: [{ partition: 0, first: 100, end: 101 }],
      batch: [{ partition: 0, first: 100, end: 102 }],
    });
    const origin = { source: 'mock', pipeline: 'weather', fetched_at: now.toISOString(), backfill: BACKFILL };
    expect(world.history()).toEqual([
      {
        ...{ key: '7', value: '7 2026-01-01T23:50' },
        headers: { ...origin, chunk: 'old', revision: '0' },
      },
      {
        ...{ key: '8', value: '8 2026-01-01T00:10' },
        headers: { ...origin, chunk: 'old', revision: '0' },
      },
    ]);
    expect(world.repairs()).toMatchObject([{ key: '7', headers: { chunk: 'new' } }]);
    expect(world.refused()).toEqual([
      {
        ...{ key: '', value: Buffer.from('seven') },
        headers: {
          ...{ ...origin, file: world.file, line: '2' },
          reason: 'line 2: "seven" is no observation.',
        },
      },
    ]);
    expect(world.files).toEqual([at]);
  });

  test('is read in the units of the request, metric unless told, with the registry at hand', async () => {
    const metric = worldOf({ lines: [] });
    await metric.run();
    expect(metric.units).toEqual(['metric']);
    expect(metric.names).toEqual(['Place 7', undefined]);
    const imperial = worldOf({ lines: [], request: { units: 'imperial' } });
    await imperial.run();
    expect(imperial.units).toEqual(['imperial']);
  });

  test('does not load again what a chunk that is done has loaded', async () => {
    const world = worldOf({ lines: ['7 2026-01-05T00:10', '7 2026-01-01T00:10'] });
    expect((await world.run()).at).toMatchObject({ published: 1, skipped: 1 });
  });

  test('without a line has ended', async () => {
    expect(await worldOf({ lines: [] }).run()).toEqual({
      ...{ at: BEGINNING, isEnd: true, stream: [], batch: [] },
    });
  });

  test('may hold lines that are longer than Kafka takes: as much as it takes is kept', async () => {
    const world = worldOf({ lines: ['x'.repeat(1_040_000), 'y'.repeat(1_040_000)] });
    expect((await world.run()).at).toMatchObject({ malformed: 2 });
    expect(world.refused().map(({ value }) => value.length)).toEqual([1_000_000, 1_000_000]);
    expect(world.batches).toEqual([1, 1]);
  });

  test('that is not there is an error that no retry mends', async () => {
    const world = worldOf({ lines: [], request: { file: '/nowhere/observations' } });
    await expect(world.run()).rejects.toMatchObject({
      code: 'OBSERVATION_FILE_UNREADABLE',
      retryable: false,
    });
    expect(world.files).toEqual([]);
  });

  test('that the request does not name is an error that no retry mends', async () => {
    const { kafka, database } = fakeBackfillLedger({ chunks });
    const { publishFile } = createBackfillFileActivities({
      ...{ database, kafka, pipelines: { weather }, sourceName: 'mock', now: () => now },
      lineReaders: { weather: () => readLine },
    });
    const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
    await expect(
      environment.run(publishFile, { backfillId: BACKFILL, from: BEGINNING }),
    ).rejects.toMatchObject({ code: 'NO_FILE', retryable: false });
  });
});

describe('a stretch', () => {
  test('ends after so many records, and the next one begins behind it', async () => {
    const world = worldOf({ lines: gzipSync([...wanted(250_000), 'x', ...wanted(10)].join('\n')) });
    const first = await world.run();
    expect(first).toMatchObject({ isEnd: false, at: { line: 250_000, published: 250_000 } });
    expect(first.batch).toEqual([{ partition: 0, first: 100, end: 250_100 }]);
    const second = await world.run(first.at);
    expect(second).toEqual({
      ...{ isEnd: true, at: { line: 250_011, published: 250_010, skipped: 0, malformed: 1 } },
      ...{ stream: [], batch: [{ partition: 0, first: 250_100, end: 250_110 }] },
    });
    expect(world.files).toEqual([first.at, second.at]);
    expect(Math.max(...world.batches)).toBe(1_000);
  });

  test('ends after five minutes, also when nothing of it was wanted', async () => {
    const world = worldOf({ lines: Array.from({ length: 25_000 }, () => '9 2026-01-01T00:10') });
    const clock = vi.spyOn(performance, 'now');
    try {
      let calls = 0;
      clock.mockImplementation(() => (calls++ < 2 ? 0 : 300_000));
      const first = await world.run();
      expect(first).toMatchObject({ isEnd: false, at: { published: 0 } });
      expect(first.at.line).toBe(first.at.skipped);
      expect(first.at.line).toBeGreaterThanOrEqual(10_000);
      expect(first.at.line).toBeLessThan(25_000);
    } finally {
      clock.mockRestore();
    }
  });
});

describe('a try', () => {
  test('that breaks off is gone on with behind the last packet that stands in Kafka, and counts nothing twice', async () => {
    const world = worldOf({ lines: [...wanted(3_500), 'x'] });
    world.onPublish((_, batch) => {
      if (batch === 3) throw new HourglassError('KAFKA', 'Kafka is away', { retryable: true });
    });
    await expect(world.run()).rejects.toThrow('Kafka is away');
    const reached = world.beats.at(-1);
    expect(reached).toEqual({
      ...{ at: { line: 2_000, published: 2_000, skipped: 0, malformed: 0 } },
      ...{ stream: [], batch: [{ partition: 0, first: 100, end: 2_100 }] },
    });
    world.onPublish(() => undefined);
    const before = world.history().length;
    const stretch = await world.run(BEGINNING, reached);
    expect(stretch.at).toEqual({ line: 3_501, published: 3_500, skipped: 0, malformed: 1 });
    expect(world.history()).toHaveLength(before + 1_500);
    expect(stretch.batch).toEqual([{ partition: 0, first: 100, end: 100 + before + 1_500 }]);
  });

  test('that publishes a later packet before an earlier one fails has not reached it', async () => {
    const world = worldOf({ lines: wanted(2_500) });
    world.onPublish(async (_, batch) => {
      if (batch !== 1) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
      throw new HourglassError('KAFKA', 'Kafka is away', { retryable: true });
    });
    await expect(world.run()).rejects.toThrow('Kafka is away');
    expect(world.history()).toHaveLength(1_000);
    expect(world.beats).toEqual([]);
  });

  test('reads on while a packet is being published, and not far', async () => {
    const world = worldOf({ lines: wanted(5_000) });
    let underWay = 0;
    let most = 0;
    world.onPublish(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 20));
      underWay -= 1;
    });
    await world.run();
    expect(most).toBe(2);
    expect(world.history()).toHaveLength(5_000);
  });

  test('that is cancelled ends as cancelled; what is being published comes to its end', async () => {
    const world = worldOf({ lines: wanted(20_000) });
    const environment = world.environmentOf();
    world.onPublish(async (_, batch) => {
      if (batch === 3) environment.cancel('CANCELLED');
      await new Promise((resolve) => setTimeout(resolve, 5));
    });
    await expect(world.run(BEGINNING, undefined, environment)).rejects.toBeInstanceOf(CancelledFailure);
    const published = world.history().length;
    expect(published).toBeLessThan(6_000);
    expect(world.beats.at(-1)).toMatchObject({ at: { published } });
    expect(world.files).toEqual([]);
  });
});
