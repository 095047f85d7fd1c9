/** `hourglass status`: the services and their addresses, the Flink jobs, and the newest observation. */
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import logUpdate from 'log-update';
import { createFlinkRestClient } from '../clients/flink-rest.ts';
import { connectDatabase, type Queries } from '../clients/postgres.ts';
import { flinkRestUrl, postgresAddress, StackNotRunningError } from '../config/addresses.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { reasonOf } from '../domain/errors.ts';
import { pipelinesNamed, tablesOf } from '../pipelines/index.ts';
import { readState, type StackState } from '../stack/data-dir.ts';
import { isAlive } from '../stack/process-identity.ts';
import { untilInterrupted } from './interruption.ts';
import { stateInFlink } from './job/in-flink.ts';
import { renderTable } from './table.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('Services, addresses, Flink jobs and the newest observation')
    .option('--watch', 'draw it again as it changes, until Ctrl-C; with --json an object a line')
    .option('--json', 'print as JSON')
    .action(status);
}

interface JobRow {
  readonly name: string;
  readonly state: string;
  readonly desired: string;
  readonly version: string | null;
  readonly attempt: number;
  readonly flink_job_id: string | null;
}

/** What cannot be asked is told as a reason in words, so that the rest is still shown. */
interface Status {
  readonly phase: StackState['phase'] | 'killed';
  readonly source: string;
  readonly urls: Readonly<Record<string, string>>;
  readonly services: readonly { name: string; phase: string; pid: number | null; restarts: number }[];
  readonly jobs: readonly (JobRow & { flink: string })[] | string;
  readonly newestObservation: { observedAt: string; storedAt: string; city: string } | string | null;
}

const WATCH_MS = 1_000;

interface StatusOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
}

async function status({ watch = false, json = false }: StatusOptions): Promise<void> {
  if (watch) {
    await watchStatus(json);
    return;
  }
  const known = await statusNow();
  console.log(json ? JSON.stringify(known, undefined, 2) : describe(known).join('\n'));
}

/** Reads the configuration anew: a stack that was started again may have other addresses. @throws StackNotRunningError */
async function statusNow(): Promise<Status> {
  const config = loadConfig();
  const state = readState(config.dataDir);
  if (state === undefined) throw new StackNotRunningError();
  return collect(config, state);
}

/** Ends with Ctrl-C, or, as a failure, when the stack is stopped. */
async function watchStatus(json: boolean): Promise<void> {
  const signal = untilInterrupted();
  const isDrawn = process.stdout.isTTY && !json;
  try {
    let before = '';
    while (!signal.aborted) {
      const known = await statusNow();
      const text = json ? JSON.stringify(known) : describe(known).join('\n');
      if (isDrawn) logUpdate(text);
      else if (text !== before) console.log(json ? text : `${text}\n`);
      before = text;
      await delay(WATCH_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    logUpdate.done();
  }
}

async function collect(config: Config, state: StackState): Promise<Status> {
  const alive = await isAlive(state.supervisor);
  return {
    phase: alive ? state.phase : 'killed',
    source: state.source,
    urls: state.urls,
    services: state.services.map(({ name, phase, process: identity, restarts }) => ({
      name,
      phase,
      pid: identity?.pid ?? null,
      restarts,
    })),
    ...(await askDatabase(config)),
  };
}

async function askDatabase(config: Config): Promise<Pick<Status, 'jobs' | 'newestObservation'>> {
  let database: ReturnType<typeof connectDatabase> | undefined;
  try {
    database = connectDatabase({ ...postgresAddress(config), connections: 1 }, tablesOf);
    const rows = await database.query<JobRow>('flink-jobs');
    const flink = createFlinkRestClient(flinkRestUrl(config));
    const jobs = await Promise.all(
      rows.map(async (row) => ({
        ...row,
        flink: await stateInFlink(flink, row.flink_job_id),
      })),
    );
    const newest = await newestOf(database, config);
    const newestObservation =
      newest === undefined
        ? null
        : {
            city: newest.city,
            observedAt: newest.observed_at.toISOString(),
            storedAt: newest.stored_at.toISOString(),
          };
    return { jobs, newestObservation };
  } catch (error) {
    return { jobs: reasonOf(error), newestObservation: reasonOf(error) };
  } finally {
    await database?.close();
  }
}

interface NewestRow {
  readonly city: string;
  readonly observed_at: Date;
  readonly stored_at: Date;
}

/** Of all pipelines that are run. */
async function newestOf(database: Queries, { values }: Config): Promise<NewestRow | undefined> {
  const rows: NewestRow[] = [];
  for (const { name } of pipelinesNamed(values.PIPELINES))
    rows.push(...(await database.query<NewestRow>('newest-observation', [], name)));
  return rows.toSorted((one, other) => other.observed_at.getTime() - one.observed_at.getTime())[0];
}

function describe({ phase, source, urls, services, jobs, newestObservation }: Status): string[] {
  const width = process.stdout.columns;
  return [
    phase === 'killed'
      ? 'The supervisor was killed: `npx hourglass up` starts again, `npx hourglass down` ends what it left.'
      : `The stack is ${phase}, source ${source}.`,
    '',
    renderTable(
      ['Service', 'State', 'Process', 'Restarts'],
      services.map((service) => [
        service.name,
        service.phase,
        String(service.pid ?? '–'),
        String(service.restarts),
      ]),
      width,
    ),
    '',
    ...urlLines(urls),
    '',
    typeof jobs === 'string'
      ? `Flink jobs: ${jobs}`
      : renderTable(
          ['Flink job', 'State', 'Desired', 'In Flink', 'Version', 'Submission', 'Job id'],
          jobs.map((job) => [
            job.name,
            job.state,
            job.desired,
            job.flink,
            job.version ?? '–',
            String(job.attempt),
            job.flink_job_id ?? '–',
          ]),
          width,
        ),
    '',
    newestObservation === null
      ? 'No observation yet.'
      : typeof newestObservation === 'string'
        ? `Newest observation: ${newestObservation}`
        : `Newest observation: ${newestObservation.city} at ${newestObservation.observedAt}, stored ${newestObservation.storedAt}.`,
  ];
}

/** The addresses a person wants to open, a line each. */
export const urlLines = (urls: StackState['urls']): string[] =>
  Object.entries(urls).map(([name, url]) => `${name.padEnd(12)} ${url}`);
