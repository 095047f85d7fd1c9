/** `hourglass reset`: says what a stack keeps, asks, and deletes it; the next start begins with nothing. */
import { Command } from 'commander';
import { type Config, loadConfig } from '../config/load.ts';
import {
  type Deletable,
  deletables,
  deleteAll,
  ResetRefusedError,
  requireNothingRuns,
} from '../stack/reset.ts';
import { isConfirmed } from './confirm.ts';
import { renderTable } from './table.ts';

export function resetCommand(): Command {
  return new Command('reset')
    .description('Delete all data of the stopped stack; the cache of downloads and .env stay')
    .option('--yes', 'do not ask')
    .option('--json', 'print what was deleted as JSON')
    .action(reset);
}

async function reset({ yes = false, json = false }: { yes?: boolean; json?: boolean }): Promise<void> {
  const config = loadConfig({ stackAddresses: false });
  const { dataDir } = config;
  await requireNothingRuns(dataDir);
  const chosen = deletables(dataDir);
  const say = json ? console.error : console.log;
  if (chosen.length === 0) {
    console.log(
      json ? JSON.stringify({ dataDir, deleted: [], left: [] }) : `There is nothing to delete in ${dataDir}.`,
    );
    return;
  }
  say(plannedText(config, chosen));
  if (!yes && !(await isConfirmed('Delete all of it?')))
    throw new ResetRefusedError('nobody said yes to it; with --yes nobody is asked.');
  // Between the question and the answer somebody may have started it.
  await requireNothingRuns(dataDir);
  const left = deleteAll(dataDir, chosen);
  if (json) console.log(JSON.stringify({ dataDir, deleted: chosen, left }, undefined, 2));
  else console.log(doneText(dataDir, left));
}

function plannedText({ dataDir, cacheDir, values }: Config, chosen: readonly Deletable[]): string {
  const foreign = (['POSTGRES_HOST', 'KAFKA_BROKERS', 'TEMPORAL_ADDRESS', 'FLINK_REST_URL'] as const).filter(
    (name) => values[name] !== undefined,
  );
  return [
    `Of the data directory ${dataDir} this would be deleted:`,
    '',
    renderTable(
      ['What', 'Size', 'Where'],
      chosen.map(({ path, what, bytes }) => [what, sizeText(bytes), path]),
      Number.POSITIVE_INFINITY,
    ),
    '',
    `The downloads in ${cacheDir} stay, and so does .env.`,
    ...(foreign.length === 0 ? [] : [`What services of yours hold (${foreign.join(', ')}) stays, too.`]),
  ].join('\n');
}

const sizeText = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;

const doneText = (dataDir: string, left: readonly string[]): string =>
  left.length === 0
    ? 'All of it is deleted; the next start begins with nothing.'
    : `All of it is deleted; the next start begins with nothing. What no stack made is left in ${dataDir}: ${left.join(', ')}.`;
