/**
 * The question: is what a dry run says of a change of the SQL what the real upgrade then does? Each change is first tried by a dry run and
 * then deployed through the job's actor, on a stack of its own; an upgrade that took is taken back before the next.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { CandidateRunFailedError, startDryRun } from '../clients/candidate-runs.ts';
import { jobActor } from '../clients/job-actor.ts';
import { definedVersion, type JobVersion, recordVersion } from '../clients/job-versions.ts';
import type { DryRunAnswer } from '../domain/dry-run.ts';
import { weather } from '../pipelines/weather/definition.ts';
import type { JobState } from '../schemas/job.ts';
import { choose, names, runCommand } from './support/command.ts';
import { ContestantFailedError } from './support/errors.ts';
import { machineFacts } from './support/machine.ts';
import { markdownTable, seconds, writeSection } from './support/results.ts';
import { type SqlChange, sqlChanges, TABLES_OF_CHANGES } from './support/sql-changes.ts';
import { type WholeStack, withWholeStack } from './support/whole-stack.ts';

interface Options {
  readonly only?: readonly string[];
}

const job = weather.job.name;
const UPGRADE_MS = 360_000;
const LOOK_MS = 300;

/** What became of an upgrade: it took, or the job runs the version before again, and why. */
interface Upgrade {
  readonly took: boolean;
  readonly reason: string;
  readonly seconds: number;
}

interface Row {
  readonly change: string;
  readonly answer: DryRunAnswer | { readonly verdict: 'refused'; readonly sentence: string };
  readonly drySeconds: number;
  readonly upgrade: Upgrade;
}

/** @throws ContestantFailedError when the job does not come to rest in time */
async function atRest(stack: WholeStack, holds: (state: JobState) => boolean): Promise<JobState> {
  const actor = jobActor(stack.temporal, job);
  const deadline = Date.now() + UPGRADE_MS;
  for (let last = 'it did not answer'; ; ) {
    const state = await actor.status().catch(() => undefined);
    if (state !== undefined) {
      const { phase, upgrades, version, desiredVersion } = state;
      const isDone = phase === 'stable' && upgrades.pending === undefined && version === desiredVersion;
      if (isDone && holds(state)) return state;
      last = `it is ${phase} on ${version}, ${desiredVersion} is desired: ${state.reason}`;
    }
    if (Date.now() > deadline) throw new ContestantFailedError(job, last);
    await delay(LOOK_MS);
  }
}

async function deploy(stack: WholeStack, version: string): Promise<Upgrade> {
  const beganAt = performance.now();
  await jobActor(stack.temporal, job).command('deploy', { version });
  const state = await atRest(
    stack,
    ({ version: runs, upgrades }) => runs === version || upgrades.rejected?.version === version,
  );
  const took = state.version === version;
  const reason = took ? '' : (state.upgrades.rejected?.reason ?? '');
  return { took, reason, seconds: (performance.now() - beganAt) / 1_000 };
}

async function takeBack(stack: WholeStack, version: string): Promise<void> {
  await jobActor(stack.temporal, job).command('rollback', {});
  await atRest(stack, ({ version: runs }) => runs === version);
}

async function tryOut(stack: WholeStack, version: string): Promise<Row['answer']> {
  try {
    return await (await startDryRun(stack.temporal, { job, version })).result();
  } catch (error) {
    if (!(error instanceof CandidateRunFailedError)) throw error;
    return { verdict: 'refused', sentence: error.message };
  }
}

async function measure(stack: WholeStack, changes: readonly SqlChange[]): Promise<void> {
  for (const statement of TABLES_OF_CHANGES) await stack.sql.query(statement);
  const { POSTGRES_PIPELINE_USER: writer } = stack.services.context.config.values;
  await stack.sql.query(`grant select, insert, update on hours_of_rain to ${writer}`);
  const base = quick(definedVersion(weather.job));
  const before = await recordVersion(stack.database, job, base);
  await deploy(stack, before);
  const rows: Row[] = [];
  for (const change of changes) {
    const version = await recordVersion(stack.database, job, change.apply(base));
    const beganAt = performance.now();
    const answer = await tryOut(stack, version);
    const drySeconds = (performance.now() - beganAt) / 1_000;
    const upgrade = await deploy(stack, version);
    if (upgrade.took) await takeBack(stack, before);
    rows.push({ change: change.name, answer, drySeconds, upgrade });
    // What was found stands, also when a later change breaks the bench off.
    await write(stack, rows);
  }
}

/** Nobody waits for checkpoints: what is asked is whether the state fits. */
const quick = ({ statements, settings }: JobVersion): JobVersion => ({
  statements,
  settings: {
    ...settings,
    'execution.checkpointing.interval': '1 s',
    'execution.checkpointing.min-pause': '0 s',
  },
});

const saidYes = ({ answer }: Row): boolean => answer.verdict === 'fits';

async function write(stack: WholeStack, rows: readonly Row[]): Promise<void> {
  const right = rows.filter((row) => saidYes(row) === row.upgrade.took).length;
  writeSection(
    'Dry runs',
    [
      await machineFacts(stack),
      `${rows.length} changes of the stream's SQL or settings, each tried by \`job deploy --dry-run\` and then deployed in earnest from a savepoint; checkpoints each second. In ${right} of ${rows.length} the upgrade did what the dry run had said.`,
      markdownTable(
        ['change', 'the dry run said', 's', 'the upgrade', 's', 'as it was said'],
        rows.map((row) => [
          row.change,
          told(row.answer.sentence),
          seconds(row.drySeconds),
          row.upgrade.took ? 'took' : `was rolled back: ${told(row.upgrade.reason)}`,
          seconds(row.upgrade.seconds),
          saidYes(row) === row.upgrade.took ? 'yes' : '**no**',
        ]),
      ),
    ].join('\n\n'),
  );
}

/** A cell of a table, without what says nothing to a reader: an operator's id, and in brackets what Flink itself said, with its paths. */
const told = (text: string): string =>
  text
    .replaceAll(/\b[0-9a-f]{32}\b/g, '…')
    .replace(/ \((?!--).*?…\)\..*$/s, '')
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ');

const command = new Command('bench:dry-runs')
  .description('What dry runs say of changes of the SQL, and what the real upgrades do')
  .option('--only <names>', 'some of the changes, by name', names)
  .action(({ only }: Options) => {
    const changes = choose(sqlChanges, only);
    return withWholeStack((stack) => measure(stack, changes));
  });

await runCommand(command);
