/** `hourglass backfill`: past hours, planned and then loaded exactly as planned; each command is carried out in `cli/backfill/`. */
import { Command, Option } from 'commander';
import { pipelines } from '../pipelines/index.ts';
import { backfillInputs, backfillOrders, reprocessModes, unitSystems } from '../schemas/backfill.ts';
import { collected, wholeNumber } from './arguments.ts';
import { type CommandOptions, sendCommand } from './backfill/commands.ts';
import { planBackfills } from './backfill/plan.ts';
import { listAllBackfills, showBackfill } from './backfill/show.ts';
import { retryBackfills, startBackfills } from './backfill/start.ts';

const ID = 'its id, as `npx hourglass backfill list` names it';
const DEFAULT_LIMIT = 20;

export function backfillCommand(): Command {
  const command = new Command('backfill').description('Past hours: planned, then loaded exactly as planned');
  requested(command.command('plan'))
    .description('Show what would be loaded, and why the rest would not; stores the plan')
    .option('--windows', 'also list the hours of each location and day')
    .option('--json', 'print as JSON')
    .action(planBackfills);
  requested(command.command('start'))
    .description('Run a stored plan; or plan, show, confirm and run')
    .option('--plan <id>', 'the stored plan, instead of the other options')
    .option('--yes', 'do not ask')
    .option('--wait', 'follow it to its end; exit code 1 unless all of it was loaded')
    .option('--json', 'print as JSON')
    .action(startBackfills);
  command
    .command('list')
    .description('All backfills, the newest first')
    .addOption(new Option('--pipeline <name>', 'of one pipeline').choices(Object.keys(pipelines)))
    .addOption(new Option('--limit <number>', 'how many').default(DEFAULT_LIMIT).argParser(wholeNumber))
    .option('--json', 'print as JSON')
    .action(listAllBackfills);
  about(command, 'show', 'One backfill: its state, progress, rate, and what failed')
    .option('--watch', 'follow it to its end; exit code 1 unless all of it was loaded')
    .action(showBackfill);
  addCommands(command);
  return command;
}

function addCommands(parent: Command): void {
  about(parent, 'pause', 'Start no further chunk until it is resumed; those begun come to their end').action(
    (id: string, options: CommandOptions) => sendCommand('pause', id, options),
  );
  about(parent, 'resume', 'Go on with one that is paused').action((id: string, options: CommandOptions) =>
    sendCommand('resume', id, options),
  );
  about(parent, 'cancel', 'Start no further chunk, and end; what was loaded stays')
    .option('--now', 'break off what is under way, too')
    .action((id: string, options: CommandOptions) => sendCommand('cancel', id, options));
  about(parent, 'retry', 'Try once more what failed, or was cancelled, of one that has ended')
    .option('--wait', 'follow it to its end; exit code 1 unless all of it was loaded')
    .action(retryBackfills);
}

const about = (parent: Command, name: string, description: string): Command =>
  parent.command(name).description(description).argument('<id>', ID).option('--json', 'print as JSON');

/** Defaults other than the pipeline's are the request's own. */
function requested(command: Command): Command {
  const names = Object.keys(pipelines);
  return command
    .addOption(new Option('--pipeline <name>', 'whose hours').choices(names).default(names[0]))
    .option(
      '--from <hour>',
      'the first hour: 2026-01-30T17, or 2026-01-30 for its midnight, UTC; or 36h, 3d ago',
    )
    .option('--to <hour>', 'the end of the last hour, or the day to stop before; or 30h ago, or now')
    .addOption(
      new Option('--city <name or id>', 'one location, can be repeated; all unless given').argParser(
        collected,
      ),
    )
    .addOption(new Option('--input <what>', 'where from').choices(Object.keys(backfillInputs)))
    .option('--file <path>', 'of the input file: lines of JSON, gzipped or not')
    .addOption(new Option('--units <system>', "of the file's figures").choices(unitSystems))
    .addOption(new Option('--reprocess <which>', 'what is loaded').choices(Object.keys(reprocessModes)))
    .addOption(new Option('--order <order>', 'what comes first').choices(Object.keys(backfillOrders)))
    .addOption(new Option('--max-concurrency <number>', 'so many chunks at once').argParser(wholeNumber))
    .option('--reason <text>', 'why, for whoever reads the list');
}
