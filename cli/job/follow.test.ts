import { describe, expect, test } from 'vitest';
import { HourglassError } from '../../domain/errors.ts';
import { goalOf, type Standing, standingOf } from '../../domain/job-waiting.ts';
import { type JobState, jobStateSchema } from '../../schemas/job.ts';
import { follow } from './follow.ts';

const stateWith = (fields: Partial<JobState>): JobState =>
  jobStateSchema.parse({ name: 'counting', ...fields });

/** An actor that says one thing after another, and the last of them for ever. */
function actorThatSays(...answers: readonly (Partial<JobState> | Error | undefined)[]) {
  let asked = 0;
  return {
    async status(): Promise<JobState | undefined> {
      const answer = answers[Math.min(asked, answers.length - 1)];
      asked += 1;
      if (answer instanceof Error) throw answer;
      return answer === undefined ? undefined : stateWith(answer);
    },
  };
}

const goal = goalOf('resume', stateWith({}));
const judge = async (state: JobState | undefined): Promise<Standing> =>
  state === undefined ? { end: 'underWay' } : standingOf(goal, state);

function following(timeoutMs: number) {
  const lines: string[] = [];
  return {
    lines,
    options: {
      name: 'counting',
      recorded: stateWith({ phase: 'suspended' }),
      end: 'stable',
      timeoutMs,
      judge,
      tell: (line: string) => lines.push(line),
    },
  };
}

describe('a command that is followed', () => {
  test('is told of once for each phase or reason, up to its end', async () => {
    const { lines, options } = following(60_000);
    const actor = actorThatSays(
      { phase: 'suspended' },
      undefined,
      { phase: 'recovering', reason: 'no slot' },
      { phase: 'recovering', reason: 'no slot' },
      { phase: 'recovering', reason: 'no disk' },
      { phase: 'stable' },
    );
    const { standing, state } = await follow(actor, options);
    expect(standing).toEqual({ end: 'reached' });
    expect(state?.phase).toBe('stable');
    expect(lines).toEqual([
      'counting: its actor has not begun yet',
      'counting: recovering: no slot',
      'counting: recovering: no disk',
      'counting: stable: It runs, completes checkpoints, and reads what comes',
    ]);
  });

  test('is followed on while its actor does not answer', async () => {
    const { lines, options } = following(60_000);
    const silent = new HourglassError('ACTOR_NOT_ANSWERING', 'No worker answers.');
    const { standing } = await follow(actorThatSays(silent, { phase: 'stable' }), options);
    expect(standing).toEqual({ end: 'reached' });
    expect(lines[0]).toBe('counting: No worker answers');
  });

  test('that fails is told with its reason', async () => {
    const { options } = following(60_000);
    const { standing } = await follow(
      actorThatSays({ phase: 'failing', reason: 'the table is gone' }),
      options,
    );
    expect(standing).toEqual({ end: 'failed', reason: 'it is failing: the table is gone' });
  });

  test('that does not come to its end in time fails with what was seen last', async () => {
    const { options } = following(500);
    await expect(follow(actorThatSays({ phase: 'settling', reason: 'no slot' }), options)).rejects.toThrow(
      'counting: stable was not reached within 0.5 s; the last that was seen: settling: no slot. The command stands',
    );
  });
});
