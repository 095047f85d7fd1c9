/** `hourglass workers`: builds the worker of this checkout, and runs one more of them. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { buildsDirectory } from '../stack/workers.ts';
import { buildWorker } from '../workers/bundle.ts';
import { runWorker } from './workers/run.ts';

export function workersCommand(): Command {
  const command = new Command('workers').description('Workers and their builds');
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
  return command;
}

async function build(options: { into?: string; json?: boolean }): Promise<void> {
  const buildsDir =
    options.into === undefined ? buildsDirectory(loadConfig().dataDir) : resolve(options.into);
  const made = await buildWorker({ buildsDir });
  console.log(options.json ? JSON.stringify(made) : `Build ${made.buildId}, run with: node ${made.main}`);
}
