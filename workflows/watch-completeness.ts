/** Tells a person when no completeness check ends: one that hangs, fails or is paused cannot tell it itself. Started each hour. */
import { ApplicationFailure } from '@temporalio/workflow';
import { pipelineInputSchema } from '../schemas/workflow-inputs.ts';
import { judgeSilence, notify } from './completeness/calls.ts';
import { showWindow } from './scheduled-window.ts';

/** @returns whether somebody was told */
export async function watchCompleteness(input: unknown): Promise<boolean> {
  const parsed = pipelineInputSchema.safeParse(input);
  if (!parsed.success)
    throw ApplicationFailure.nonRetryable(`the input is not valid: ${parsed.error.message}`, 'INVALID_INPUT');
  showWindow();
  const alert = await judgeSilence(parsed.data);
  if (alert !== undefined) await notify(alert);
  return alert !== undefined;
}
