/** `hourglass up`: starts everything in the background and returns when rows can flow. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { loadConfig, projectRoot } from '../config/load.ts';
import { HourglassError } from '../domain/errors.ts';
import { progressFile, readState } from '../stack/data-dir.ts';
import { AlreadyRunningError, SourceMismatchError } from '../stack/errors.ts';
import { isAlive } from '../stack/process-identity.ts';
import type { ProgressEvent } from '../stack/progress.ts';
import { createProgressView } from './progress-view.ts';
import { urlLines } from './status.ts';

/** Thrown when the supervisor that `up` started ended before it was ready; the message is its own last word. */
class StartFailedError extends HourglassError {
  constructor(logFile: string, lastWords: string) {
    super('START_FAILED', lastWords === '' ? `The stack did not start; see ${logFile}.` : lastWords);
  }
}

export function upCommand(): Command {
  return new Command('up')
    .description('Start everything in the background; returns when rows can flow')
    .option('--json', 'print the addresses as JSON')
    .action(up);
}

async function up(options: { json?: boolean }): Promise<void> {
  const { dataDir, values } = loadConfig({ stackAddresses: false });
  const running = readState(dataDir);
  if (running === undefined || !(await isAlive(running.supervisor)))
    await startInBackground(dataDir, options.json === true);
  else if (running.source !== values.WEATHER_SOURCE) {
    throw new SourceMismatchError(`The stack that runs on ${dataDir}`, running.source, values.WEATHER_SOURCE);
  } else if (running.phase !== 'ready') throw new AlreadyRunningError(running.supervisor.pid, dataDir);
  const state = readState(dataDir);
  console.log(options.json ? JSON.stringify(state, undefined, 2) : urlLines(state?.urls ?? {}).join('\n'));
}

async function startInBackground(dataDir: string, quiet: boolean): Promise<void> {
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  const logFile = join(dataDir, 'logs', 'supervisor.log');
  rmSync(progressFile(dataDir), { force: true });
  const log = openSync(logFile, 'w');
  const child = spawn(process.execPath, [join(projectRoot, 'cli/bin.js'), 'start', '--no-watch'], {
    cwd: projectRoot,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  const view = createProgressView(quiet ? process.stderr : process.stdout);
  try {
    let shown = 0;
    for (;;) {
      const events = readProgress(dataDir);
      for (const event of events.slice(shown)) view.report(event);
      shown = events.length;
      const state = readState(dataDir);
      // Until the new supervisor has written its own, the file may be what a killed one left.
      if (state?.phase === 'ready' && state.supervisor.pid === child.pid) return;
      if (ended) throw new StartFailedError(logFile, lastWords(logFile));
      await delay(100);
    }
  } finally {
    view.close();
  }
}

function readProgress(dataDir: string): ProgressEvent[] {
  const file = progressFile(dataDir);
  if (!existsSync(file)) return [];
  // A line that is still being written has no end yet.
  const complete = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return complete.map((line) => JSON.parse(line) as ProgressEvent);
}

function lastWords(logFile: string): string {
  const [, message] = readFileSync(logFile, 'utf8').split(/^hourglass: /m);
  return message?.trim() ?? '';
}
