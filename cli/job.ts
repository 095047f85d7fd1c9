/** `hourglass job`: the commands to a Flink job and the questions about it; each is carried out in `cli/job/`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { StateCommandName } from '../domain/job-waiting.ts';
import { ACCEPTABLE } from '../schemas/candidate.ts';
import { UPGRADE_MODES } from '../schemas/job.ts';
import { wholeNumber } from './arguments.ts';
import { deploy } from './job/deploy.ts';
import { showExceptions } from './job/exceptions.ts';
import { listJobs } from './job/list.ts';
import { showHistory, showSavepoints } from './job/records.ts';
import { type SendOptions, sendRescale, sendSavepoint, sendStateCommand } from './job/send.ts';
import { showJob } from './job/show.ts';

const NAME = 'the job, as `npx hourglass job list` names it';
const DEFAULT_TIMEOUT_S = 300;
const DEFAULT_LIMIT = 20;

export function jobCommand(): Command {
  const command = new Command('job').description('The Flink jobs: how they are, and what they are to do');
  command
    .command('list')
    .description('All jobs, their states, and what is desired of them')
    .option('--json', 'print as JSON')
    .action(listJobs);
  question(command, 'show', 'One job: its state, version, health, next savepoint and open alert').action(
    showJob,
  );
  addCommands(command);
  question(command, 'savepoints', 'The savepoints of a job, the newest first')
    .addOption(limit())
    .action(showSavepoints);
  question(command, 'history', 'What happened to a job, the newest first')
    .addOption(limit())
    .action(showHistory);
  question(command, 'exceptions', 'Why the present submission of a job failed, as Flink tells it').action(
    showExceptions,
  );
  return command;
}

function addCommands(parent: Command): void {
  const stateCommand = (name: StateCommandName, description: string): Command =>
    sent(parent, name, description).action((job: string, options: SendOptions) =>
      sendStateCommand(name, job, options),
    );
  addDeploy(parent);
  stateCommand('rollback', 'Go back to the version before, and to its state from before the upgrade');
  sent(parent, 'rescale', 'Run the same version with another parallelism, from its own state')
    .addOption(parallelism().makeOptionMandatory())
    .action(sendRescale);
  stateCommand('suspend', 'Stop a job with a savepoint; `resume` goes on from there');
  stateCommand('resume', 'Let a job run again, from the state that was kept').addOption(acceptStateLoss());
  sent(parent, 'savepoint', 'Take a savepoint of a job that runs on')
    .addOption(
      new Option('--trigger-id <hex>', 'an id of yours: with the same id it is the same savepoint').argParser(
        hexId,
      ),
    )
    .action(sendSavepoint);
  stateCommand('restart', 'Submit a job again, from its own state or from another')
    .option('--from <savepoint>', 'the trigger id of a savepoint, the path of a snapshot, or "nothing"')
    .addOption(acceptStateLoss());
  stateCommand('stop', 'Stop a job with a savepoint and end its actor; `deploy` starts it again');
}

function addDeploy(parent: Command): void {
  sent(parent, 'deploy', 'Run the version that is defined now, from the state of the one before')
    .addOption(
      new Option('--version <version>', 'a version on record, by its name, in place of the one defined now'),
    )
    .addOption(parallelism())
    .addOption(
      new Option('--upgrade-mode <mode>', 'the state to start from: a savepoint unless told').choices([
        ...UPGRADE_MODES,
      ]),
    )
    .addOption(
      new Option(
        '--from <savepoint>',
        'start the new version from this snapshot: its trigger id or its path',
      ),
    )
    .addOption(acceptStateLoss())
    .addOption(
      new Option(
        '--dry-run',
        'only try whether the state fits, with the SQL of this checkout, into tables of its own',
      ).conflicts(['shadow', 'upgradeMode', 'from', 'acceptStateLoss']),
    )
    .addOption(
      new Option(
        '--shadow',
        'run it beside the job from the retained log, and cut over when its hours are equal',
      ).conflicts(['upgradeMode', 'from', 'acceptStateLoss']),
    )
    .addOption(
      new Option(
        '--accept-differences <names>',
        `with --shadow: cut over although these columns differ; also ${Object.keys(ACCEPTABLE).join(', ')}`,
      ).argParser((text) => text.split(',').map((each) => each.trim())),
    )
    .option('--yes', 'with --shadow: start it without asking')
    .action(deploy);
}

const question = (parent: Command, name: string, description: string): Command =>
  parent.command(name).description(description).argument('<name>', NAME).option('--json', 'print as JSON');

const sent = (parent: Command, name: string, description: string): Command =>
  question(parent, name, description)
    .option('--wait', 'follow it to its end')
    .addOption(
      new Option('--timeout <seconds>', 'how long to wait').default(DEFAULT_TIMEOUT_S).argParser(wholeNumber),
    )
    .option('--command-id <id>', 'an id of yours: two commands with one id are one command');

const parallelism = (): Option =>
  new Option('--parallelism <number>', 'how many subtasks each operator has').argParser(wholeNumber);

const acceptStateLoss = (): Option =>
  new Option('--accept-state-loss', 'start without state where there is none to start from');

const limit = (): Option =>
  new Option('--limit <number>', 'how many').default(DEFAULT_LIMIT).argParser(wholeNumber);

/** @throws InvalidArgumentError, which commander shows with the option's name */
function hexId(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text))
    throw new InvalidArgumentError(
      'Expected 32 hexadecimal digits, for example 0123456789abcdef0123456789abcdef.',
    );
  return text;
}
