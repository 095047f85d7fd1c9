import { describe, expect, test } from 'vitest';
import { CandidateNotAnsweringError, CandidateRunFailedError } from '../../clients/candidate-runs.ts';
import type { ShadowProgress, ShadowUpgradeResult } from '../../domain/shadow-upgrade.ts';
import { costsText, follow, requireSameAccepted } from './shadow.ts';

const workflowId = 'shadow-upgrade/a-stream/0123456789ab';
const comparison = {
  ...{ from: '2026-01-31T00:00:00.000Z', to: '2026-01-31T12:00:00.000Z' },
  ...{ compared: 10, differences: [], ranges: [] },
};
const result: ShadowUpgradeResult = {
  ...{ job: 'a-stream', version: '0123456789ab', outcome: 'cutOver', sentence: 'it runs' },
  ...{ comparison, notAccepted: [] },
};

/** A run that tells these, one at each question, and ends with the last. */
function runOf(told: readonly (ShadowProgress | Error)[], end: () => Promise<ShadowUpgradeResult>) {
  let release = (): void => undefined;
  const isOver = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = 0;
  return {
    workflowId,
    async progress(): Promise<ShadowProgress> {
      const next = told[asked];
      asked += 1;
      if (asked === told.length) release();
      if (next === undefined || next instanceof Error) throw next;
      return next;
    },
    result: () => isOver.then(end),
  };
}

describe('following a shadow upgrade', () => {
  test('tells each change once, also that no worker answers, and returns what it came to', async () => {
    const reading = { step: 'catchingUp', unread: 1_200 } as const;
    const away = new CandidateNotAnsweringError(workflowId, undefined);
    const lines: string[] = [];
    const run = runOf([reading, reading, away, { step: 'ended', comparison }], async () => result);
    expect(await follow(run, 60, (line) => lines.push(line))).toEqual(result);
    expect(lines).toEqual([
      'The candidate reads the log from its beginning; the job runs on. 1,200 records to read.',
      expect.stringContaining(`No worker answers for the workflow ${workflowId}`),
      expect.stringMatching(/nothing of the candidate is left\. 10 windows .* all are equal\.$/),
    ]);
  });

  test('ends with what the workflow ended with', async () => {
    const failure = new CandidateRunFailedError(workflowId, new Error('the candidate failed.'));
    const run = runOf([{ step: 'preparing' }], () => Promise.reject(failure));
    await expect(follow(run, 60, () => undefined)).rejects.toThrow(
      `the candidate failed. (The workflow ${workflowId} has ended so; nothing of the candidate is left.)`,
    );
  });

  test('gives up in time and says that the upgrade goes on', async () => {
    const run = { ...runOf([], async () => result), progress: async () => ({ step: 'comparing' }) as const };
    await expect(follow(run, 0, () => undefined)).rejects.toThrow(
      `has not ended within 0 s; the last that was seen: The candidate has read the log; its windows are compared with those of the job. It goes on as workflow ${workflowId}`,
    );
  });
});

describe('an upgrade that is under way already', () => {
  const accepting = (accepts: readonly string[]) => ({
    workflowId,
    progress: async (): Promise<ShadowProgress> => ({ step: 'comparing', accepts }),
  });

  test('is followed when it accepts the same, or nothing was said of it', async () => {
    await expect(requireSameAccepted(accepting(['b', 'a']), ['a', 'b', 'a'])).resolves.toBeUndefined();
    await expect(requireSameAccepted(accepting(['a']), undefined)).resolves.toBeUndefined();
  });

  test('and accepts something else is not taken for what was asked', async () => {
    await expect(requireSameAccepted(accepting([]), ['a'])).rejects.toThrow(
      `accepts no differences: follow it with no --accept-differences, or cancel the workflow ${workflowId}`,
    );
    await expect(requireSameAccepted(accepting(['a']), ['all'])).rejects.toThrow(
      'follow it with --accept-differences a',
    );
  });
});

test('what an upgrade takes is told before it starts', () => {
  const costs = { replay: { records: 1_200_000, seconds: 150 }, slots: 2, freeSlots: 2, bytes: 123_456_789 };
  expect(costsText('a-stream', { name: '0123456789ab' }, costs)).toBe(
    'Version 0123456789ab beside a-stream would replay 1,200,000 records, about 3 minutes. Until then it takes 2 of 2 free slots in Flink, and its tables take up to 124 MB; a-stream runs on.',
  );
});
