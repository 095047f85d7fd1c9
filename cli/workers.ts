/** `hourglass workers`: builds of the worker and their deploys; each command is carried out in `cli/workers/`. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { buildsDirectory } from '../stack/workers.ts';
import { collected } from './arguments.ts';
import type { DeployOptions } from './workers/deploy.ts';
import { drain } from './workers/drain.ts';
import { rollback } from './workers/rollback.ts';
import { runWorker } from './workers/run.ts';
import { status, versions } from './workers/status.ts';
import type { VerifyOptions } from './workers/verify.ts';

const BUILD = 'a build, as `npx hourglass workers versions` names it';
const ACCEPT = 'a workflow type whose incompatible histories do not refuse the build, can be repeated';

export function workersCommand(): Command {
  const command = new Command('workers').description('Workers: their builds, and deploys of them');
  addBuilds(command);
  addDeploys(command);
  return command;
}

function addBuilds(command: Command): void {
  command
    .command('build')
    .description('Build the worker of this checkout; its build id is a hash of its content')
    .option('--into <directory>', 'where the builds are kept')
    .option('--json', 'print as JSON')
    .action(build);
  command
    .command('run')
    .description('Run one more worker in the foreground: for some of the task queues, or for all')
    .option('--roles <task queues>', 'control, source-api, source-history, flink; comma-separated, or all')
    .option('--health-port <port>', 'where it answers GET /health, /ready and /metrics')
    .option('--build <id>', 'a build that was made before; this checkout unless told')
    .action(runWorker);
  command
    .command('verify')
    .description(
      'The replay gate alone: whether a build fits what runs have done; exit code 1 if it does not',
    )
    .argument('[build]', BUILD)
    .option('--accept <type>', ACCEPT, collected)
    .option('--record', 'store the verdict for the deploy that is under way')
    .option('--json', 'print as JSON')
    .action(async (named: string | undefined, options: VerifyOptions) =>
      (await import('./workers/verify.ts')).verify(named, options),
    );
}

function addDeploys(command: Command): void {
  command
    .command('deploy')
    .description('Deploy the build of this checkout through the gates; exit code 1 if it is refused')
    .option('--build <id>', BUILD)
    .option('--accept <type>', ACCEPT, collected)
    .option('--no-watch', 'return when it is current; it is watched further')
    .option('--no-wait', 'return at once; it is deployed further')
    .option('--json', 'print as JSON')
    .action(async (options: DeployOptions) => (await import('./workers/deploy.ts')).deploy(options));
  command
    .command('status')
    .description('Which build serves, how far a deploy is, and what is open on older builds')
    .option('--json', 'print as JSON')
    .action(status);
  command
    .command('versions')
    .description('All builds, and what their gates have said')
    .option('--json', 'print as JSON')
    .action(versions);
  command
    .command('rollback')
    .description('Make the build current that was so before, at once; or give up a deploy that is under way')
    .argument('[build]', `${BUILD}; the one before unless told`)
    .option('--json', 'print as JSON')
    .action(rollback);
  command
    .command('drain')
    .description('What is open on builds that are no longer current')
    .argument('[build]', BUILD)
    .option('--wait', 'return when nothing is')
    .option('--terminate', 'end the runs that no worker can serve any more')
    .option('--force', 'also those that their worker still serves')
    .option('--yes', 'do not ask')
    .option('--json', 'print as JSON')
    .action(drain);
}

async function build(options: { into?: string; json?: boolean }): Promise<void> {
  const buildsDir =
    options.into === undefined ? buildsDirectory(loadConfig().dataDir) : resolve(options.into);
  const { buildWorker } = await import('../workers/bundle.ts');
  const made = await buildWorker({ buildsDir });
  console.log(options.json ? JSON.stringify(made) : `Build ${made.buildId}, run with: node ${made.main}`);
}
