import { describe, expect, test } from 'vitest';
import { selectionOf } from './selection.ts';

const pipeline = 'weather';
const since = new Date('2026-01-31T00:00:00Z');

describe('the selection of a replay on the command line', () => {
  test('is what was given, and no more', () => {
    expect(selectionOf('a.topic', 0, 7, { pipeline })).toEqual({
      ...{ pipeline, topic: 'a.topic', partition: 0, offset: 7 },
      ...{ all: false, again: false },
    });
    expect(selectionOf(undefined, undefined, undefined, { pipeline, since, again: true })).toEqual({
      ...{ pipeline, since: '2026-01-31T00:00:00.000Z' },
      ...{ all: false, again: true },
    });
  });

  test('must be given: with none it is said how', () => {
    const none = () => selectionOf(undefined, undefined, undefined, { pipeline });
    expect(none).toThrow(/^Nothing was replayed: nothing is selected.*`--all`/);
    expect(none).toThrow(expect.objectContaining({ code: 'INVALID_SELECTION', retryable: false }));
  });

  test('names a mistake with its value', () => {
    expect(() => selectionOf('a topic', undefined, undefined, { pipeline })).toThrow(
      'topic: expected the name of a topic',
    );
    expect(() => selectionOf(undefined, undefined, undefined, { pipeline, since, until: since })).toThrow(
      'since (2026-01-31T00:00:00.000Z) must lie before until (2026-01-31T00:00:00.000Z)',
    );
  });
});
