/** The command line: knows the commands and how their failures are shown; each command is a file of its own. */
import { Command, CommanderError } from 'commander';
import { HourglassError, reasonOf } from '../domain/errors.ts';

/** 0 success · 1 it failed, and the message says why · 2 the command line is wrong · 3 the stack is not running. */
const EXIT = { failed: 1, usage: 2, notRunning: 3 } as const;

const program = new Command('hourglass')
  .description('Weather in, every hour true: Kafka, Flink SQL and PostgreSQL, run by Temporal workflows.')
  .exitOverride()
  .showHelpAfterError('(see hourglass --help)');

/** Loaded when they are asked for: what one command needs, another need not wait for. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).startCommand(),
  up: async () => (await import('./up.ts')).upCommand(),
  down: async () => (await import('./down.ts')).downCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  job: async () => (await import('./job.ts')).jobCommand(),
  locations: async () => (await import('./locations.ts')).locationsCommand(),
  schedules: async () => (await import('./schedules.ts')).schedulesCommand(),
  accounting: async () => (await import('./accounting.ts')).accountingCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
  backfill: async () => (await import('./backfill.ts')).backfillCommand(),
  completeness: async () => (await import('./completeness.ts')).completenessCommand(),
  'dead-letters': async () => (await import('./dead-letters.ts')).deadLettersCommand(),
  tour: async () => (await import('./tour.ts')).tourCommand(),
  config: async () => (await import('./config.ts')).configCommand(),
  migrate: async () => (await import('./migrate.ts')).migrateCommand(),
  mock: async () => (await import('./mock.ts')).mockCommand(),
  workers: async () => (await import('./workers.ts')).workersCommand(),
};
const [, , named = ''] = process.argv;
// Help, and the answer to a name that there is not, tell of them all.
for (const name of Object.hasOwn(commands, named) ? [named] : Object.keys(commands)) {
  const command = await commands[name]?.();
  if (command !== undefined) program.addCommand(command);
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
