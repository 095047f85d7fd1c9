/** The command line: knows the commands and how their failures are shown; each command is a file of its own. */
import { Command, CommanderError } from 'commander';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { accountingCommand } from './accounting.ts';
import { auditCommand } from './audit.ts';
import { configCommand } from './config.ts';
import { deadLettersCommand } from './dead-letters.ts';
import { downCommand } from './down.ts';
import { mockCommand } from './mock.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { upCommand } from './up.ts';
import { workersCommand } from './workers.ts';

/** 0 success · 1 it failed, and the message says why · 2 the command line is wrong · 3 the stack is not running. */
const EXIT = { failed: 1, usage: 2, notRunning: 3 } as const;

const program = new Command('hourglass')
  .description('Weather in, every hour true: Kafka, Flink SQL and PostgreSQL, run by Temporal workflows.')
  .exitOverride()
  .showHelpAfterError('(see hourglass --help)');
for (const command of [
  startCommand,
  upCommand,
  downCommand,
  statusCommand,
  accountingCommand,
  auditCommand,
  deadLettersCommand,
  configCommand,
  mockCommand,
  workersCommand,
]) {
  program.addCommand(command());
}
// Sub-commands made elsewhere do not inherit it.
const overrideExit = (command: Command): void => {
  command.exitOverride();
  for (const child of command.commands) overrideExit(child);
};
overrideExit(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  // Commander has printed its own message already; help that was asked for is no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  console.error(`hourglass: ${reasonOf(error)}`);
  return error instanceof HourglassError && error.code === 'STACK_NOT_RUNNING'
    ? EXIT.notRunning
    : EXIT.failed;
}
