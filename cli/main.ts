/** The command line: runs the command that is named, and shows how it failed; the commands are in `program.ts`. */
import { CommanderError } from 'commander';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { endWithTheReader } from './closed-output.ts';
import { createProgram, exitCodes } from './program.ts';
import { UsageError } from './usage-error.ts';

endWithTheReader();
try {
  await (await createProgram(process.argv[2])).parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  // Commander has printed its own message already; help that was asked for is no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
  console.error(`hourglass: ${reasonOf(error)}`);
  if (error instanceof UsageError) return exitCodes.usage;
  return error instanceof HourglassError && error.code === 'STACK_NOT_RUNNING'
    ? exitCodes.notRunning
    : exitCodes.failed;
}
