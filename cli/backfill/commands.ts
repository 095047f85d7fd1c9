/** `hourglass backfill pause`, `resume` and `cancel`: tell the workflow of a backfill what is wanted, and say how it stands then. */
import { type BackfillCommand, commandBackfill } from '../../clients/backfill-control.ts';
import { backfillStates } from '../../domain/backfill-states.ts';
import { withTemporal } from '../with-temporal.ts';

export interface CommandOptions {
  /** Of `cancel`. */
  readonly now?: boolean;
  readonly json?: boolean;
}

export async function sendCommand(
  command: BackfillCommand,
  id: string,
  { now = false, json }: CommandOptions,
): Promise<void> {
  const state = await withTemporal((client, database) =>
    commandBackfill(client, database, { id, command, now }),
  );
  console.log(
    json
      ? JSON.stringify({ command, id, state }, undefined, 2)
      : `${id} is ${state}: ${backfillStates[state].description}`,
  );
}
