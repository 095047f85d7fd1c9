import { describe, expect, test } from 'vitest';
import { dryRunAnswer } from './dry-run.ts';
import { replayEstimate, replayText } from './replay-estimate.ts';

const savepoint = { kind: 'savepoint', path: 'file:/savepoints/1' } as const;
const replay = replayEstimate(1_200_000);

describe('the answer of a dry run', () => {
  test('is that the state fits, once a checkpoint was completed', () => {
    expect(dryRunAnswer(savepoint, { end: 'checkpoint', seconds: 4 }, replay)).toEqual({
      verdict: 'fits',
      sentence: 'state fits: it was restored, ran, and completed a checkpoint after 4 s',
    });
  });

  test('says why the state does not fit, and what the way without it takes', () => {
    const trace = 'Cannot map checkpoint/savepoint state for operator ab12 to the new program, because …';
    expect(dryRunAnswer(savepoint, { end: 'failed', reason: trace, trace }, replay)).toEqual({
      verdict: 'doesNotFit',
      sentence:
        'state does not fit, because the saved state of operator ab12 has no place in the new version: what the SQL computes with state, or its order, has changed; a shadow upgrade (--shadow) would replay 1,200,000 records, about 3 minutes',
    });
  });

  test('tells a failure that has nothing to do with the state from one that has', () => {
    const failed = { end: 'failed', reason: 'ArithmeticException: / by zero', trace: '…' } as const;
    expect(dryRunAnswer(savepoint, failed, replay)).toEqual({
      verdict: 'fails',
      sentence: 'it fails when it runs, whatever it starts from: ArithmeticException: / by zero',
    });
    expect(dryRunAnswer(savepoint, { ...failed, end: 'refused' }, replay).sentence).toMatch(
      /^Flink refuses it/,
    );
  });

  test('is what a replay takes, where there is no state', () => {
    const origin = {
      kind: 'none',
      reason: 'a-stream does not run, and nothing of its state is kept',
    } as const;
    expect(dryRunAnswer(origin, undefined, replayEstimate(1))).toEqual({
      verdict: 'wouldReplay',
      sentence: `would replay 1 record, about 1 minute: ${origin.reason}`,
    });
  });

  test('admits that it could not be told', () => {
    expect(dryRunAnswer(savepoint, { end: 'untold', reason: 'it took too long' }, replay)).toEqual({
      verdict: 'untold',
      sentence: 'it could not be told whether the state fits: it took too long',
    });
  });
});

test('a replay never takes less than a minute in words, and grows with the records', () => {
  expect(replayText(replayEstimate(0))).toBe('would replay 0 records, about 1 minute');
  expect(replayEstimate(6_000_000).seconds).toBe(630);
});
