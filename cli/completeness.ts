/** `hourglass completeness`: whether every hour is true, why one is not, and what becomes of it; each command is carried out in `cli/completeness/`. */
import { Command, Option } from 'commander';
import { pipelines } from '../pipelines/index.ts';
import { collected, hour, wholeNumber } from './arguments.ts';
import { auditCommand } from './audit.ts';
import { checkCompleteness } from './completeness/check.ts';
import { explainCompleteness } from './completeness/explain.ts';
import { showCompleteness } from './completeness/show.ts';

const DEFAULT_LIMIT = 100;

export function completenessCommand(): Command {
  const command = new Command('completeness').description('Whether every hour is true, and why one is not');
  ranged(command.command('show'))
    .description('A map of verdicts, locations × hours; the last day unless given')
    .addOption(cityOption())
    .addOption(
      new Option('--limit <number>', 'how many locations, those with the most flawed hours first')
        .default(DEFAULT_LIMIT)
        .argParser(wholeNumber),
    )
    .option('--json', 'print as JSON')
    .action(showCompleteness);
  ranged(command.command('check'))
    .description(
      'Judge hours now, and have repaired what is not complete; from where the last check ended unless given',
    )
    .addOption(cityOption())
    .option('--no-repair', 'only judge')
    .option('--wait', 'follow it to its end; exit code 1 unless every hour is good')
    .option('--json', 'print as JSON')
    .action(checkCompleteness);
  command
    .command('explain')
    .description('One hour: its verdict, the reason with its proofs, what it was before, its repair')
    .argument('<city>', 'a name, "name, country" or an id')
    .argument('<hour>', 'such as 2026-01-31T17, in UTC, or 3h ago', hour)
    .addOption(pipelineOption())
    .option('--json', 'print as JSON')
    .action(explainCompleteness);
  command.addCommand(auditCommand());
  return command;
}

const ranged = (command: Command): Command =>
  command
    .addOption(pipelineOption())
    .addOption(
      new Option('--from <hour>', 'the first hour, or a day: its midnight, UTC; or 36h, 3d ago').argParser(
        hour,
      ),
    )
    .addOption(
      new Option(
        '--to <hour>',
        'the end of the last hour, or the day to stop before; or 30h ago, or now',
      ).argParser(hour),
    );

function pipelineOption(): Option {
  const names = Object.keys(pipelines);
  return new Option('--pipeline <name>', 'whose hours').choices(names).default(names[0]);
}

const cityOption = (): Option =>
  new Option('--city <name or id>', 'one location, can be repeated; all unless given').argParser(collected);
