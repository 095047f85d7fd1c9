import { describe, expect, test } from 'vitest';
import { FlinkRequestError, FlinkUnreachableError } from '../../clients/flink-errors.ts';
import type { FlinkJob } from '../../clients/flink-rest.ts';
import { healthInFlink, stateInFlink } from './in-flink.ts';

const unreachable = new FlinkUnreachableError('Flink JobManager', 'http://flink', 'refused', undefined);

/** Flink with one answer for the job; a thrown answer is an error. */
const flinkThatSays = (answer: Partial<FlinkJob> | Error | undefined) => ({
  async job() {
    if (answer instanceof Error) throw answer;
    return answer as FlinkJob | undefined;
  },
  checkpoints: async () => ({
    ...{ completed: 7, failed: 1, latestPath: undefined, latestAtMs: 9_000, latestFailure: undefined },
  }),
});

describe('the state in Flink', () => {
  test('is Flink’s own word, or ours for why there is none', async () => {
    expect(await stateInFlink(flinkThatSays({ state: 'RUNNING' }), 'a')).toBe('RUNNING');
    expect(await stateInFlink(flinkThatSays(undefined), 'a')).toBe('unknown');
    expect(await stateInFlink(flinkThatSays(unreachable), 'a')).toBe('does not answer');
    expect(await stateInFlink(flinkThatSays(new DOMException('late', 'TimeoutError')), 'a')).toBe(
      'does not answer',
    );
    expect(await stateInFlink(flinkThatSays(unreachable), null)).toBe('not submitted');
  });

  test('is the reason of an answer that is an error', async () => {
    const refused = new FlinkRequestError('describe it', 500, 'no memory');
    expect(await stateInFlink(flinkThatSays(refused), 'a')).toBe(refused.message);
  });
});

describe('the health in Flink', () => {
  test('has the age of the newest checkpoint, by the clock of the JobManager', async () => {
    expect(await healthInFlink(flinkThatSays({ state: 'RUNNING', now: 12_000 }), 'a')).toEqual({
      state: 'RUNNING',
      checkpointAgeMs: 3_000,
      completedCheckpoints: 7,
      failedCheckpoints: 1,
    });
  });

  test('has no checkpoints where Flink does not answer or does not know the job', async () => {
    for (const [answer, state] of [
      [unreachable, 'does not answer'],
      [undefined, 'unknown'],
    ] as const)
      expect(await healthInFlink(flinkThatSays(answer), 'a')).toEqual({
        state,
        checkpointAgeMs: null,
        completedCheckpoints: 0,
        failedCheckpoints: 0,
      });
    expect(await healthInFlink(flinkThatSays(unreachable), '')).toMatchObject({ state: 'not submitted' });
  });
});
