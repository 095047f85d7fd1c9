import { describe, expect, test } from 'vitest';
import { CHUNK_STATES, type ChunkEvent } from '../domain/backfill-states.ts';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import {
  type ChunkNews,
  chunkOf,
  chunksOf,
  countsByStatus,
  nextChunks,
  recordChunk,
  recordChunks,
} from './chunk-ledger.ts';

const outline = { chunk_key: 'k', position: 3, path: 'batch', window_count: 2, calls: 1 };
const row = {
  ...outline,
  windows: { entities: [{ hours: [3], id: 7 }], firstDay: '2026-01-01' },
  ...{ status: 'failed', attempts: 2, records: 17, error: 'why' },
  ...{ offsets: null, failures: [] },
  ...{ started_at: new Date(0), finished_at: new Date(1) },
};

describe('chunks', () => {
  test('that come next are told without their windows', async () => {
    const database = fakeDatabase({ 'next-backfill-chunks': [outline] });
    expect(await nextChunks(database, { backfillId: 'b', after: 2, limit: 9 })).toEqual([
      { key: 'k', position: 3, path: 'batch', windowCount: 2, calls: 1 },
    ]);
    expect(database.askedFor('next-backfill-chunks')).toEqual([['b', 2, 9]]);
  });

  test('are read with what became of them, all or one', async () => {
    const database = fakeDatabase({ 'backfill-chunks': [row] });
    const chunk = await chunkOf(database, 'b', 'k');
    expect(chunk).toMatchObject({ key: 'k', status: 'failed', attempts: 2, records: 17, error: 'why' });
    // As it was when its key was made of it.
    expect(JSON.stringify(chunk.windows)).toBe('{"firstDay":"2026-01-01","entities":[{"id":7,"hours":[3]}]}');
    expect(await chunksOf(database, 'b')).toEqual([chunk]);
    expect(database.askedFor('backfill-chunks')).toEqual([
      ['b', 'k'],
      ['b', null],
    ]);
  });

  test('that are not on record are said to be none', async () => {
    const unknown = {
      code: 'UNKNOWN_CHUNK',
      message:
        'The backfill b has no chunk k on record: its plan was made anew, or the key is of another one.',
    };
    await expect(chunkOf(fakeDatabase(), 'b', 'k')).rejects.toMatchObject(unknown);
    await expect(
      recordChunk(fakeDatabase(), { backfillId: 'b', key: 'k', event: 'begun' }),
    ).rejects.toMatchObject(unknown);
  });

  test('are counted in every state', async () => {
    const done = { status: 'done', chunks: 2, windows: 48, calls: 3, records: 96 };
    const counts = await countsByStatus(fakeDatabase({ 'count-backfill-chunks': [done] }), 'b');
    expect(Object.keys(counts)).toEqual(CHUNK_STATES);
    expect(counts.done).toEqual({ chunks: 2, windows: 48, calls: 3, records: 96 });
    expect(counts.failed).toEqual({ chunks: 0, windows: 0, calls: 0, records: 0 });
  });
});

describe('what happens to a chunk', () => {
  async function record(status: string, event: ChunkEvent, more: Partial<ChunkNews> = {}) {
    const database = fakeDatabase({ 'lock-backfill-chunk': [{ status }] });
    const state = await recordChunk(database, { backfillId: 'b', key: 'k', event, ...more });
    return { state, written: database.askedFor('record-backfill-chunk') };
  }

  test('is written down as its states let it happen', async () => {
    expect(await record('pending', 'begun')).toEqual({
      state: 'fetching',
      written: [['b', 'k', 'fetching', true, false, null, null, null, null]],
    });
    expect(await record('fetching', 'published', { records: 5 })).toEqual({
      state: 'published',
      written: [['b', 'k', 'published', false, false, 5, null, null, null]],
    });
    expect((await record('loaded', 'finished')).written).toEqual([
      ['b', 'k', 'done', false, true, null, null, null, null],
    ]);
    const { written } = await record('fetching', 'gaveUp', { error: `\u0000${'x'.repeat(5_000)}` });
    expect(written).toEqual([['b', 'k', 'failed', false, true, null, `␀${'x'.repeat(3_999)}`, null, null]]);
  });

  test('is written down with where its records are and whom it could not get', async () => {
    const offsets = [{ partition: 0, first: 3, end: 5 }];
    const failures = [{ entityId: 7, reason: `no city${'.'.repeat(500)}` }];
    const { written } = await record('fetching', 'published', { records: 2, offsets, failures });
    expect(written[0]?.slice(5, 8)).toEqual([2, null, JSON.stringify(offsets)]);
    expect(JSON.parse(String(written[0]?.[8]))).toEqual([
      { entityId: 7, reason: `no city${'.'.repeat(293)}` },
    ]);
  });

  test('is written down of many at once, each from where it stands', async () => {
    const database = fakeDatabase({ 'record-backfill-chunks': [{ chunk_key: 'k' }, { chunk_key: 'l' }] });
    expect(await recordChunks(database, { backfillId: 'b', event: 'retried' })).toBe(2);
    await recordChunks(database, { backfillId: 'b', event: 'cancelled', keys: ['k'], error: 'why' });
    expect(database.askedFor('record-backfill-chunks')).toEqual([
      ['b', null, ['failed', 'cancelled'], ['pending', 'pending'], [false, false], false, null],
      [
        ...['b', ['k'], ['pending', 'fetching', 'published', 'loaded']],
        ...[Array(4).fill('cancelled'), Array(4).fill(true), false, 'why'],
      ],
    ]);
  });

  test('and means nothing in its state changes nothing', async () => {
    expect(await record('done', 'begun')).toEqual({ state: 'done', written: [] });
    expect(await record('published', 'begun')).toEqual({ state: 'published', written: [] });
    expect(await record('done', 'gaveUp', { error: 'late' })).toEqual({ state: 'done', written: [] });
    expect(await record('pending', 'finished')).toEqual({ state: 'pending', written: [] });
  });

  test('when it is begun once more is another attempt', async () => {
    expect((await record('fetching', 'begun')).written).toEqual([
      ['b', 'k', 'fetching', true, false, null, null, null, null],
    ]);
  });
});
