import { describe, expect, test } from 'vitest';
import { fakeDatabase } from '../../tests/support/fake-database.ts';
import { standingDocument, standingLine, standingOf, standingText } from './standing.ts';

const startedAt = new Date(Date.now() - 60_000);
const row = {
  ...{ backfill_id: 'weather-1', repeat: 1, windows: 1_000, skipped: {}, chunks: 4, calls: 8, seconds: 60 },
  request: { pipeline: 'weather', from: '2026-01-01T00:00:00Z', to: '2026-01-03T00:00:00Z' },
  ...{ status: 'running', workflow_id: 'backfill/weather-1', chunks_by_status: { done: 2 } },
  ...{ created_at: startedAt, started_at: startedAt, ended_at: null, error: null },
  file: { line: 12_345, published: 12_000, skipped: 300, malformed: 45 },
};
const database = fakeDatabase({
  'list-backfills': [row],
  'count-backfill-chunks': [
    { status: 'done', chunks: 2, windows: 500, calls: 4, records: 480 },
    { status: 'failed', chunks: 1, windows: 250, calls: 2, records: 0 },
    { status: 'fetching', chunks: 1, windows: 250, calls: 2, records: 0 },
  ],
  'done-windows-of-run': [{ windows: 500 }],
  'failed-backfill-chunks': [{ chunk_key: 'batch-1', window_count: 250, error: 'The API is away.' }],
});

describe('how a backfill stands', () => {
  test('is told with its state, progress, rate, counts, file and what failed', async () => {
    const text = standingText(await standingOf(database, 'weather-1'));
    expect(text).toContain('weather-1 is running: Its chunks are being loaded.');
    expect(text).toMatch(/Progress +█{15}░{15} 50 % {2}500 of 1,000 windows/);
    expect(text).toMatch(/Rate +(500|49\d) windows a minute, 30 s to go/);
    expect(text).toMatch(/Chunks +1 failed, 2 done, 1 fetching/);
    expect(text).toContain('read to line 12,345: 12,000 published, 300 skipped, 45 malformed');
    expect(text).toContain('  batch-1, 250 windows: The API is away');
  });

  test('is a line for whoever follows it, and data for a program', async () => {
    const standing = await standingOf(database, 'weather-1');
    expect(standingLine(standing)).toMatch(/^running {2}█{15}░{15} 50 % {2}500 of 1,000 windows, \d+/);
    expect(standingDocument(standing)).toMatchObject({
      ...{ id: 'weather-1', status: 'running', windows: 1_000 },
      progress: { done: 500, part: 0.5 },
      byStatus: { done: { windows: 500 }, pending: { windows: 0 } },
      failed: [{ key: 'batch-1', windows: 250, reason: 'The API is away.' }],
    });
  });
});
