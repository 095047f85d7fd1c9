/** All commands of `hourglass` and its exit codes; how a failure is shown is for `main.ts`, each command is a file of its own. */
import { Command } from 'commander';

/** What a command ends with; docs/cli.md holds them for the reader. */
export const exitCodes = {
  /** What was asked for is done, or what was to be compared agrees. */
  success: 0,
  /** It failed, and the message says why; or what was to be compared differs. */
  failed: 1,
  /** The command line is wrong; nothing was done. */
  usage: 2,
  /** The stack is not running, and no address of a service says where else to ask. */
  notRunning: 3,
} as const;

/** Loaded when they are asked for: what one command needs, another need not wait for. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).startCommand(),
  up: async () => (await import('./up.ts')).upCommand(),
  down: async () => (await import('./down.ts')).downCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  logs: async () => (await import('./logs.ts')).logsCommand(),
  reset: async () => (await import('./reset.ts')).resetCommand(),
  weather: async () => (await import('./weather.ts')).weatherCommand(),
  sql: async () => (await import('./sql.ts')).sqlCommand(),
  kafka: async () => (await import('./kafka.ts')).kafkaCommand(),
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

/** @param named the command that is asked for; help, and the answer to a name that there is not, tell of them all */
export async function createProgram(named = ''): Promise<Command> {
  const program = new Command('hourglass')
    .description('Weather in, every hour true: Kafka, Flink SQL and PostgreSQL, run by Temporal workflows.')
    .showHelpAfterError('(see hourglass --help)')
    .addHelpText(
      'after',
      `\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 the stack is not running; see docs/cli.md.`,
    );
  for (const name of Object.hasOwn(commands, named) ? [named] : Object.keys(commands)) {
    const command = await commands[name]?.();
    if (command !== undefined) program.addCommand(command);
  }
  overrideExit(program);
  return program;
}

/** Sub-commands made elsewhere do not inherit it. */
function overrideExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExit(child);
}
