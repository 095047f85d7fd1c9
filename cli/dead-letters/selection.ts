/** Makes the selection of a replay from the command line, and refuses what the workflow would refuse. */
import { type ReplaySelection, replayInputSchema } from '../../schemas/workflow-inputs.ts';
import { UsageError } from '../usage-error.ts';

export interface SelectionOptions {
  readonly pipeline: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly all?: boolean;
  readonly again?: boolean;
}

/** Thrown for a replay whose arguments do not fit together. Nothing was replayed. */
class InvalidSelectionError extends UsageError {
  constructor(mistakes: readonly string[]) {
    super(
      'INVALID_SELECTION',
      `Nothing was replayed: ${mistakes.join('; ')}. For example \`hourglass dead-letters replay weather.observations.v1\`, \`--since 2026-01-31T00:00:00Z\`, or \`--all\`.`,
    );
  }
}

/** @throws InvalidSelectionError */
export function selectionOf(
  topic: string | undefined,
  partition: number | undefined,
  offset: number | undefined,
  { pipeline, since, until, all, again }: SelectionOptions,
): ReplaySelection {
  const parsed = replayInputSchema.safeParse({
    ...{ pipeline, topic, partition, offset, all, again },
    since: since?.toISOString(),
    until: until?.toISOString(),
  });
  if (!parsed.success)
    throw new InvalidSelectionError(
      parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')),
    );
  return parsed.data;
}
