import { describe, expect, test } from 'vitest';
import { replayInputSchema } from './workflow-inputs.ts';

const pipeline = 'weather';
const topic = 'weather.observations.v1';
const mistakesOf = (input: object): string[] =>
  replayInputSchema.safeParse({ pipeline, ...input }).error?.issues.map(({ message }) => message) ?? [];

describe('the selection of a replay', () => {
  test.each([
    { all: true },
    { topic },
    { topic, partition: 0 },
    { topic, partition: 0, offset: 0 },
    { since: '2026-01-31T00:00:00Z' },
    { until: '2026-01-31T00:00:00+01:00' },
    { topic, since: '2026-01-31T00:00:00Z', until: '2026-02-01T00:00:00Z', again: true },
  ])('%j is one', (input) => {
    expect(mistakesOf(input)).toEqual([]);
    expect(replayInputSchema.parse({ pipeline, ...input })).toMatchObject({
      again: false,
      all: false,
      ...input,
    });
  });

  test.each([
    [{}, 'nothing is selected: give a topic, since or until, or all to replay every dead letter'],
    [
      { again: true },
      'nothing is selected: give a topic, since or until, or all to replay every dead letter',
    ],
    [{ partition: 0 }, 'a partition needs its topic'],
    [{ topic, offset: 0 }, 'an offset needs its partition'],
    [{ topic, all: true }, 'all and a narrower selection exclude each other: leave one out'],
    [{ since: 'yesterday' }, 'expected a time, for example 2026-01-31T00:00:00Z'],
    [
      { since: '2026-02-01T00:00:00Z', until: '2026-01-01T00:00:00Z' },
      'since (2026-02-01T00:00:00Z) must lie before until (2026-01-01T00:00:00Z)',
    ],
  ])('%j is refused in a sentence', (input, mistake) => {
    expect(mistakesOf(input)).toEqual([mistake]);
  });

  test('a misspelt part is refused: it would select more than was meant', () => {
    expect(mistakesOf({ all: true, agian: true })).toEqual([expect.stringContaining('agian')]);
  });
});
