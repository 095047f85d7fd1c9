/** `hourglass schedules`: how Temporal's schedules differ from those declared, and bringing them there. */

import type { Client } from '@temporalio/client';
import { Command } from 'commander';
import type { ScheduleScope } from '../clients/declared-schedules.ts';
import {
  applySchedules,
  compareSchedules,
  differing,
  type ScheduleComparison,
} from '../clients/schedules.ts';
import { connectTemporal } from '../clients/temporal.ts';
import { temporalAddress } from '../config/addresses.ts';
import { loadConfig } from '../config/load.ts';
import type { ScheduleVerdict } from '../domain/schedule-differences.ts';
import { pipelinesNamed } from '../pipelines/index.ts';
import { type NotedRow, renderNotedTable } from './job/format.ts';
import { exitCodes } from './program.ts';

export function schedulesCommand(): Command {
  const command = new Command('schedules').description(
    "Temporal's schedules: whether they are as declared, and which runs they skipped or missed",
  );
  command
    .command('diff')
    .description('Each schedule against its declaration; exit code 1 when any differs')
    .option('--json', 'print as JSON')
    .action(diff);
  command
    .command('apply')
    .description('Make, change and delete schedules until they are as declared; paused ones stay paused')
    .option('--json', 'print as JSON')
    .action(apply);
  return command;
}

async function diff({ json }: { json?: boolean }): Promise<void> {
  const schedules = await withSchedules(compareSchedules);
  const different = differing(schedules);
  if (json) console.log(JSON.stringify(schedules, undefined, 2));
  else {
    console.log(describe(schedules));
    if (different.length > 0)
      console.log('\n`npx hourglass schedules apply` brings them to their declaration.');
  }
  if (different.length > 0) process.exitCode = exitCodes.failed;
}

async function apply({ json }: { json?: boolean }): Promise<void> {
  const mended = differing(await withSchedules(applySchedules));
  if (json) console.log(JSON.stringify(mended, undefined, 2));
  else if (mended.length === 0) console.log('Every schedule is as declared.');
  else
    console.log(mended.map(({ scheduleId, verdict }) => `${scheduleId} ${doneTo[verdict.kind]}`).join('\n'));
}

const doneTo: Readonly<Record<ScheduleVerdict['kind'], string>> = {
  as_declared: 'is as declared',
  differs: 'was changed',
  missing: 'was made',
  not_declared: 'was deleted',
};

const words: Readonly<Record<ScheduleVerdict['kind'], string>> = {
  as_declared: 'as declared',
  differs: 'differs',
  missing: 'missing',
  not_declared: 'not declared any more',
};

/** @throws StackNotRunningError, TemporalUnreachableError */
async function withSchedules<T>(ask: (client: Client, scope: ScheduleScope) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const { TEMPORAL_NAMESPACE, WEATHER_SOURCE, INGEST_SHARDS, PIPELINES } = config.values;
  const client = await connectTemporal(temporalAddress(config), TEMPORAL_NAMESPACE);
  try {
    const names = pipelinesNamed(PIPELINES).map(({ name }) => name);
    return await ask(client, { pipelines: names, source: WEATHER_SOURCE, shards: INGEST_SHARDS });
  } finally {
    await client.connection.close();
  }
}

const describe = (schedules: readonly ScheduleComparison[]): string =>
  renderNotedTable(
    ['Schedule', 'Declaration', 'Skipped', 'Missed', 'Taken', 'Next'],
    schedules.map(rowOf),
    process.stdout.columns,
  );

function rowOf({ scheduleId, verdict, record }: ScheduleComparison): NotedRow {
  const notes = [
    ...(verdict.kind === 'differs'
      ? verdict.differences.map(({ field, there, declared }) => `${field}: ${there} → ${declared}`)
      : []),
    ...(record?.isPaused ? [`paused${record.note === undefined ? '' : `: ${record.note}`}`] : []),
  ];
  const next = record?.isPaused ? 'paused' : (record?.nextAt?.toISOString().slice(0, 19) ?? '–');
  const figures =
    record === undefined ? ['–', '–', '–'] : [record.skipped, record.missed, record.taken].map(String);
  return { cells: [scheduleId, words[verdict.kind], ...figures, next], note: notes.join('\n    ') };
}
