import { describe, expect, test } from 'vitest';
import {
  ReplayFailedError,
  ReplayNotAnsweringError,
  type ReplayRun,
} from '../../clients/dead-letter-replay.ts';
import { countsOf, type ReplayProgress } from '../../domain/dead-letter-replay.ts';
import { follow, incompleteness } from './replay.ts';

const counts = countsOf([{ outcome: 'stored', letters: 2 }]);
const workflowId = 'replay-dead-letters/weather/all=true';

/** A run that tells these, one at each question, and ends after the last. */
function runOf(told: readonly (ReplayProgress | Error)[], end: () => Promise<typeof counts>): ReplayRun {
  let asked = 0;
  let release = (): void => undefined;
  const isOver = new Promise<void>((resolve) => {
    release = resolve;
  });
  return {
    workflowId,
    async progress() {
      const next = told[Math.min(asked, told.length - 1)]!;
      asked += 1;
      if (asked >= told.length) release();
      if (next instanceof Error) throw next;
      return next;
    },
    result: () => isOver.then(end),
  };
}

describe('following a replay', () => {
  test('tells each change once, waits for a worker that is away, and returns what it came to', async () => {
    const settling = { step: 'settling', counts: countsOf([{ outcome: 'published', letters: 2 }]) } as const;
    const away = new ReplayNotAnsweringError(workflowId, undefined);
    const lines: string[] = [];
    const run = runOf([settling, settling, away, { step: 'ended', counts }], async () => counts);
    expect(await follow(run, 60, (line) => lines.push(line))).toEqual(counts);
    expect(lines).toEqual([
      'settling: 2 published',
      expect.stringContaining(`No worker answers for the workflow ${workflowId}`),
      'ended: 2 stored',
    ]);
  });

  test('ends with what the workflow ended with', async () => {
    const failure = new ReplayFailedError(workflowId, new Error('the topic is gone.'));
    const run = runOf([{ step: 'publishing', counts }], () => Promise.reject(failure));
    await expect(follow(run, 60, () => undefined)).rejects.toThrow(
      'ended without a result: the topic is gone. When that is mended',
    );
  });

  test('gives up in time and says that the replay goes on', async () => {
    const run = { ...runOf([], async () => counts), result: () => new Promise<never>(() => undefined) };
    run.progress = async () => ({ step: 'settling', counts });
    await expect(follow(run, 0, () => undefined)).rejects.toThrow(
      `has not ended within 0 s; the last that was seen: settling: 2 stored. It goes on as workflow ${workflowId}`,
    );
  });
});

describe('a replay that has ended', () => {
  test('is complete when each letter is stored, a duplicate, or refused by the contract', () => {
    expect(incompleteness({ ...counts, duplicate: 1, refused: 1 })).toEqual([]);
  });

  test('is not when the stream has not read a letter, or made nothing of one', () => {
    expect(incompleteness({ ...counts, published: 1 })).toEqual([
      expect.stringContaining('The stream has not read what was published'),
    ]);
    expect(incompleteness({ ...counts, lost: 1 })).toEqual([expect.stringContaining('Why a letter is lost')]);
  });
});
