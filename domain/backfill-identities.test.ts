import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backfillRequestSchema } from '../schemas/backfill.ts';
import {
  backfillId,
  backfillRequestKey,
  backfillWorkflowId,
  chunkKey,
  chunkWorkflowId,
} from './backfill-identities.ts';

const given = { pipeline: 'a-pipeline', from: '2026-01-01T00:00:00Z', to: '2026-01-31T00:00:00Z' };
const request = backfillRequestSchema.parse(given);

test('a request has the same key however it is written', () => {
  const written = {
    to: '2026-01-31T02:00:00+02:00',
    from: '2025-12-31T19:00:00-05:00',
    pipeline: 'a-pipeline',
    order: 'newest',
  };
  expect(backfillRequestKey(backfillRequestSchema.parse(written))).toBe(backfillRequestKey(request));
  expect(backfillRequestKey({ ...request, entities: undefined })).toBe(backfillRequestKey(request));
  expect(backfillRequestKey({ ...request, maxConcurrency: 9, reason: 'why' })).toBe(
    backfillRequestKey(request),
  );
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1 });
  fc.assert(
    fc.property(ids, (entities) => {
      const keys = [entities, entities.toReversed(), [...entities, ...entities]].map((each) =>
        backfillRequestKey(backfillRequestSchema.parse({ ...given, entities: each })),
      );
      expect(new Set(keys).size).toBe(1);
    }),
  );
});

test('whatever else is asked for gives another key', () => {
  const others = [
    request,
    { ...request, pipeline: 'another' },
    { ...request, to: '2026-01-31T01:00:00Z' },
    { ...request, entities: [1] },
    { ...request, entities: [1, 2] },
    { ...request, input: 'kafka' as const },
    { ...request, input: 'file' as const, file: 'one' },
    { ...request, input: 'file' as const, file: 'two' },
    { ...request, reprocess: 'all' as const },
    { ...request, order: 'oldest' as const },
    { ...request, purpose: 'repair' as const },
  ];
  expect(new Set(others.map(backfillRequestKey)).size).toBe(others.length);
});

test('ids can be read, and a repeated backfill has one of its own', () => {
  expect(backfillId(request, 1)).toMatch(/^a-pipeline-20260101T00-20260131T00-[0-9a-f]{12}$/);
  expect(backfillId(request, 2)).toBe(`${backfillId(request, 1)}-2`);
  expect(backfillWorkflowId('b')).toBe('backfill/b');
  expect(chunkWorkflowId('b', 'c')).toBe('backfill/b/c');
});

test('a chunk is known by its path and its windows', () => {
  const windows = { firstDay: '2026-01-01', entities: [{ id: 1, hours: [1] }] };
  const keys = [
    chunkKey('batch', windows),
    chunkKey('stream', windows),
    chunkKey('batch', { ...windows, firstDay: '2026-01-02' }),
    chunkKey('batch', { firstDay: '2026-01-01', entities: [{ id: 1, hours: [2] }] } as typeof windows),
  ];
  expect(keys[0]).toMatch(/^batch-20260101-[0-9a-f]{12}$/);
  expect(new Set(keys).size).toBe(4);
});
