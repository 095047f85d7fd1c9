/** Makes the input of a job's command from the options of the command line, and refuses what the actor would refuse. */
import type { z } from 'zod';
import {
  type JobCommandInput,
  type JobCommandName,
  jobCommandSchemas,
  type UpgradeMode,
} from '../../schemas/job.ts';
import { UsageError } from '../usage-error.ts';

/** The options that are the command's own, by the names of its input. */
export interface CommandValues {
  readonly commandId?: string;
  readonly triggerId?: string;
  readonly from?: string;
  readonly acceptStateLoss?: boolean;
  readonly version?: string;
  readonly parallelism?: number;
  readonly upgradeMode?: UpgradeMode;
}

/** Thrown for a command whose options do not fit together. Nothing was asked of the job. */
class InvalidCommandError extends UsageError {
  constructor(command: string, name: string, mistakes: readonly string[]) {
    super('INVALID_COMMAND', `\`job ${command} ${name}\` was not sent: ${mistakes.join('; ')}.`);
  }
}

/** @throws InvalidCommandError */
export function inputOf<Name extends JobCommandName>(
  command: Name,
  name: string,
  values: CommandValues,
): JobCommandInput<Name> {
  const parsed = jobCommandSchemas[command].safeParse(values);
  if (!parsed.success)
    throw new InvalidCommandError(
      command,
      name,
      parsed.error.issues.map((issue) => mistakeOf(issue, values)),
    );
  return parsed.data as JobCommandInput<Name>;
}

function mistakeOf({ path, message }: z.core.$ZodIssue, values: CommandValues): string {
  const [field] = path;
  if (field === undefined) return message;
  const option = `--${String(field).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return `${option} is "${values[field as keyof CommandValues]}", ${message}`;
}
