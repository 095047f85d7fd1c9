/** `hourglass dead-letters`: the records that could not become rows; each command is carried out in `cli/dead-letters/`. */
import { Command, Option } from 'commander';
import { pipelines } from '../pipelines/index.ts';
import { instant, wholeNumber } from './arguments.ts';
import { listDeadLetters } from './dead-letters/list.ts';
import { replayDeadLetters } from './dead-letters/replay.ts';
import { showDeadLetter } from './dead-letters/show.ts';

const DEFAULT_TIMEOUT_S = 600;

export function deadLettersCommand(): Command {
  const command = new Command('dead-letters').description('Records that could not become rows, and why');
  command
    .command('list')
    .description('The newest ones')
    .addOption(new Option('--topic <name>', 'of one topic'))
    .addOption(new Option('--since <time>', 'seen since then').argParser(instant))
    .option('--not-replayed', 'only those that were never replayed')
    .addOption(new Option('--limit <number>', 'how many').default(20).argParser(wholeNumber))
    .option('--json', 'print as JSON')
    .action(listDeadLetters);
  command
    .command('show')
    .description('One of them with its bytes')
    .argument('<topic>')
    .argument('<partition>', 'its partition', wholeNumber)
    .argument('<offset>', 'its offset', wholeNumber)
    .option('--raw', 'print nothing but the bytes')
    .option('--json', 'print as JSON, the bytes in base64')
    .action(showDeadLetter);
  addReplay(command);
  return command;
}

function addReplay(parent: Command): void {
  const names = Object.keys(pipelines);
  parent
    .command('replay')
    .description('Judge dead letters anew and publish those that are acceptable now; the others stay')
    .argument('[topic]', 'only those of this topic')
    .argument('[partition]', 'only those of this partition', wholeNumber)
    .argument('[offset]', 'only the one at this offset', wholeNumber)
    .addOption(new Option('--pipeline <name>', 'whose they are').choices(names).default(names[0]))
    .addOption(new Option('--since <time>', 'seen since then').argParser(instant))
    .addOption(new Option('--until <time>', 'seen before then').argParser(instant))
    .option('--all', 'every one of them')
    .option('--again', 'also those that were replayed before and are not stored')
    .option('--dry-run', 'show what would become of each, and change nothing')
    .option('--wait', 'follow it to its end')
    .addOption(
      new Option('--timeout <seconds>', 'how long to wait').default(DEFAULT_TIMEOUT_S).argParser(wholeNumber),
    )
    .option('--json', 'print as JSON')
    .action(replayDeadLetters);
}
