/** `hourglass kafka`: the topics, the newest records of one, and how far the stream has read; each is in `cli/kafka/`. */
import { Command, Option } from 'commander';
import { wholeNumber } from './arguments.ts';
import { showLag } from './kafka/lag.ts';
import { tailTopic } from './kafka/tail.ts';
import { showTopics } from './kafka/topics.ts';

const DEFAULT_RECORDS = 10;

export function kafkaCommand(): Command {
  const command = new Command('kafka').description('The topics, what is in them, and how far it was read');
  command
    .command('topics')
    .description('All topics: what each is for, its partitions, records and retention')
    .option('--json', 'print as JSON')
    .action(showTopics);
  command
    .command('tail')
    .description('The newest records of a topic, the newest last')
    .argument('<topic>', 'as `npx hourglass kafka topics` names it, or what it is for, for example live')
    .addOption(new Option('-n, --limit <number>', 'how many').default(DEFAULT_RECORDS).argParser(wholeNumber))
    .addOption(new Option('--partition <number>', 'of one partition').argParser(wholeNumber))
    .option('-f, --follow', 'go on with the records that come, until Ctrl-C')
    .option('--json', 'print a JSON object for each record, one a line, with its whole value')
    .action(tailTopic);
  command
    .command('lag')
    .description('How far each stream has read its topics, as it last committed with a checkpoint')
    .option('--json', 'print as JSON')
    .action(showLag);
  return command;
}
