/** `hourglass logs`: the last lines of a service's log, and those that follow; the files are in the data directory. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import { HourglassError } from '../domain/errors.ts';
import { wholeNumber } from './arguments.ts';
import { untilInterrupted } from './interruption.ts';
import { stretch } from './job/format.ts';
import { followFile, lastLinesOf, placeOf } from './log-file.ts';
import { renderTable } from './table.ts';
import { UsageError } from './usage-error.ts';

const DEFAULT_LINES = 50;

export function logsCommand(): Command {
  return new Command('logs')
    .description('The log of a service; without a name, the logs that there are')
    .argument('[service]', 'as `npx hourglass status` names it, or `worker` for the newest worker')
    .addOption(new Option('-f, --follow', 'go on with the lines that come, until Ctrl-C').conflicts('json'))
    .addOption(
      new Option('-n, --lines <number>', 'how many of the last lines')
        .default(DEFAULT_LINES)
        .argParser(wholeNumber),
    )
    .addOption(new Option('--previous', 'the log of the run before').conflicts('follow'))
    .option('--json', 'print as JSON')
    .action(logs);
}

interface LogsOptions {
  readonly follow?: boolean;
  readonly lines: number;
  readonly previous?: boolean;
  readonly json?: boolean;
}

/** Thrown when there is no log at all: nothing was ever started on the data directory. */
class NoLogsError extends HourglassError {
  constructor(directory: string) {
    super(
      'NO_LOGS',
      `There is no log in ${directory}: nothing was started on it yet. Start with \`npx hourglass up\`.`,
    );
  }
}

/** Thrown for a service that has no log. */
class UnknownServiceError extends UsageError {
  constructor(name: string, known: readonly string[]) {
    super('UNKNOWN_SERVICE', `There is no log of a service "${name}"; there are: ${known.join(', ')}.`);
  }
}

/** Thrown when a service was started once only, or its earlier log was deleted. */
class NoPreviousLogError extends HourglassError {
  constructor(service: string, file: string) {
    super(
      'NO_PREVIOUS_LOG',
      `There is no log of a run of ${service} before this one (${file}): leave --previous out for the present one.`,
    );
  }
}

interface LogFile {
  readonly service: string;
  readonly file: string;
  readonly bytes: number;
  readonly writtenAt: Date;
}

async function logs(service: string | undefined, options: LogsOptions): Promise<void> {
  const directory = join(loadConfig().dataDir, 'logs');
  const found = logFiles(directory);
  if (found.length === 0) throw new NoLogsError(directory);
  if (service === undefined) {
    console.log(options.json ? JSON.stringify(found, undefined, 2) : listText(found));
    return;
  }
  const chosen = chooseLog(found, service);
  const file = options.previous ? `${chosen.file}.1` : chosen.file;
  // From here on Ctrl-C is the end that was meant, also while the first lines are shown.
  const interruption = options.follow ? untilInterrupted() : undefined;
  const end = placeOf(file);
  if (end === undefined && options.previous) throw new NoPreviousLogError(chosen.service, file);
  const lines = end === undefined ? [] : lastLinesOf(file, options.lines, end.size);
  if (options.json) console.log(JSON.stringify({ service: chosen.service, file, lines }, undefined, 2));
  else if (lines.length > 0) console.log(lines.join('\n'));
  // From where the lines end: what was written since then is not left out.
  if (interruption !== undefined)
    await followFile(file, (text) => process.stdout.write(text), interruption, end);
}

/** The newest first. */
function logFiles(directory: string): readonly LogFile[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .map((name) => {
      const file = join(directory, name);
      const { size, mtime } = statSync(file);
      return { service: name.slice(0, -'.log'.length), file, bytes: size, writtenAt: mtime };
    })
    .sort((a, b) => b.writtenAt.getTime() - a.writtenAt.getTime());
}

/** @throws UnknownServiceError */
function chooseLog(found: readonly LogFile[], service: string): LogFile {
  const chosen =
    found.find((log) => log.service === service) ??
    (service === 'worker' ? found.find((log) => log.service.startsWith('worker-')) : undefined);
  if (chosen === undefined) throw new UnknownServiceError(service, found.map((log) => log.service).sort());
  return chosen;
}

function listText(found: readonly LogFile[]): string {
  const rows = found.map(({ service, bytes, writtenAt, file }) => [
    service,
    `${Math.ceil(bytes / 1_024)} kB`,
    `${stretch(Date.now() - writtenAt.getTime())} ago`,
    file,
  ]);
  return renderTable(['Service', 'Size', 'Written', 'File'], rows, process.stdout.columns);
}
