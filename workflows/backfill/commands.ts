/** The commands of a backfill: pause, resume and cancel, each an update that returns the state it has led to. */
import { ApplicationFailure, defineUpdate, setHandler } from '@temporalio/workflow';
import type { BackfillEvent, BackfillState } from '../../domain/backfill-states.ts';
import { cancelInputSchema } from '../../schemas/backfill.ts';
import { recordBackfill } from './calls.ts';
import type { BackfillRun } from './run.ts';

export function takeCommands(run: BackfillRun): void {
  const record = async (event: BackfillEvent): Promise<BackfillState> => {
    run.enter(await recordBackfill({ id: run.id, event }));
    return run.state;
  };
  const unlessCancelling = (command: string) => (): void => {
    if (run.isEnding) throw refusal(`${run.id} is coming to its end: it cannot be ${command}d any more`);
  };
  setHandler(defineUpdate<BackfillState>('pause'), () => record('paused'), {
    validator: unlessCancelling('pause'),
  });
  setHandler(defineUpdate<BackfillState>('resume'), () => record('resumed'), {
    validator: unlessCancelling('resume'),
  });
  setHandler(
    defineUpdate<BackfillState, [unknown?]>('cancel'),
    async (given = {}) => {
      const { now } = cancelInputSchema.parse(given);
      const state = await record('cancelAsked');
      if (now) run.scope.cancel();
      return state;
    },
    {
      validator(given = {}) {
        const { error } = cancelInputSchema.safeParse(given);
        if (error !== undefined) throw refusal('the input of cancel is {} or {"now": true}');
      },
    },
  );
}

const refusal = (message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, 'REFUSED');
